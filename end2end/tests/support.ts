// Shared by all journeys: logins, and a console that must stay silent.
import { test as base, expect, type Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Stripe from 'stripe';

export const test = base.extend<{ silentConsole: void }>({
  // A hydration warning is a bug: it fails the test.
  silentConsole: [
    async ({ page, javaScriptEnabled }, use) => {
      const said: string[] = [];
      page.on('console', (message) => {
        const expected = message.text().startsWith('Failed to load resource')
          // Without JavaScript nothing uses the preloaded code.
          || (!javaScriptEnabled && message.text().includes('was preloaded using link preload but not used'));
        if (['error', 'warning'].includes(message.type()) && !expected) said.push(message.text());
      });
      // A violation of the page's own content security policy is a bug.
      await page.exposeFunction('policyViolation', (what: string) => said.push(what));
      await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) =>
          (window as any).policyViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample} at ${location.pathname}`));
      });
      page.on('pageerror', (error) => {
        // A test is faster than the fade into a page: its next navigation skips it. Chromium
        // reports that as an error, which pages ignore once their script runs
        // (src/islands/boot.js).
        if (error.message !== 'Transition was skipped') said.push(error.message);
      });
      await use();
      expect(said).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export type Person = 'admin' | 'publisher' | 'readonly';

export async function signIn(page: Page, person: Person) {
  await signInAs(page, { email: `${person}@demo.test`, password: process.env.APEX_E2E_PASSWORD! });
}

/** A staff user for one test, whose account it may change. */
export function addPerson(name: string) {
  const person = { email: `${name}-${process.pid}-${Date.now()}@demo.test`, password: 'until it is changed' };
  execFileSync(process.env.APEX_E2E_BINARY!, ['user', 'add', person.email, '--role', 'admin'], {
    cwd: process.env.APEX_E2E_DIR!,
    env: { ...process.env, DATABASE_URL: process.env.TEST_E2E_DATABASE_URL ?? '', RUST_LOG: 'warn' },
    input: person.password,
  });
  return person;
}

export async function signInAs(page: Page, { email, password }: { email: string; password: string }) {
  await page.goto('/login');
  // By ids: the page may be in any language.
  await page.locator('#email').fill(email);
  await page.locator('#password').fill(password);
  await page.locator('form[action="/api/v1/auth/login"] button').click();
  await expect(page).toHaveURL(/\/billing\/usage$/);
}

/** Resolves once the page is hydrated. */
export async function hydrated(page: Page) {
  await expect(page.locator('html[data-hydrated]')).toBeAttached();
}

/** The demo's secrets, as `make run` prints them. */
export function demo(): { api_key: string } {
  return JSON.parse(readFileSync(join(process.env.APEX_E2E_DIR!, '.data/demo.json'), 'utf8'));
}

/** Delivers an event signed by Stripe's own library. */
export async function deliver(page: Page, event: object) {
  const payload = JSON.stringify(event);
  const stripe = new Stripe('sk_test_signs_only');
  const signature = await stripe.webhooks.generateTestHeaderStringAsync({ payload, secret: process.env.APEX_E2E_WEBHOOK_SECRET! });
  return page.request.post('/api/v1/webhooks/stripe', {
    headers: { 'stripe-signature': signature, 'content-type': 'application/json' },
    data: Buffer.from(payload),
  });
}

/** An invoice event of the second demo customer, in a current API version. */
export function invoiceEvent(id: string, type: string, created: number, invoice: object) {
  return {
    id: `evt_${id}_${type.replace(/\W/g, '_')}`,
    object: 'event',
    api_version: '2026-07-29.dahlia',
    created,
    livemode: false,
    type,
    data: {
      object: {
        id: `in_${id}`,
        object: 'invoice',
        customer: 'cus_demo_kisetsu',
        customer_name: 'Kisetsu Apps',
        currency: 'jpy',
        livemode: false,
        created,
        period_start: created - 2_592_000,
        period_end: created,
        subtotal: 4200,
        total: 4200,
        amount_due: 4200,
        amount_paid: 0,
        amount_remaining: 4200,
        attempt_count: 0,
        lines: {
          object: 'list',
          has_more: false,
          data: [{ id: `il_${id}`, object: 'line_item', amount: 4200, currency: 'jpy', description: 'Setup help', quantity: 1, period: { start: created - 2_592_000, end: created } }],
        },
        status_transitions: {},
        ...invoice,
      },
    },
  };
}
