// Takes the pictures of docs/screenshots in Chromium; scripts/screenshots.sh starts the demo.
//   node screenshots.mjs BASE PASSWORD FOLDER
import { chromium } from '@playwright/test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [base, password, folder] = process.argv.slice(2);
const SCHEMES = ['light', 'dark'];
// README stays quick to load.
const MAX_BYTES = 150_000;
const UNUSUAL = ['overpaid', 'paid_outside_stripe', 'credit_notes', 'refunded', 'credited_after_payment', 'pretax_credits'];
const desktop = { width: 1280, height: 1030 };
const phone = { width: 390, height: 844 };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Text looks the same on every screen: no subpixels, no hinting.
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-lcd-text', '--font-render-hinting=none', '--force-color-profile=srgb'],
});

async function signedIn(person, colorScheme, viewport) {
  const context = await browser.newContext({ baseURL: base, colorScheme, viewport, deviceScaleFactor: 1.5, locale: 'en-US', timezoneId: 'UTC', reducedMotion: 'reduce' });
  const answer = await context.request.post('/api/v1/auth/login', { data: { email: `${person}@demo.test`, password } });
  if (!answer.ok()) throw new Error(`signing in as ${person}: ${answer.status()} ${await answer.text()}`);
  return context;
}

async function json(context, path) {
  const answer = await context.request.get(path);
  if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** Compares everything, and waits for the end of the run. */
async function reconcile(staff) {
  const begun = await staff.request.post('/api/v1/admin/reconciliations', { data: {} });
  if (!begun.ok()) throw new Error(`reconciling: ${begun.status()} ${await begun.text()}`);
  for (const end = Date.now() + 120_000; ;) {
    const { reconciliations: [run] } = await json(staff, '/api/v1/admin/reconciliations');
    if (run.status === 'completed') return run;
    if (run.status !== 'running') throw new Error(`the reconciliation ended as ${run.status}`);
    if (Date.now() > end) throw new Error('the reconciliation did not end within two minutes');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/**
 * A run that finds several kinds of discrepancies. An invoice that is missing here fills a page by
 * itself with all its fields, so it is repaired before.
 */
async function run(staff) {
  const { id } = await reconcile(staff);
  const { discrepancies } = await json(staff, `/api/v1/admin/reconciliations/${id}?kind=missing_locally`);
  for (const { id: discrepancy } of discrepancies.filter((found) => found.object === 'invoice')) {
    const path = `/api/v1/admin/reconciliations/${id}/discrepancies/${discrepancy}/repair`;
    const repaired = await staff.request.post(path);
    if (!repaired.ok()) throw new Error(`${path}: ${repaired.status()} ${await repaired.text()}`);
  }
  return (await reconcile(staff)).id;
}

/** The newest paid invoice that bills overage and was paid through Stripe, as most are. */
async function usualInvoice(publisher) {
  const { invoices } = await json(publisher, '/api/v1/billing/invoices?status=paid&limit=100');
  for (const { id } of invoices) {
    const invoice = await json(publisher, `/api/v1/billing/invoices/${id}`);
    const kinds = invoice.sums.map((row) => row.kind);
    if (invoice.line_items.length > 1 && kinds.includes('discount') && !kinds.some((kind) => UNUSUAL.includes(kind))) return id;
  }
  throw new Error('the demo has no paid invoice with overage');
}

async function picture(context, path, name) {
  const page = await context.newPage();
  await page.goto(path, { waitUntil: 'networkidle' });
  await page.locator('html[data-hydrated]').waitFor({ state: 'attached' });
  await page.evaluate(() => document.fonts.ready);
  // Playwright's own screenshots are PNG or JPEG; WebP is a third of the size.
  const devtools = await context.newCDPSession(page);
  const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: 90 });
  await page.close();
  const image = Buffer.from(data, 'base64');
  if (image.length > MAX_BYTES) throw new Error(`${name}.webp has ${image.length} bytes, more than ${MAX_BYTES}`);
  writeFileSync(join(folder, `${name}.webp`), image);
  console.log(`    ${name}.webp  ${Math.ceil(image.length / 1000)} kB`);
}

const staff = await signedIn('admin', 'light', desktop);
const compared = await run(staff);
await staff.close();
for (const scheme of SCHEMES) {
  const publisher = await signedIn('publisher', scheme, desktop);
  await picture(publisher, '/billing/usage', `usage-${scheme}`);
  await picture(publisher, `/billing/invoices/${await usualInvoice(publisher)}`, `invoice-${scheme}`);
  await publisher.close();
  const staff = await signedIn('admin', scheme, desktop);
  await picture(staff, `/admin/reconciliation/${compared}`, `reconciliation-${scheme}`);
  await staff.close();
  const pocket = await signedIn('publisher', scheme, phone);
  await picture(pocket, '/billing/usage', `phone-${scheme}`);
  await pocket.close();
}
await browser.close();
