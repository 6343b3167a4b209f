import AxeBuilder from '@axe-core/playwright';
import { createHmac } from 'node:crypto';
import { addPerson, expect, hydrated, signInAs, test } from './support';

/** An independent RFC 6238 implementation: the code of an authenticator app at an instant. */
function codeAt(secret: string, milliseconds: number) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(milliseconds / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

test('login requires an app code or a recovery code', async ({ page, browser }) => {
  const person = addPerson('factor');
  await signInAs(page, person);
  await page.goto('/account');
  await hydrated(page);
  await page.getByLabel('Your password').fill(person.password);
  await page.getByRole('button', { name: 'Set up authenticator' }).click();
  await expect(page.getByRole('img', { name: 'QR code of the key' })).toBeVisible();
  await hydrated(page);
  const secret = (await page.locator('.totp-secret').textContent())!;
  for (const [colorScheme, width] of [['light', 360], ['dark', 1280]] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    expect((await new AxeBuilder({ page }).analyze()).violations.map((violation) => violation.id)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  }
  await page.getByRole('textbox', { name: 'Code' }).fill(codeAt(secret, Date.now()));
  await page.getByRole('button', { name: 'Turn on' }).click();
  const codes = page.locator('.recovery-codes code');
  await expect(codes).toHaveCount(8);
  await hydrated(page);
  await expect(codes).toHaveCount(8);
  const recovery = (await codes.first().textContent())!;
  expect((await new AxeBuilder({ page }).analyze()).violations.map((violation) => violation.id)).toEqual([]);

  const elsewhere = await (await browser.newContext()).newPage();
  const signIn = async () => {
    await elsewhere.goto('/login?next=/account');
    await elsewhere.getByLabel('E-mail').fill(person.email);
    await elsewhere.getByLabel('Password').fill(person.password);
    await elsewhere.getByRole('button', { name: 'Sign in' }).click();
    await expect(elsewhere).toHaveURL(/\/login\?step=code/);
  };
  await signIn();
  await elsewhere.getByLabel('Code from your authenticator app').fill('000000');
  await elsewhere.getByRole('button', { name: 'Sign in' }).click();
  await expect(elsewhere.getByRole('alert')).toContainText('The code is wrong');
  // The next time step: the set-up has used the current one.
  await elsewhere.getByLabel('Code from your authenticator app').fill(codeAt(secret, Date.now() + 30_000));
  await elsewhere.getByRole('button', { name: 'Sign in' }).click();
  await expect(elsewhere).toHaveURL(/\/account$/);
  await elsewhere.context().clearCookies();
  await signIn();
  await elsewhere.getByLabel('Code from your authenticator app').fill(recovery);
  await elsewhere.getByRole('button', { name: 'Sign in' }).click();
  await expect(elsewhere).toHaveURL(/\/account$/);
  await expect(elsewhere.getByText('7 recovery codes are left.')).toBeVisible();
  await elsewhere.context().close();
});
