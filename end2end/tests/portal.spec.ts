// To Stripe's customer portal and back. The Stripe stand-in's portal is a page with a link back.
import { expect as expectBare, test as bare, type Page } from '@playwright/test';
import { expect, hydrated, signIn, test } from './support';

const STRIPE = 'http://127.0.0.1:3102';

/** The customer that Stripe must know; the stand-in has no other objects of the demo. */
async function seed(page: Page) {
  const headers = { authorization: 'Bearer sk_test_of_the_browser_tests' };
  const answer = await page.request.post(`${STRIPE}/_objects`, { headers, data: [{ id: 'cus_demo_lumen', object: 'customer', created: 1_750_000_000 }] });
  expect(answer.status()).toBe(200);
}

async function thereAndBack(page: Page, javaScript: boolean) {
  await seed(page);
  await signIn(page, 'publisher');
  await page.goto('/billing/invoices');
  if (javaScript) await hydrated(page);
  await page.getByRole('button', { name: 'Manage payment method' }).click();
  await expect(page).toHaveURL(/^http:\/\/127\.0\.0\.1:3102\/p\/session\/bps_/);
  await expect(page.getByRole('heading', { name: 'Customer portal' })).toBeVisible();
  await expect(page.getByText('cus_demo_lumen')).toBeVisible();
  await page.getByRole('link', { name: 'Return' }).click();
  await expect(page).toHaveURL('/billing/invoices');
  // Still signed in, and no error.
  await expect(page.getByRole('heading', { level: 1, name: 'Invoices' })).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
}

test('the portal opens and returns', ({ page }) => thereAndBack(page, true));

test('read-only users are not offered the portal', async ({ page }) => {
  await signIn(page, 'readonly');
  await page.goto('/billing/invoices');
  await expect(page.getByRole('table').first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Manage payment method' })).toHaveCount(0);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the portal opens and returns', ({ page }) => thereAndBack(page, false));
});

// This test checks for CSP violations, so it uses the plain test.
bare('forms lead to ourselves and to the portal, and nowhere else', async ({ page }) => {
  await signIn(page, 'publisher');
  const answer = await page.goto('/billing/invoices');
  const policy = answer!.headers()['content-security-policy'];
  expectBare(policy.split(';').map((part) => part.trim()).filter((part) => part.startsWith('form-action'))).toEqual([`form-action 'self' ${STRIPE}`]);
  const stopped = await page.evaluate(
    (elsewhere) =>
      new Promise<string>((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) => resolve(`${event.effectiveDirective} ${event.blockedURI} at ${location.pathname}`));
        const form = document.createElement('form');
        form.method = 'post';
        form.action = elsewhere;
        document.body.append(form);
        form.submit();
      }),
    'http://127.0.0.1:3101/elsewhere',
  );
  expectBare(stopped).toBe('form-action http://127.0.0.1:3101/elsewhere at /billing/invoices');
});
