import { addPerson, expect, hydrated, signInAs, test } from './support';

// The login page shows the reason, unless the live usage page has already made a request and
// cleared the cookie.
const loginAfterwards = /\/login\?next=\/account(&error=session_expired)?$/;

test('a new password and the list end other sessions', async ({ page, browser }) => {
  const person = addPerson('account');
  const elsewhere = await (await browser.newContext()).newPage();
  await signInAs(page, person);
  await signInAs(elsewhere, person);

  await page.getByText(person.email).first().click();
  await page.getByRole('link', { name: 'Your account' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Your account' })).toBeVisible();
  await hydrated(page);
  await expect(page.getByRole('listitem').filter({ hasText: 'This session' })).toHaveCount(1);
  await expect(page.getByRole('button', { name: /^Sign out the session of/ })).toHaveCount(2);

  await page.getByLabel('Current password').fill('not this one');
  await page.getByLabel('New password').fill('another long password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('alert')).toContainText('This is not your current password.');
  await hydrated(page);
  await expect(page.getByLabel('Current password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('New password')).toHaveValue('');

  await page.getByLabel('Current password').fill(person.password);
  await page.getByLabel('New password').fill('another long password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your password is changed')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Sign out the session of/ })).toHaveCount(1);
  await elsewhere.goto('/account');
  await expect(elsewhere).toHaveURL(loginAfterwards);

  await signInAs(elsewhere, { ...person, password: 'another long password' });
  await page.goto('/account');
  await page.getByRole('listitem').filter({ hasNotText: 'This session' }).getByRole('button', { name: /^Sign out the session of/ }).click();
  await expect(page.getByText('The session is ended.')).toBeVisible();
  await elsewhere.goto('/account');
  await expect(elsewhere).toHaveURL(loginAfterwards);
  await elsewhere.context().close();
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the password is changed', async ({ page }) => {
    const person = addPerson('plain');
    await signInAs(page, person);
    await page.goto('/account');
    await page.getByLabel('Current password').fill(person.password);
    await page.getByLabel('New password').fill('another long password');
    await page.getByRole('button', { name: 'Change password' }).click();
    await expect(page.getByText('Your password is changed')).toBeVisible();
  });
});
