import { expect, hydrated, signIn, test } from './support';

test.use({ baseURL: 'http://127.0.0.1:3101' });

test('billing off hides the menu and answers 503 to the API', async ({ page }) => {
  await signIn(page, 'publisher');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/paused/i);
  await expect(page.getByRole('link', { name: 'Invoices' })).toHaveCount(0);
  expect((await page.goto('/billing/invoices'))!.status()).toBe(503);
  const answer = await page.request.get('/api/v1/billing/usage/current');
  expect(answer.status()).toBe(503);
  expect(answer.headers()['content-type']).toBe('application/problem+json');
  expect((await (await page.request.get('/api/v1/meta/features')).json()).billingEnabled).toBe(false);
});

test('billing off leaves the feature switches to staff', async ({ page }) => {
  await signIn(page, 'admin');
  await page.getByRole('link', { name: 'Features' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Features' })).toBeVisible();
  await page.goto('/admin/features');
  await hydrated(page);
  await expect(page.getByText('BILLING_ENABLED=false')).toBeVisible();
  const ingest = page.getByRole('region', { name: 'Usage ingest' });
  const confirm = ingest.getByRole('button', { name: 'Switch Usage ingest off' });
  await expect(confirm).toBeHidden();
  await ingest.getByText('Switch off…').click();
  await expect(confirm).toBeVisible();
  await expect(ingest.getByText('503 with Retry-After')).toBeVisible();
  await expect(ingest.getByLabel('Reason, for the audit log')).toBeEditable();
});
