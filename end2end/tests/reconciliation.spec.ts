import { expect, hydrated, invoiceEvent, signIn, test } from './support';

const STRIPE = 'http://127.0.0.1:3102';

test('staff reconcile with Stripe and repair a discrepancy', async ({ page }) => {
  const now = Math.floor(Date.now() / 1000);
  // Stripe has the demo's customers, and an invoice without a webhook.
  const missed = invoiceEvent(`recon${now}`, 'invoice.created', now, { status: 'open', number: `R-${now}` }).data.object;
  const customers = ['cus_demo_lumen', 'cus_demo_kisetsu'].map((id) => ({ id, object: 'customer', created: 1_750_000_000 }));
  expect((await page.request.post(`${STRIPE}/_objects`, { data: [...customers, missed] })).ok()).toBe(true);

  await signIn(page, 'admin');
  await page.goto('/admin/reconciliation');
  await hydrated(page);
  await page.getByLabel('From').fill(new Date((now - 86_400) * 1000).toISOString().slice(0, 10));
  await page.getByRole('button', { name: 'Compare now' }).click();
  await expect(page).toHaveURL(/\/admin\/reconciliation\/[0-9a-f-]{36}$/);
  await hydrated(page);
  const run = page.url();
  // During the run the page updates itself, and shows the result without a reload.
  await expect(page.getByText(/^[A-Za-z ]+: \d+ of about \d+ compared$/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeVisible();
  await expect(page.locator('.title-row').getByText('Differences', { exact: true })).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('button', { name: 'Repair all' })).toBeVisible();
  expect(page.url()).toBe(run);

  await page.getByRole('link', { name: /^Missing here \d+$/ }).click();
  await hydrated(page);
  const row = page.getByRole('row').filter({ hasText: missed.id });
  await expect(row).toContainText('Missing here: invoice');
  await row.getByRole('button', { name: `Repair invoice ${missed.id}` }).click();
  await expect(page).toHaveURL(/repaired=1&failed=0/);
  await expect(page.getByText('1 difference repaired; 0 could not be.')).toBeVisible();
  await hydrated(page);
  await page.goto(`${run}?kind=missing_locally`);
  await hydrated(page);
  await expect(page.getByRole('row').filter({ hasText: missed.id })).toContainText('Repaired');
  // The customer sees it now.
  await page.context().clearCookies();
  await signIn(page, 'readonly');
  await page.goto(`/billing/invoices?q=R-${now}`);
  await hydrated(page);
  await expect(page.getByRole('table').getByText(`R-${now}`)).toBeVisible();
});

test('the reconciliation is not for customers', async ({ page }) => {
  await signIn(page, 'publisher');
  await expect(page.getByRole('link', { name: 'Reconciliation' })).toHaveCount(0);
  expect((await page.goto('/admin/reconciliation'))!.status()).toBe(403);
});
