import { expect, signIn, test } from './support';

test('after logout, the Back button shows no private data', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.goto('/billing/invoices');
  await expect(page.getByRole('heading', { name: 'Invoices' })).toBeVisible();
  await expect(page.getByText(/\$[\d,]+\.\d\d/).first()).toBeVisible();
  await page.getByText('publisher@demo.test').first().click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login$/);

  await page.goBack();
  await expect(page).toHaveURL(/\/login\?next=/);
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await expect(page.getByText(/\$[\d,]+\.\d\d/)).toHaveCount(0);
});

test('a download without a session redirects to the login', async ({ page, context }) => {
  await signIn(page, 'publisher');
  await page.goto('/billing/invoices');
  await context.clearCookies();
  await page.getByRole('link', { name: 'Download as CSV' }).click();
  await expect(page).toHaveURL(/\/login\?next=\/billing\/invoices/);
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});
