// Staff: the audit log, a customer's state, and the customer's view.
import { expect, hydrated, signIn, test } from './support';

test('staff filter the audit log and view as a customer', async ({ page }) => {
  await signIn(page, 'admin');
  await page.getByRole('link', { name: 'Audit' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Audit log' })).toBeVisible();
  await hydrated(page);
  await page.getByLabel('Type begins with').fill('session.login');
  await page.getByLabel('Done by').fill('admin@demo');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/\/admin\/audit\?type=session\.login&actor=admin%40demo$/);
  const entries = page.getByRole('main').getByRole('listitem').filter({ has: page.getByText('session.login', { exact: true }) });
  const newest = entries.first();
  await expect(newest).toContainText('admin@demo.test');
  await expect(newest.getByText('Address')).toBeHidden();
  await newest.getByText('session.login', { exact: true }).click();
  await expect(newest.getByText('Address')).toBeVisible();
  await expect(newest).toContainText('127.0.0.1');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'CSV' }).click();
  expect((await download).suggestedFilename()).toBe('audit.csv');

  await page.getByRole('link', { name: 'Customers' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Customers' })).toBeVisible();
  await hydrated(page);
  await page.getByRole('searchbox').fill('cus_demo_kisetsu');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/q=cus_demo_kisetsu$/);
  const rows = page.getByRole('table').locator('tbody tr');
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText('Kisetsu Apps');

  await rows.getByRole('button', { name: 'View as Kisetsu Apps' }).click();
  await expect(page).toHaveURL(/\/billing\/usage$/);
  const banner = page.getByRole('complementary', { name: 'Viewing as a customer' });
  await expect(banner).toContainText('Viewing as Kisetsu Apps');
  await hydrated(page);
  await page.getByRole('link', { name: 'Invoices' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible();
  await expect(page.getByRole('main')).toContainText('¥');
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();
  await expect(page.getByRole('main').getByRole('button')).toHaveCount(0);
  const refused = await page.request.post('/api/v1/billing/contacts', { data: { email: 'a@b.example' } });
  expect([refused.status(), (await refused.json()).code]).toEqual([403, 'viewing_as']);

  await banner.getByRole('button', { name: 'Stop viewing' }).click();
  await expect(page).toHaveURL(/\/admin\/customers\?q=cus_demo_kisetsu$/);
  await expect(banner).toHaveCount(0);
  await page.goto('/admin/audit?type=view_as.');
  await expect(page.getByText('view_as.stopped').first()).toBeVisible();
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('staff search and view as a customer', async ({ page }) => {
    await signIn(page, 'admin');
    await page.goto('/admin/customers');
    await page.getByRole('searchbox').fill('kisetsu');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('button', { name: 'View as Kisetsu Apps' }).click();
    await expect(page.getByText('Viewing as Kisetsu Apps')).toBeVisible();
    await page.getByRole('button', { name: 'Stop viewing' }).click();
    await expect(page.getByText('Viewing as')).toHaveCount(0);
    await page.goto('/admin/audit');
    await page.getByLabel('Type begins with').fill('view_as.');
    await page.getByRole('button', { name: 'Apply' }).click();
    const started = page.getByRole('main').getByRole('listitem').filter({ hasText: 'view_as.started' }).first();
    await started.getByText('view_as.started').click();
    await expect(started.getByText('127.0.0.1')).toBeVisible();
  });
});

test('customers cannot open staff pages', async ({ page }) => {
  await signIn(page, 'publisher');
  for (const path of ['/admin/customers', '/admin/audit']) {
    const answer = await page.goto(path);
    expect(answer!.status()).toBe(403);
    await expect(page.getByText('You don’t have access')).toBeVisible();
    await expect(page.getByRole('link', { name: /^(Customers|Audit)$/ })).toHaveCount(0);
  }
});
