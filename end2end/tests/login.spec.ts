import { expect, signIn, test } from './support';

test('a wrong password is explained, and the email stays', async ({ page }) => {
  await page.goto('/login');
  await page.getByLabel('E-mail').fill('publisher@demo.test');
  await page.getByLabel('Password').fill('not this one');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('Wrong e-mail or password.');
  await expect(page.getByLabel('E-mail')).toHaveValue('publisher@demo.test');
});

test('login returns to the requested page, logout ends it', async ({ page }) => {
  await page.goto('/billing/invoices?status=paid');
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel('E-mail').fill('publisher@demo.test');
  await page.getByLabel('Password').fill(process.env.APEX_E2E_PASSWORD!);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(/\/billing\/invoices\?status=paid$/);

  await page.getByText('publisher@demo.test').first().click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto('/billing/usage');
  await expect(page).toHaveURL(/\/login\?next=/);
});

test('the theme can be switched and persists', async ({ page }) => {
  await signIn(page, 'readonly');
  await page.getByText('readonly@demo.test').first().click();
  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
