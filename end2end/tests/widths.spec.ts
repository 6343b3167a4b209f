// Every page at every width, with the longest names, numbers and amounts, in every language:
// nothing overflows, is cut or overlaps. Also: zoom, phones, print, and what a page loads.
import type { Page } from '@playwright/test';
import { request as http } from 'node:http';
import { brotliDecompressSync } from 'node:zlib';
import { coveringParts, layoutFaults } from './layout';
import { expect, invoiceEvent, signIn, signInAs, test } from './support';
import { addWideCustomer, type Wide } from './wide';

/** Preferred languages of the browser. */
const LANGUAGES = ['en-US', 'de-DE', 'fr-FR'];
const WIDTHS = Array.from({ length: (3840 - 320) / 20 + 1 }, (_, step) => 320 + 20 * step);
const STRIPE = 'http://127.0.0.1:3102';

/** Pages before login. */
const OUTSIDE = ['/login', '/login?error=invalid_credentials', '/login?error=login_throttled&wait=40', '/login?step=code&error=invalid_code', '/nothing'];

/** The customer's pages, and error pages within the frame. */
const ofCustomer = (wide: Wide) => [
  '/billing/usage', '/billing/usage?by=app&metric=data_transfer_bytes', '/billing/invoices', '/billing/invoices?status=draft&q=none&from=2026-01-01', '/billing/invoices?status=foo',
  ...wide.invoices, '/billing/invoices/in_unknown', '/billing/settings', '/billing/settings?done=alerts', '/account', '/admin/audit',
];

const ofStaff = (wide: Wide, run: string) => [
  '/admin/customers?limit=5', '/admin/customers?q=unmatched', '/admin/reconciliation?limit=5', run, '/admin/webhooks?limit=5', '/admin/webhooks?status=foo', wide.event,
  '/admin/webhooks/evt_unknown', '/admin/audit?limit=5', '/admin/audit?q=nothing+says+this', '/admin/features', '/admin/features?refused=not_found',
];

for (const locale of LANGUAGES) {
  test.describe(`every width, ${locale}`, () => {
    test.describe.configure({ mode: 'serial', timeout: 180_000 });
    test.use({ locale, contextOptions: { reducedMotion: 'reduce' } });
    let wide: Wide;

    const expectNoFaults = async (page: Page, paths: string[]) => {
      const faults: string[] = [];
      for (const path of paths) {
        faults.push(...(await page.evaluate(layoutFaults, { path, widths: WIDTHS, height: 800 })));
        faults.push(...(await page.evaluate(layoutFaults, { path, widths: WIDTHS.filter((_, index) => index % 3 === 0), height: 800, open: true })));
      }
      expect(faults).toEqual([]);
    };

    test('the pages before login fit', async ({ page }) => {
      await page.goto('/nothing');
      await expectNoFaults(page, OUTSIDE);
    });

    test('the pages of a customer fit', async ({ page }) => {
      wide = await addWideCustomer(page);
      await signInAs(page, wide.person);
      await expectNoFaults(page, ofCustomer(wide));
    });

    test('the pages of staff fit', async ({ page }) => {
      await signIn(page, 'admin');
      await expectNoFaults(page, ofStaff(wide, await reconcile(page)));
      expect((await page.request.post('/api/v1/admin/view-as', { data: { customer_id: wide.customer } })).ok()).toBe(true);
      await expectNoFaults(page, ['/billing/usage', '/billing/settings']);
    });
  });
}

/** The page of a run that finds a missing invoice of 15 digits. */
async function reconcile(page: Page) {
  const now = Math.floor(Date.now() / 1000);
  const missed = invoiceEvent(`wide${now}`, 'invoice.created', now, { status: 'open', number: `W-${now}`, total: 999_999_999_999_999 }).data.object;
  const customers = ['cus_demo_lumen', 'cus_demo_kisetsu'].map((id) => ({ id, object: 'customer', created: 1_750_000_000 }));
  expect((await page.request.post(`${STRIPE}/_objects`, { data: [...customers, missed] })).ok()).toBe(true);
  let id = '';
  // Another test's run may be in progress.
  await expect(async () => {
    const begun = await page.request.post('/api/v1/admin/reconciliations', { data: { from: new Date((now - 86_400) * 1000).toISOString().slice(0, 10) } });
    expect(begun.ok()).toBe(true);
    id = (await begun.json()).reconciliation_id;
  }).toPass({ timeout: 60_000 });
  await expect.poll(async () => (await (await page.request.get(`/api/v1/admin/reconciliations/${id}`)).json()).status, { timeout: 60_000 }).toBe('completed');
  return `/admin/reconciliation/${id}`;
}

test('zoomed to 200 and 400 %, nothing covers the page', async ({ page }) => {
  await signIn(page, 'admin');
  for (const viewport of [{ width: 640, height: 400 }, { width: 320, height: 256 }]) {
    await page.setViewportSize(viewport);
    for (const path of ['/billing/usage', '/billing/invoices', '/billing/settings', '/admin/audit']) {
      await page.goto(path);
      expect(await page.evaluate(coveringParts)).toEqual([]);
    }
  }
});

