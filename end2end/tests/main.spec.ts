// The main journeys, as fast as possible: for the optimised client and the archive of `make
// release`. Each page must hydrate without console output or failed requests.
import { readFileSync } from 'node:fs';
import { test as base, expect, hydrated, signIn } from './support';
import type { Page } from '@playwright/test';

const test = base.extend<{ completeAnswers: void }>({
  completeAnswers: [
    async ({ page }, use) => {
      const failed: string[] = [];
      page.on('response', (response) => {
        if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
      });
      await use();
      expect(failed).toEqual([]);
    },
    { auto: true },
  ],
});

/** Opens a page by its URL, so that the server renders it. */
async function open(page: Page, path: string, heading: string | RegExp) {
  await page.goto(path);
  await expect(page).toHaveURL(path);
  await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
  await hydrated(page);
}

/** Opens pages by the navigation's links. */
async function follow(page: Page, names: string[]) {
  for (const name of names) {
    const link = page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name, exact: true });
    await link.click();
    await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
    await expect(link).toHaveAttribute('aria-current', 'page');
  }
}

test('a publisher reads usage and downloads an invoice', async ({ page }) => {
  await signIn(page, 'publisher');
  await hydrated(page);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.getByRole('link', { name: 'API calls' }).click();
  await expect(page).toHaveURL(/metric=api_calls/);
  await follow(page, ['Invoices', 'Settings', 'Usage', 'Invoices']);

  await open(page, '/billing/invoices?status=paid', 'Invoices');
  const link = page.getByRole('table').first().locator('tbody tr').first().getByRole('link');
  const number = (await link.innerText()).trim();
  await link.click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(number);
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(number);
  await hydrated(page);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download PDF' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`invoice-${number}.pdf`);
  expect(readFileSync(await file.path()).subarray(0, 5).toString()).toBe('%PDF-');
});

test('a publisher creates an API key and revokes it', async ({ page }) => {
  await signIn(page, 'publisher');
  await open(page, '/billing/settings', 'Settings');
  const name = `main-${Date.now()}`;
  await page.getByLabel(/^Key name/).fill(name);
  await page.getByRole('button', { name: 'Create key' }).click();
  await expect(page.locator('.new-key code')).toHaveText(/^apex_[0-9a-f]{64}$/);
  await hydrated(page);
  const entry = page.getByRole('listitem').filter({ hasText: name });
  await entry.getByText('Revoke').first().click();
  await entry.getByRole('button', { name: `Revoke key ${name}` }).click();
  await expect(page.getByRole('listitem').filter({ hasText: name })).toHaveCount(0);
  await hydrated(page);
});

test('staff opens each of its pages', async ({ page }) => {
  await signIn(page, 'admin');
  await hydrated(page);
  await follow(page, ['Customers', 'Reconciliation', 'Webhooks', 'Audit', 'Features', 'Customers']);
  for (const [path, heading] of [
    ['/admin/customers', 'Customers'], ['/admin/reconciliation', 'Reconciliation'], ['/admin/webhooks', 'Webhooks'],
    ['/admin/audit', 'Audit log'], ['/admin/features', 'Features'], ['/account', 'Your account'],
  ]) {
    await open(page, path, heading);
  }
});
