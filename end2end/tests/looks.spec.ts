// For every page, in both themes: axe finds nothing, a small phone needs no horizontal scrolling,
// and the page starts at its top.
import AxeBuilder from '@axe-core/playwright';
import { expect, signIn, test } from './support';

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [device, viewport] of [['desktop', { width: 1280, height: 800 }], ['phone', { width: 360, height: 740 }]] as const) {
    test(`pages are accessible and fit, ${colorScheme}, ${device}`, async ({ page }) => {
      // Some twenty pages, each fully checked.
      test.setTimeout(180_000);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      const sound = async (what: string) => {
        const found = await new AxeBuilder({ page }).analyze();
        expect(found.violations.map((violation) => `${what}: ${violation.id} ${violation.nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(overflow, what).toBeLessThanOrEqual(0);
      };
      const check = async (path: string) => {
        await page.goto(path);
        // A redirect would check another page instead.
        expect(page.url()).toBe(new URL(path, 'http://127.0.0.1:3100').href);
        expect(await page.evaluate(() => scrollY), `${path} begins at its top`).toBe(0);
        await sound(path);
      };
      await check('/login');
      await check('/login?error=invalid_credentials');
      await check('/login?error=login_throttled&wait=40');
      await check('/login?step=code&error=invalid_code');
      const pages = ['/billing/usage', '/billing/usage?by=app', '/billing/invoices', '/billing/invoices?status=foo', '/billing/settings', '/billing/settings?done=alerts', '/account', '/nothing'];
      await signIn(page, 'admin');
      const list = await (await page.request.get('/api/v1/billing/invoices?status=open')).json();
      pages.push(`/billing/invoices/${list.invoices[0].id}`);
      const inbox = await (await page.request.get('/api/v1/admin/webhooks?type=invoice.paid')).json();
      pages.push('/admin/features', '/admin/features?refused=not_found', '/admin/webhooks', '/admin/webhooks?status=dead', `/admin/webhooks/${inbox.events[0].id}`);
      pages.push('/admin/audit', '/admin/audit?from=yesterday', '/admin/audit?q=nothing+says+this', '/admin/customers', '/admin/customers?q=unmatched');
      for (const path of pages) await check(path);
      // Open the entries, and the banner above the page.
      await page.goto('/admin/audit?type=user.');
      await page.locator('details').evaluateAll((all) => all.forEach((one) => one.setAttribute('open', '')));
      await sound('/admin/audit, open');
      const customers = await (await page.request.get('/api/v1/admin/customers')).json();
      await page.request.post('/api/v1/admin/view-as', { data: { customer_id: customers.customers[0].id } });
      for (const path of ['/billing/usage', '/billing/settings', '/admin/customers']) await check(path);
    });
  }
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the API page is accessible, self-contained, ${colorScheme}`, async ({ page }) => {
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).host));
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto('/api/v1/docs');
    const check = async (what: string) => {
      const found = await new AxeBuilder({ page }).analyze();
      expect(found.violations.map((violation) => `${what}: ${violation.id} ${violation.nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
    };
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    const head = await page.locator('.docs-head a').boundingBox();
    expect(head!.x).toBeGreaterThanOrEqual(16);
    expect(head!.y).toBeGreaterThanOrEqual(8);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await check('closed');
    // With everything open, axe needs more than a minute, so only the layout is checked.
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = ['post_usage_events', 'schema-UsageEventDraft'].includes(details.querySelector('.docs-part')!.id))));
    await expect(page.locator('details[open]')).toHaveCount(2);
    await check('open');
    expect(await page.locator('.docs-example').first().evaluate((example) => getComputedStyle(example).overflowX)).toBe('auto');
    expect([...hosts]).toEqual([new URL(page.url()).host]);
  });
}