test('a phone shows invoices first, a whole row opens one', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto('/billing/invoices');
  const rows = page.getByRole('table').locator('tbody tr');
  const second = (await rows.nth(1).boundingBox())!;
  expect(second.y + second.height).toBeLessThan(740);
  const filters = page.locator('.filter-box > summary');
  await expect(filters.locator('.filter-count')).toHaveCount(0);
  await expect(page.getByRole('searchbox')).toBeHidden();
  await filters.click();
  await page.getByRole('searchbox').fill('0');
  await page.getByRole('search').getByRole('button').click();
  await expect(filters.locator('.filter-count')).toHaveText('1');
  await expect(page.getByRole('searchbox')).toBeHidden();
  const box = (await rows.first().boundingBox())!;
  await page.mouse.click(box.x + box.width - 8, box.y + box.height - 14);
  await expect(page).toHaveURL(/\/billing\/invoices\/[^?]+$/);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the filters of a phone open', async ({ page }) => {
    await signIn(page, 'publisher');
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto('/billing/invoices');
    await expect(page.getByRole('searchbox')).toBeHidden();
    await page.locator('.filter-box > summary').click();
    await expect(page.getByRole('searchbox')).toBeVisible();
  });
});

test('metric cards line up, wide screens show three panels', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.setViewportSize({ width: 768, height: 1024 });
  await page.goto('/billing/usage');
  for (const part of ['.figure', '.bar', '.facts > :last-child']) {
    const tops = await page.locator(`.metric ${part}`).evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().top)));
    expect(new Set(tops).size, part).toBe(1);
  }
  await page.setViewportSize({ width: 1920, height: 1080 });
  const panels = await page.locator('.columns > .panel').evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ top, right }) => ({ top: Math.round(top), right })));
  expect(new Set(panels.map(({ top }) => top)).size).toBe(1);
  expect(panels).toHaveLength(3);
  expect(panels[2].right).toBeGreaterThan(1920 - 80);
});

test('the account menu is inside the window', async ({ page }) => {
  await signIn(page, 'admin');
  const customers = await (await page.request.get('/api/v1/admin/customers')).json();
  await page.request.post('/api/v1/admin/view-as', { data: { customer_id: customers.customers[0].id } });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto('/billing/usage');
  for (const scrolled of [0, 400]) {
    await page.evaluate((to) => scrollTo(0, to), scrolled);
    const button = (await page.locator('.account-button').boundingBox())!;
    expect(button.y + button.height).toBeLessThanOrEqual(800);
    const banner = (await page.locator('.viewing').boundingBox())!;
    const sidebar = (await page.locator('.navigation').boundingBox())!;
    expect(Math.round(sidebar.y)).toBe(Math.round(banner.y + banner.height));
  }
});

test('usage prints on two sheets, with a name and a date', async ({ page }) => {
  await signIn(page, 'publisher');
  await page.goto('/billing/usage');
  await page.emulateMedia({ media: 'print' });
  await expect(page.locator('.print-head')).toContainText('Lumen Games');
  await expect(page.locator('.print-head')).toBeVisible();
  const top = async (selector: string) => (await page.locator(selector).boundingBox())!.y;
  expect(await top('.freshness')).toBeLessThan(await top('.verdict'));
  await expect(page.getByRole('main').getByRole('link')).toHaveCount(0);
  await expect(page.getByRole('main').getByRole('button')).toHaveCount(0);
  const pdf = await page.pdf({ format: 'A4' });
  expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)!.length).toBeLessThanOrEqual(2);
  await page.goto(await page.evaluate(async () => `/billing/invoices/${(await (await fetch('/api/v1/billing/invoices?status=open')).json()).invoices[0].id}`));
  await expect(page.getByRole('main').getByRole('link')).toHaveCount(0);
  await expect(page.getByRole('main').getByRole('button')).toHaveCount(0);
});

test('pages do not shift, and load no font', async ({ page }) => {
  const fonts: string[] = [];
  page.on('request', (request) => request.resourceType() === 'font' && fonts.push(request.url()));
  await page.addInitScript(() => {
    (window as any).shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry: any) => ((window as any).shift += entry.value))).observe({ type: 'layout-shift', buffered: true });
  });
  await signIn(page, 'admin');
  for (const viewport of [{ width: 360, height: 740 }, { width: 1280, height: 800 }]) {
    await page.setViewportSize(viewport);
    for (const path of ['/billing/usage', '/billing/invoices', '/billing/settings', '/admin/webhooks', '/admin/customers']) {
      await page.goto(path, { waitUntil: 'networkidle' });
      expect(await page.evaluate(() => (window as any).shift), path).toBe(0);
    }
  }
  expect(fonts).toEqual([]);
});

test('the style sheet is small on the wire', async ({ page }) => {
  await page.goto('/login');
  const href = (await page.locator('link[rel=stylesheet]').getAttribute('href'))!;
  const body = await new Promise<Buffer>((resolve, reject) => {
    http(new URL(href, page.url()), { headers: { 'accept-encoding': 'br' } }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part) => parts.push(part)).on('end', () => (answer.headers['content-encoding'] === 'br' ? resolve(Buffer.concat(parts)) : reject(new Error('the style sheet is not compressed'))));
    }).on('error', reject).end();
  });
  expect(body.length).toBeLessThanOrEqual(10_000);
  expect(brotliDecompressSync(body).toString()).not.toContain('@font-face');
});
