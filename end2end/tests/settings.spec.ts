import { expect, hydrated, signIn, test } from './support';
import type { Page } from '@playwright/test';

/** The session ends while the form is filled in; after the login the input is there, not saved. */
async function sessionEndsWhileTyping(page: Page) {
  await signIn(page, 'publisher');
  await page.goto('/billing/settings');
  const field = page.getByRole('group', { name: 'API calls' }).getByLabel('Alert at (% of included)');
  const before = await field.inputValue();
  await field.fill('61; 62');
  await page.context().clearCookies({ name: 'auth_token' });
  await page.getByRole('button', { name: 'Save alerts' }).click();
  await expect(page).toHaveURL(/\/login\?/);
  await expect(page.getByRole('status').first()).toContainText('Your session ended. Sign in and your changes will be there.');
  await page.getByLabel('E-mail').fill('publisher@demo.test');
  await page.getByLabel('Password').fill(process.env.APEX_E2E_PASSWORD!);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/billing\/settings$/);
  await expect(field).toHaveValue('61; 62');
  await expect(page.getByText('These changes are not saved yet.')).toBeVisible();
  await page.getByRole('button', { name: 'Discard changes' }).click();
  await expect(page.getByText('Changes discarded.')).toBeVisible();
  await expect(field).toHaveValue(before);
}

test('input survives the end of the session', async ({ page }) => sessionEndsWhileTyping(page));

test('several errors are at their fields, the first has the focus', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.goto('/billing/settings');
  await page.getByLabel('Recipients').fill('a@b');
  const impressions = page.getByRole('group', { name: 'Impressions' });
  await impressions.getByLabel('Cap', { exact: true }).fill('many');
  await page.getByRole('button', { name: 'Save alerts' }).click();
  await expect(page.getByRole('alert')).toContainText('Correct 2 fields');
  await expect(page.getByLabel('Recipients')).toBeFocused();
  await expect(page.getByLabel('Recipients')).toHaveAccessibleDescription(/Enter an e-mail address such as name@example\.com/);
  await expect(impressions.getByLabel('Cap', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await page.getByRole('alert').getByRole('link', { name: /Impressions/ }).click();
  await expect(impressions.getByLabel('Cap', { exact: true })).toBeFocused();
});

test('a new key can be copied', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, 'publisher');
  await page.goto('/billing/settings');
  await page.getByLabel(/^Key name/).fill(`copied-${Date.now()}`);
  await page.getByRole('button', { name: 'Create key' }).click();
  await hydrated(page);
  const key = await page.locator('.new-key code').textContent();
  await page.getByRole('button', { name: /^Copy/ }).click();
  await expect(page.locator('.new-key [data-copy-status]')).toHaveText('Copied');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
});

test('an API key is created, shown once, and revoked', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();
  await hydrated(page);
  const name = `browser-${Date.now()}`;
  await page.getByLabel(/^Key name/).fill(name);
  await page.getByRole('button', { name: 'Create key' }).click();
  const key = page.locator('.new-key code');
  await expect(key).toHaveText(/^apex_[0-9a-f]{64}$/);
  await hydrated(page);
  const shown = (await key.textContent())!;

  // From now on only its prefix is shown.
  await page.goto('/billing/settings');
  expect(await page.content()).not.toContain(shown);
  const entry = page.getByRole('listitem').filter({ hasText: name });
  await expect(entry).toContainText(shown.slice(0, 13));
  await entry.getByText('Revoke').first().click();
  await entry.getByRole('button', { name: `Revoke key ${name}` }).click();
  await expect(page.getByText('Key revoked.')).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: name })).toHaveCount(0);
});

test('a rejected form keeps its input, also after hydration', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.goto('/billing/settings');
  await hydrated(page);
  const impressions = page.getByRole('group', { name: 'Impressions' });
  await impressions.getByLabel('Alert at (% of included)').fill('eighty');
  await page.getByRole('button', { name: 'Save alerts' }).click();
  await hydrated(page);
  const field = page.getByRole('group', { name: 'Impressions' }).getByLabel('Alert at (% of included)');
  await expect(field).toHaveValue('eighty');
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByRole('alert')).toContainText('Enter percentages such as 80; 90; 100.');
  await expect(field).toBeFocused();
});

