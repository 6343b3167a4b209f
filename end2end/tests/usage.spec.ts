import { demo, expect, hydrated, signIn, test } from './support';

test('the page summarises usage against the plan', async ({ page }) => {
  await signIn(page, 'publisher');
  await hydrated(page);
  await expect(page.getByRole('heading', { name: /over your plan on impressions/i })).toBeVisible();
  const figures = await (await page.request.get('/api/v1/billing/usage/current')).json();
  const used: number = figures.current_period.impressions;
  expect(used).toBeGreaterThan(figures.subscription.included_impressions);
  await expect(page.getByText('Over plan')).toBeVisible();
  await page.getByRole('link', { name: 'API calls' }).click();
  await expect(page).toHaveURL(/metric=api_calls/);
  await page.getByText('Show the numbers as a table').click();
  await expect(page.getByRole('table', { name: /API calls/i })).toBeVisible();
});

test('usage updates within five seconds without a reload', async ({ page }) => {
  await signIn(page, 'admin');
  await hydrated(page);
  const period = async () => (await (await page.request.get('/api/v1/billing/usage/current')).json()).current_period;
  // The event and the update must be in one billing period: if it is about to end, wait.
  await expect.poll(async () => Date.parse((await period()).end) - Date.now(), { timeout: 25_000 }).toBeGreaterThan(15_000);
  const before = (await period()).impressions;
  const id = `e2e-${Date.now()}`;
  const event = { id, metric: 'impressions', quantity: 1234, timestamp: new Date().toISOString(), app_id: 'puzzle_quest' };
  const headers = { authorization: `Bearer ${demo().api_key}` };
  const receipt = await page.request.post('/api/v1/usage/events', { headers, data: event });
  expect(receipt.status()).toBe(202);
  expect(await receipt.json()).toEqual({ accepted: 1, duplicates: 0, rejected: [] });
  const after = (before + 1234).toLocaleString('en-US');
  await expect(page.getByText(after).first()).toBeVisible({ timeout: 5_000 });

  const again = await page.request.post('/api/v1/usage/events', { headers, data: event });
  expect(await again.json()).toEqual({ accepted: 0, duplicates: 1, rejected: [] });
});

test('alerts and caps update without a reload', async ({ page }) => {
  await signIn(page, 'publisher');
  await hydrated(page);
  const panel = page.getByRole('region', { name: 'Alerts and caps' });
  // The job fires the demo's alerts within seconds of the start.
  const reached = panel.getByRole('row', { name: /Impressions 100% of 10,000,000 included Reached/ });
  await expect(reached).toBeVisible({ timeout: 30_000 });
  // The changed response has one more, so that no other test's settings change.
  await page.route('**/live/billing/usage*', async (route) => {
    const headers = { ...route.request().headers() };
    delete headers['if-none-match'];
    const response = await route.fetch({ headers });
    const row = '<tr><th scope="row">API calls</th><td>Cap of 9,876,543,210</td><td>In force</td></tr>';
    const html = await response.text();
    const end = html.lastIndexOf('</tbody>');
    await route.fulfill({ response, body: html.slice(0, end) + row + html.slice(end) });
  });
  await expect(panel.getByRole('row', { name: 'API calls Cap of 9,876,543,210' })).toBeVisible({ timeout: 12_000 });
  await panel.getByRole('link', { name: 'Edit alerts' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();
});
