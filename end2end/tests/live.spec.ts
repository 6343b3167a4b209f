// Pages that stay open: while the server is away, across a deployment, and without scripts.
import { spawn, type ChildProcess } from 'node:child_process';
import { test as base } from '@playwright/test';
import { addPerson, expect, hydrated, signIn, signInAs, test } from './support';
import type { Page } from '@playwright/test';

const interrupted = (page: Page) => page.locator('[data-live-interrupted]');

/** The number of documents that the page has loaded since. */
function countLoads(page: Page) {
  const loads = { count: 0 };
  page.on('request', (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) loads.count += 1;
  });
  return loads;
}

/** Opens a page as an earlier build would have served it. */
async function openOfEarlierBuild(page: Page, path: string, howOften: number) {
  let left = howOften;
  await page.route(path, async (route) => {
    const response = await route.fetch();
    const html = await response.text();
    if (left === 0) return route.fulfill({ response });
    left -= 1;
    const old = html.replace(/apex_billing\.[0-9a-f]{16}/g, 'apex_billing.0123456789abcdef').replace(/data-build="[^"]*"/, 'data-build="earlier"');
    return route.fulfill({ response, body: old });
  });
  await page.goto(path);
}

test('a notice shows while updates fail, then goes away', async ({ page }) => {
  await signIn(page, 'publisher');
  await hydrated(page);
  await expect(interrupted(page)).toBeHidden();
  await page.route('**/live/**', (route) => route.abort());
  await expect(interrupted(page)).toBeVisible({ timeout: 20_000 });
  await page.unroute('**/live/**');
  await expect(interrupted(page)).toBeHidden({ timeout: 20_000 });
});

test('a server error counts as a failed update', async ({ page }) => {
  await signIn(page, 'publisher');
  await hydrated(page);
  await page.route('**/live/**', (route) => route.fulfill({ status: 503, body: '' }));
  await expect(interrupted(page)).toBeVisible({ timeout: 20_000 });
  await page.unroute('**/live/**');
  await expect(interrupted(page)).toBeHidden({ timeout: 20_000 });
});

test('a slow server counts as away until it answers', async ({ page }) => {
  test.setTimeout(90_000);
  await signIn(page, 'publisher');
  await hydrated(page);
  // Never answered.
  await page.route('**/live/**', () => {});
  await expect(interrupted(page)).toBeVisible({ timeout: 30_000 });
  await page.unroute('**/live/**');
  await expect(interrupted(page)).toBeHidden({ timeout: 20_000 });
});

test('a page recovers when its server restarts', async ({ page }) => {
  test.setTimeout(120_000);
  const address = '127.0.0.1:' + (Number(process.env.APEX_E2E_PORT ?? 3100) + 6);
  const start = async () => {
    const server = spawn(process.env.APEX_E2E_BINARY!, ['serve'], {
      cwd: process.env.APEX_E2E_DIR!,
      stdio: 'ignore',
      env: {
        ...process.env,
        DATABASE_URL: process.env.TEST_E2E_DATABASE_URL ?? '',
        LEPTOS_SITE_ADDR: address,
        LEPTOS_SITE_ROOT: process.env.APEX_E2E_SITE_ROOT!,
        PUBLIC_URL: `http://${address}`,
        METRICS_ADDR: '127.0.0.1:0',
        STRIPE_WEBHOOK_SECRET: process.env.APEX_E2E_WEBHOOK_SECRET!,
        RUST_LOG: 'warn',
      },
    });
    const ready = async () => (await page.request.get(`http://${address}/readyz`).catch(() => null))?.status();
    await expect.poll(ready, { timeout: 30_000 }).toBe(200);
    return server;
  };
  const kill = (server: ChildProcess) =>
    new Promise((resolve) => {
      server.once('exit', resolve);
      server.kill('SIGKILL');
    });
  let server = await start();
  try {
    await page.goto(`http://${address}/login`);
    await page.getByLabel('E-mail').fill('publisher@demo.test');
    await page.getByLabel('Password').fill(process.env.APEX_E2E_PASSWORD!);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(/\/billing\/usage$/);
    await hydrated(page);
    const loads = countLoads(page);
    await kill(server);
    await expect(interrupted(page)).toBeVisible({ timeout: 20_000 });
    server = await start();
    await expect(interrupted(page)).toBeHidden({ timeout: 60_000 });
    expect(loads.count).toBe(0);
  } finally {
    await kill(server);
  }
});

