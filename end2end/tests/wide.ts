// A customer whose names, numbers and amounts are as long as they can be, to test layouts.
import { expect, type Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { deliver } from './support';

/** Without any place to break. */
const NAME = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft';
const LONG = '0123456789abcdefghijklmnopqrstuvwxyz';
const DAY = 86_400;
/** 15 digits: the longest amount that JavaScript clients can read. */
const AMOUNT = 999_999_999_999_999;

export type Wide = {
  person: { email: string; password: string };
  customer: string;
  name: string;
  /** Paths of pages with its data. */
  invoices: string[];
  event: string;
};

function cli(args: string[], input = '') {
  return execFileSync(process.env.APEX_E2E_BINARY!, args, {
    cwd: process.env.APEX_E2E_DIR!,
    env: { ...process.env, DATABASE_URL: process.env.TEST_E2E_DATABASE_URL ?? '', RUST_LOG: 'warn' },
    input,
    encoding: 'utf8',
  }).trim();
}

/** Adds the customer with a user, usage, alerts, contacts and invoices. */
export async function addWideCustomer(page: Page): Promise<Wide> {
  const suffix = `${process.pid}${Date.now()}`;
  const stripe = `cus_wide_${suffix}_${LONG}`;
  const person = { email: `${LONG}-${suffix}@publisher-with-a-long-name.example`, password: 'as long as the names' };
  const name = `${NAME}-${suffix}`;
  const customer = cli(['customer', 'add', '--stripe-id', stripe, '--name', name, '--email', person.email, '--currency', 'jpy']).split(/\s+/).at(-1)!;
  cli(['user', 'add', person.email, '--role', 'publisher', '--customer', customer], person.password);
  const key = cli(['api-key', 'create', '--customer', customer, '--name', NAME]).match(/apex_[0-9a-f]+/)![0];

  const now = Math.floor(Date.now() / 1000);
  const events: object[] = [];
  const plan = { id: `price_${suffix}`, object: 'price', currency: 'jpy', unit_amount: 15_000, nickname: 'Starter', metadata: { plan_type: 'starter' }, product: `prod_${suffix}`, type: 'recurring', billing_scheme: 'per_unit', recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed' } };
  events.push(event(`${suffix}_subscription`, 'customer.subscription.created', now - 12 * DAY, {
    id: `sub_${suffix}`, object: 'subscription', customer: stripe, status: 'past_due', currency: 'jpy', livemode: false,
    created: now - 12 * DAY, start_date: now - 12 * DAY, cancel_at: now + 90 * DAY, cancel_at_period_end: false, metadata: { plan_type: 'starter' },
    items: { object: 'list', has_more: false, data: [{ id: `si_${suffix}`, object: 'subscription_item', subscription: `sub_${suffix}`, quantity: 1, current_period_start: now - 12 * DAY, current_period_end: now + 18 * DAY, price: plan, metadata: {} }] },
  }));
  const invoices: string[] = [];
  const invoice = (index: number, currency: string, more: object) => {
    const id = `in_wide_${suffix}_${index}`;
    const created = now - (20 + 3 * index) * DAY;
    const line = (line: number, description: string) => ({
      id: `il_${suffix}_${index}_${line}`, object: 'line_item', amount: AMOUNT, currency, description, quantity: 1, livemode: false,
      period: { start: created - 30 * DAY, end: created }, pricing: { type: 'price_details', unit_amount_decimal: String(AMOUNT) },
    });
    invoices.push(`/billing/invoices/${id}`);
    const object = {
      id, object: 'invoice', customer: stripe, customer_name: NAME, customer_email: person.email, currency, livemode: false, created,
      customer_address: { line1: `${NAME} 1234567`, line2: LONG, city: NAME, postal_code: '1234567890', state: NAME, country: 'KW' },
      customer_tax_ids: [{ type: 'eu_vat', value: `DE${LONG}` }],
      number: `${LONG.toUpperCase()}-${String(index).padStart(4, '0')}`,
      description: `${LONG}${LONG}${LONG}`, footer: `${LONG}${LONG}${LONG}`, custom_fields: [{ name: LONG, value: LONG }],
      period_start: created - 30 * DAY, period_end: created, status: 'open', due_date: created + 10 * DAY,
      subtotal: AMOUNT, total: AMOUNT, amount_due: AMOUNT, amount_paid: 0, amount_remaining: AMOUNT, attempt_count: 1,
      hosted_invoice_url: 'https://invoice.stripe.com/i/wide', status_transitions: { finalized_at: created + 3600 },
      lines: { object: 'list', has_more: false, data: [line(1, `${LONG}${LONG}${LONG}`), line(2, 'Impressions over the included quantity, per started 1,000 impressions and for the whole of the period')] },
      ...more,
    };
    events.push(event(`${suffix}_${index}`, 'invoice.finalized', created + 3600, object));
    return object;
  };
  invoice(1, 'kwd', {});
  invoice(2, 'jpy', { status: 'uncollectible', due_date: now - 2 * DAY });
  invoice(3, 'jpy', { status: 'draft', number: null, due_date: null, status_transitions: {} });
  for (const one of events) {
    const answer = await deliver(page, one);
    expect(answer.status(), await answer.text()).toBe(200);
  }

  // The largest quantities of an event, often enough for 15 digits.
  const usage = [];
  for (let number = 0; number < 900; number++) {
    const [metric, quantity] = number % 9 ? ['impressions', 1e12] : number % 2 ? ['api_calls', 1e12] : ['data_transfer_bytes', 1e15];
    const day = (number * number) % 11;
    usage.push({ id: `${suffix}-${number}`, metric, quantity, timestamp: new Date((now - day * DAY - 600) * 1000).toISOString(), app_id: number % 5 ? `${NAME.slice(0, 40)}${LONG}${LONG}` : 'app.with.a.bundle.id', properties: {} });
  }
  const sent = await page.request.post('/api/v1/usage/events', { headers: { authorization: `Bearer ${key}` }, data: usage });
  expect(await sent.json()).toMatchObject({ accepted: usage.length });
  return { person, customer, name, invoices, event: `/admin/webhooks/evt_wide_${suffix}_1` };
}

function event(id: string, type: string, created: number, object: object) {
  return { id: `evt_wide_${id}`, object: 'event', api_version: '2026-07-29.dahlia', created, livemode: false, type, data: { object } };
}
