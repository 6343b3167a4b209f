// What holds for every page: nothing for axe to find, nothing wider than a small phone, in both themes.
import AxeBuilder from '@axe-core/playwright';
import { expect, signIn, test } from './support';

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [device, viewport] of [['desktop', { width: 1280, height: 800 }], ['phone', { width: 360, height: 740 }]] as const) {
    test(`pages are accessible and fit, ${colorScheme}, ${device}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await page.goto('/login');
      const pages = ['/login', '/billing/usage', '/billing/invoices', '/billing/invoices?status=foo', '/nothing'];
      await signIn(page, 'admin');
      const list = await (await page.request.get('/api/v1/billing/invoices?status=open')).json();
      pages.push(`/billing/invoices/${list.invoices[0].id}`);
      const inbox = await (await page.request.get('/api/v1/admin/webhooks?type=invoice.paid')).json();
      pages.push('/admin/webhooks', '/admin/webhooks?status=dead', `/admin/webhooks/${inbox.events[0].id}`);
      for (const path of pages) {
        await page.goto(path);
        const found = await new AxeBuilder({ page }).analyze();
        expect(found.violations.map((violation) => `${path}: ${violation.id} ${violation.nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(overflow, path).toBeLessThanOrEqual(0);
      }
    });
  }
}
