import { expect, signIn, test } from './support';

test.use({ javaScriptEnabled: false });

test('everything can be read and used without JavaScript', async ({ page }) => {
  await signIn(page, 'publisher');
  await expect(page.getByRole('heading', { name: /over your plan/i })).toBeVisible();
  await page.getByRole('link', { name: 'Data transfer' }).click();
  await expect(page).toHaveURL(/metric=data_transfer_bytes/);
  await page.getByRole('link', { name: 'By app' }).click();
  await expect(page).toHaveURL(/metric=data_transfer_bytes&by=app/);
  await expect(page.getByText('puzzle_quest').first()).toBeVisible();

  await page.getByRole('link', { name: 'Invoices' }).click();
  const rows = page.getByRole('table').first().locator('tbody tr');
  await expect(rows).toHaveCount(13);
  await page.getByRole('link', { name: 'Void', exact: true }).click();
  await expect(rows).toHaveCount(1);
  await page.getByRole('link', { name: 'All', exact: true }).click();
  await page.getByLabel('Sort by').selectOption('total');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/sort=total/);

  // The plan's invoice; the one in dinars is for something else.
  await rows.filter({ hasText: '$' }).first().getByRole('link').click();
  await expect(page.getByText('Growth plan')).toBeVisible();
  const pdf = await page.request.get((await page.getByRole('link', { name: 'Download PDF' }).getAttribute('href'))!);
  expect([pdf.status(), pdf.headers()['content-type']]).toEqual([200, 'application/pdf']);

  await page.getByText('publisher@demo.test').first().click();
  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.getByText('publisher@demo.test').first().click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
});
