// A first run with the Stripe stand-in: what `make run` prints as "What to try".
import { type Page } from '@playwright/test';
import { expect, hydrated, signIn, test } from './support';

test.use({ baseURL: 'http://127.0.0.1:3103' });

/** Compares everything, and waits for the end of the run. */
async function compare(page: Page) {
  await page.goto('/admin/reconciliation');
  await hydrated(page);
  await page.getByRole('button', { name: 'Compare now' }).click();
  await expect(page).toHaveURL(/\/admin\/reconciliation\/[0-9a-f-]{36}$/);
  await hydrated(page);
  await expect(page.getByRole('button', { name: 'Cancel' })).toHaveCount(0, { timeout: 30_000 });
}

test('staff repair differences, and a customer pays at Stripe', async ({ page }) => {
  await signIn(page, 'admin');
  await compare(page);
  const rows = page.getByRole('table').locator('tbody tr');
  await expect(rows).toHaveCount(6);
  for (const what of ['Missing here: invoice', 'Missing here: payment', 'Status: invoice', 'Amount: invoice', 'Drift: subscription', 'Usage: metered usage']) {
    await expect(rows.filter({ hasText: what })).toHaveCount(1);
  }
  await page.getByRole('button', { name: 'Repair all' }).click();
  await expect(page.getByText('6 differences repaired; 0 could not be.')).toBeVisible();
  await compare(page);
  await expect(page.getByRole('heading', { name: 'No differences' })).toBeVisible();

  // The invoice that was missing is the customer's now, and can be paid in the portal.
  await page.context().clearCookies();
  await signIn(page, 'publisher');
  await page.goto('/billing/invoices?q=-0101');
  await hydrated(page);
  const invoice = page.getByRole('table').locator('tbody tr').first();
  await expect(invoice).toContainText('-0101');
  await page.getByRole('button', { name: 'Manage payment method' }).click();
  await expect(page).toHaveURL(/^http:\/\/127\.0\.0\.1:\d+\/p\/session\/bps_/);
  await expect(page.getByRole('heading', { name: 'Customer portal' })).toBeVisible();
  const open = page.getByRole('row').filter({ hasText: '-0101' });
  await open.getByRole('button', { name: 'Pay' }).click();
  await expect(open).toContainText('paid');
  await page.getByRole('link', { name: 'Return' }).click();
  await expect(page).toHaveURL(/\/billing\/invoices/);
  await expect(async () => {
    await page.goto('/billing/invoices?q=-0101');
    await expect(page.getByRole('table').locator('tbody tr').first()).toContainText('Paid', { timeout: 1_000 });
  }).toPass({ timeout: 15_000 });
});
