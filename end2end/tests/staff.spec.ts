import { deliver, expect, hydrated, invoiceEvent, signIn, test } from './support';

test('staff open an event in the inbox and replay it', async ({ page }) => {
  await signIn(page, 'admin');
  const now = Math.floor(Date.now() / 1000);
  const event = invoiceEvent(`staff${now}`, 'invoice.created', now - 60, { status: 'draft', number: null });
  expect((await deliver(page, event)).status()).toBe(200);

  await page.getByRole('link', { name: 'Webhooks' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Webhooks' })).toBeVisible();
  await page.goto(`/admin/webhooks?q=${event.id}`);
  await hydrated(page);
  const rows = page.getByRole('table').locator('tbody tr');
  await expect(rows).toHaveCount(1);
  // New events appear on an open page, and don't reset its forms.
  await page.goto(`/admin/webhooks?q=staff${now}`);
  await hydrated(page);
  await expect(rows).toHaveCount(1);
  const search = page.getByRole('searchbox', { name: 'Event or object id' });
  await search.fill('half an id');
  const later = invoiceEvent(`staff${now}`, 'invoice.finalized', now - 30, { status: 'open', number: `S-${now}` });
  expect((await deliver(page, later)).status()).toBe(200);
  await expect(rows).toHaveCount(2);
  await expect(search).toHaveValue('half an id');
  await page.goto(`/admin/webhooks?q=${event.id}`);
  await hydrated(page);
  await rows.getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1, name: 'invoice.created' })).toBeVisible();
  await expect(page.getByText(`"id": "${event.id}"`)).toBeVisible();
  await page.getByRole('button', { name: 'Replay' }).click();
  await expect(page).toHaveURL(/replayed=applied/);
  await expect(page.getByText('Replayed: the event is applied.')).toBeVisible();
  await hydrated(page);
});

test('the inbox is not for customers', async ({ page }) => {
  await signIn(page, 'publisher');
  await expect(page.getByRole('link', { name: 'Webhooks' })).toHaveCount(0);
  const answer = await page.goto('/admin/webhooks');
  expect(answer!.status()).toBe(403);
  await expect(page.getByText('You don’t have access')).toBeVisible();
});
