import { expect, signIn, test } from './support';

test.use({ baseURL: 'http://127.0.0.1:3101' });

test('with billing off there is no menu item, a friendly page, and 503 for programs', async ({ page }) => {
  await signIn(page, 'publisher');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/paused/i);
  await expect(page.getByRole('link', { name: 'Invoices' })).toHaveCount(0);
  expect((await page.goto('/billing/invoices'))!.status()).toBe(503);
  const answer = await page.request.get('/api/v1/billing/usage/current');
  expect(answer.status()).toBe(503);
  expect(answer.headers()['content-type']).toBe('application/problem+json');
  expect((await (await page.request.get('/api/v1/meta/features')).json()).billingEnabled).toBe(false);
});