test('a cap below the current usage needs confirmation', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.goto('/billing/settings');
  await hydrated(page);
  const impressions = page.getByRole('group', { name: 'Impressions' });
  await impressions.getByLabel('Cap', { exact: true }).fill('5,000,000');
  await impressions.getByLabel('Unit').selectOption('quantity');
  await page.getByRole('button', { name: 'Save alerts' }).click();
  await expect(page.getByRole('alert')).toContainText('This refuses impressions from now on');
  await hydrated(page);
  await expect(page.getByRole('button', { name: 'Save, and refuse from now on' })).toBeVisible();
  await expect(impressions.getByLabel('Cap', { exact: true })).toHaveValue('5,000,000');
  await page.getByRole('link', { name: 'Discard changes' }).click();
  await expect(page.getByRole('alert')).toHaveCount(0);
  const set = await (await page.request.get('/api/v1/billing/alerts')).json();
  expect(set.metrics.impressions.cap).toBeNull();
});

test('read-only users see settings without forms', async ({ page }) => {
  await signIn(page, 'readonly');
  await page.goto('/billing/settings');
  await expect(page.getByText('no cap').first()).toBeVisible();
  await expect(page.getByRole('button', { name: /Save|Create|Add/ })).toHaveCount(0);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('input survives the end of the session', async ({ page }) => sessionEndsWhileTyping(page));

  test('thresholds, recipients, a cap and a contact are set', async ({ page }) => {
    await signIn(page, 'publisher');
    await page.getByRole('link', { name: 'Settings' }).click();
    const transfer = page.getByRole('group', { name: 'Data transfer' });
    await page.getByLabel('Recipients').fill('cfo@lumen-games.example, ops@lumen-games.example');
    await transfer.getByLabel('Alert at (% of included)').fill('70; 100');
    await transfer.getByLabel('Cap', { exact: true }).fill('900.5');
    await transfer.getByLabel('Unit').selectOption('quantity');
    await page.getByRole('button', { name: 'Save alerts' }).click();
    await expect(page.getByText('Alerts and caps saved.')).toBeVisible();
    // The browser itself trims the space.
    await expect(page.getByLabel('Recipients')).toHaveValue(/^cfo@lumen-games\.example, ?ops@lumen-games\.example$/);
    await expect(transfer.getByLabel('Cap', { exact: true })).toHaveValue('900.5');
    const set = await (await page.request.get('/api/v1/billing/alerts')).json();
    expect(set.metrics.data_transfer_bytes).toEqual({ percent: [70, 100], cost: [], cap: { quantity: 900_500_000_000 } });

    await page.getByLabel('E-mail', { exact: true }).fill('books@lumen-games.example');
    await page.getByRole('button', { name: 'Add contact' }).click();
    await expect(page.getByText('Contact saved.')).toBeVisible();
    await page.getByRole('button', { name: 'Remove books@lumen-games.example' }).click();
    await expect(page.getByText('Contact removed.')).toBeVisible();
    await expect(page.getByText('books@lumen-games.example')).toHaveCount(0);
  });

  test('a cap below the current usage needs confirmation', async ({ page }) => {
    await signIn(page, 'publisher');
    await page.goto('/billing/settings');
    const calls = page.getByRole('group', { name: 'API calls' });
    await calls.getByLabel('Cap', { exact: true }).fill('1 000');
    await calls.getByLabel('Unit').selectOption('quantity');
    await page.getByRole('button', { name: 'Save alerts' }).click();
    await expect(page.getByRole('alert')).toContainText('This refuses API calls from now on');
    // Not confirmed here: other tests use the same customer.
    await expect(page.getByRole('button', { name: 'Save, and refuse from now on' })).toBeVisible();
    await page.getByRole('link', { name: 'Discard changes' }).click();
    await expect(calls.getByLabel('Cap', { exact: true })).toHaveValue('');
  });
});
