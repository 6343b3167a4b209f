import { readFileSync } from 'node:fs';
import { deliver, expect, hydrated, invoiceEvent, signIn, test } from './support';

test('filters, search and pages of the list are in the URL', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.getByRole('link', { name: 'Invoices' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible();
  const rows = page.getByRole('table').first().locator('tbody tr');
  await expect(rows).toHaveCount(13);

  await page.getByRole('link', { name: 'Open', exact: true }).click();
  await expect(page).toHaveURL(/status=open/);
  await expect(rows).toHaveCount(2);
  await expect(page.getByText('Overdue').first()).toBeVisible();

  const number = (await rows.first().getByRole('link').innerText()).trim();
  await page.getByRole('link', { name: 'All', exact: true }).click();
  await expect(rows).toHaveCount(13);
  await page.getByLabel('Invoice number').fill(number);
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(new RegExp(`q=${number}`));
  await expect(rows).toHaveCount(1);

  await page.goto('/billing/invoices?limit=5');
  await expect(rows).toHaveCount(5);
  await page.getByRole('link', { name: /next/i }).click();
  await expect(page).toHaveURL(/page=2/);
  await expect(rows).toHaveCount(5);
  await page.getByRole('link', { name: /next/i }).click();
  await expect(rows).toHaveCount(3);

  await page.goto('/billing/invoices?q=nothing-has-this-number');
  await expect(page.getByRole('link', { name: /clear/i }).first()).toBeVisible();
});

test('an invalid filter in the URL is explained', async ({ page }) => {
  await signIn(page, 'publisher');
  const answer = await page.goto('/billing/invoices?status=foo');
  expect(answer!.status()).toBe(422);
  await expect(page.getByRole('alert')).toContainText('invalid filter');
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expect(page).toHaveURL('/billing/invoices');
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('every invalid field is explained, the first has the focus', async ({ page }) => {
      await signIn(page, 'publisher');
      await page.goto('/billing/invoices?from=eighty&to=2026-13-01');
      const [from, to] = [page.getByLabel('Issued from'), page.getByLabel('Issued until')];
      await expect(from).toBeFocused();
      for (const field of [from, to]) await expect(field).toHaveAccessibleDescription('Enter a date such as 2026-11-30.');
      await expect(from).toHaveValue('eighty');

      await page.goto('/billing/invoices');
      await from.fill('2026-11-30');
      await to.fill('2026-11-01');
      await page.getByRole('button', { name: 'Apply' }).click();
      await expect(to).toHaveAccessibleDescription('The last day is before the first.');
      await expect(to).toBeFocused();
    });
  });
}

test('long lists have numbered pages and a page size', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.goto('/billing/invoices?limit=5');
  await page.getByRole('link', { name: 'Page 3', exact: true }).click();
  await expect(page).toHaveURL(/page=3/);
  await expect(page.getByRole('link', { name: 'Page 3', exact: true })).toHaveAttribute('aria-current', 'page');
  await page.getByRole('navigation', { name: 'Rows per page' }).getByRole('link', { name: '50' }).click();
  await expect(page).toHaveURL('/billing/invoices?limit=50');
  await expect(page.getByRole('table').first().locator('tbody tr')).toHaveCount(13);
});

test('an invoice shows its timeline and downloads as PDF', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.goto('/billing/invoices?status=paid');
  await hydrated(page);
  const row = page.getByRole('table').first().locator('tbody tr').filter({ hasText: 'Partly refunded' });
  const number = (await row.getByRole('link').innerText()).trim();
  await row.getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(number);
  for (const text of ['Growth plan', 'Draft created', 'Payment received', /Refund of \$\d+\.\d\d issued/]) {
    await expect(page.getByText(text).first()).toBeVisible();
  }
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download PDF' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`invoice-${number}.pdf`);
  expect(readFileSync(await file.path()).subarray(0, 5).toString()).toBe('%PDF-');
});

test('a webhook signed by Stripe’s library adds one invoice', async ({ page }) => {
  await signIn(page, 'readonly');
  const now = Math.floor(Date.now() / 1000);
  const id = `e2e${now}`;
  const number = `E2E-${now}`;
  const created = invoiceEvent(id, 'invoice.created', now - 120, { status: 'draft', number: null });
  const finalized = invoiceEvent(id, 'invoice.finalized', now - 60, { status: 'open', number, due_date: now + 86_400, status_transitions: { finalized_at: now - 60 } });
  const paid = invoiceEvent(id, 'invoice.payment_succeeded', now - 30, {
    status: 'paid', number, amount_paid: 4200, amount_remaining: 0, status_transitions: { finalized_at: now - 60, paid_at: now - 30 },
  });

  for (const event of [created, finalized]) {
    const answer = await deliver(page, event);
    expect([answer.status(), await answer.json()]).toEqual([200, { received: true, duplicate: false }]);
  }
  await page.goto(`/billing/invoices?q=${number}`);
  const row = page.getByRole('table').first().locator('tbody tr');
  await expect(row).toHaveCount(1);
  await expect(row).toContainText('Open');
  await expect(row).toContainText('¥4,200');

  expect(await (await deliver(page, paid)).json()).toEqual({ received: true, duplicate: false });
  for (const event of [finalized, created, paid]) {
    expect(await (await deliver(page, event)).json()).toEqual({ received: true, duplicate: true });
  }
  await page.reload();
  await expect(row).toHaveCount(1);
  await expect(row).toContainText('Paid');
});