// The console has messages about its missing files.
base('a page of an earlier build reloads once', async ({ page }) => {
  await signIn(page, 'publisher');
  await hydrated(page);
  const loads = countLoads(page);
  await openOfEarlierBuild(page, '/billing/invoices', 1);
  await hydrated(page);
  await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible();
  expect(loads.count).toBe(2);
});

test('a newer build reloads a page without unsaved input', async ({ page }) => {
  const person = addPerson('newer');
  await signInAs(page, person);
  await page.goto('/admin/webhooks');
  await hydrated(page);
  const loads = countLoads(page);
  let updates = 0;
  await page.route('**/live/**', async (route) => {
    updates += 1;
    const headers = { ...route.request().headers() };
    delete headers['if-none-match'];
    const response = await route.fetch({ headers });
    await route.fulfill({ response, headers: { ...response.headers(), 'apex-build': 'newer', etag: `W/"${updates}"` } });
  });
  // As typed, wherever the form is shown.
  const type = (text: string) =>
    page.locator('main form input:not([type=hidden])').first().evaluate((field: HTMLInputElement, text) => void (field.value = text), text);
  await type('unsaved');
  await expect.poll(() => updates, { timeout: 20_000 }).toBeGreaterThan(1);
  expect(loads.count).toBe(0);
  await type('');
  await expect.poll(() => loads.count, { timeout: 20_000 }).toBe(1);
  await hydrated(page);
  // It is still not the newer build: once is enough.
  updates = 0;
  await expect.poll(() => updates, { timeout: 20_000 }).toBeGreaterThan(1);
  expect(loads.count).toBe(1);
});

test('a hovered link is prefetched', async ({ page }) => {
  await signInAs(page, addPerson('prefetch'));
  await hydrated(page);
  const link = page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Features', exact: true });
  const prefetched = page.waitForRequest((request) => request.url().endsWith('/admin/features') && request.headers()['sec-purpose'] === 'prefetch');
  await link.hover();
  await prefetched;
  await link.click();
  await expect(page.getByRole('heading', { level: 1, name: 'Features' })).toBeVisible();
  const how = await page.evaluate(() => (performance.getEntriesByType('navigation')[0] as any).deliveryType);
  expect(how).toBe('navigational-prefetch');
});

// Failed scripts appear in the console; what the user sees must work.
base.describe('without scripts', () => {
  const works = async (page: Page) => {
    await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Invoices', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible();
    await page.getByRole('link', { name: 'Open', exact: true }).click();
    await expect(page).toHaveURL(/status=open/);
    await page.getByLabel('Invoice number').fill('nothing');
    await page.getByRole('button', { name: 'Apply' }).click();
    await expect(page).toHaveURL(/q=nothing/);
    await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible();
  };

  base('a page whose script never loads works', async ({ page }) => {
    await signIn(page, 'publisher');
    const loads = countLoads(page);
    await openOfEarlierBuild(page, '/billing/settings', -1);
    await expect.poll(() => loads.count).toBe(2);
    await page.waitForLoadState('networkidle');
    expect(loads.count).toBe(2);
    await page.unrouteAll();
    await works(page);
  });

  base('a page without WebAssembly files reloads once, works', async ({ page }) => {
    await signIn(page, 'publisher');
    await page.route('**/*.wasm', (route) => route.abort());
    const loads = countLoads(page);
    await page.goto('/billing/settings');
    await expect.poll(() => loads.count).toBe(2);
    await page.waitForLoadState('networkidle');
    expect(loads.count).toBe(2);
    await works(page);
    await expect(page.locator('html[data-hydrated]')).toHaveCount(0);
  });

  base('a browser without WebAssembly does not reload', async ({ page }) => {
    await page.addInitScript(() => delete (window as any).WebAssembly);
    await signIn(page, 'publisher');
    const loads = countLoads(page);
    await page.goto('/billing/settings');
    await page.waitForLoadState('networkidle');
    expect(loads.count).toBe(1);
    await works(page);
  });

  base.describe('without JavaScript', () => {
    base.use({ javaScriptEnabled: false });
    base('a page works', async ({ page }) => {
      await signIn(page, 'publisher');
      await works(page);
    });
  });
});
