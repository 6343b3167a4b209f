// Stripe's side of the reconciliation benchmark: lists of N customers and invoices in the shape of
// Stripe's fixtures, generated on request. Every other list is empty. Usage: node stripe-lists.cjs
// INVOICES CUSTOMERS NEWEST
//
// scripts/bench/reconcile.sh fills the mirror by the same rules: invoice n belongs to customer n %
// CUSTOMERS, was created at NEWEST - 20 * floor(n / 2), so that two share a second, and has two
// lines: 1000 and n % 5000.
'use strict';

const http = require('node:http');
const [invoices, customers, newest] = process.argv.slice(2).map(Number);
const fixture = require('./fixtures.json').invoice;

const padded = (n) => String(n).padStart(9, '0');
const made = (n) => newest - 20 * Math.floor(n / 2);
// The newest has the greatest id, as in the mirror's order. Within a second, Stripe's order is
// undefined.
const invoiceId = (n) => `in_bench${padded(invoices - 1 - n)}`;
const customerId = (n) => `cus_bench${padded(n)}`;

const line = (id, amount) => ({ ...fixture.lines.data[0], id, invoice: '@id', amount, subtotal: amount });
const shape = {
  ...fixture,
  id: '@id',
  customer: '@customer',
  number: '@number',
  created: '@created',
  status: 'paid',
  subtotal: '@total',
  subtotal_excluding_tax: '@total',
  total: '@total',
  total_excluding_tax: '@total',
  amount_due: '@total',
  amount_paid: '@total',
  amount_remaining: 0,
  ending_balance: 0,
  lines: { ...fixture.lines, url: '/v1/invoices/@id/lines', data: [line('@firstline', 1000), line('@secondline', '@usage')] },
};
const numbers = ['created', 'total', 'usage'];
const parts = JSON.stringify(shape)
  .replace(new RegExp(`"@(${numbers.join('|')})"`, 'g'), '@$1')
  .split(/@(id|customer|number|created|total|usage|firstline|secondline)\b/);

const invoice = (n) => {
  const id = invoiceId(n);
  const values = {
    id,
    customer: customerId(n % customers),
    number: `BENCH-${padded(n)}`,
    created: made(n),
    usage: n % 5000,
    total: 1000 + (n % 5000),
    firstline: `il_${id}_0`,
    secondline: `il_${id}_1`,
  };
  let text = parts[0];
  for (let at = 1; at < parts.length; at += 2) text += values[parts[at]] + parts[at + 1];
  return text;
};
const customer = (n) => JSON.stringify({ id: customerId(n), object: 'customer', created: newest, balance: 0, currency: 'usd', livemode: false, metadata: {}, name: `Customer ${n}` });

// A page of `total` objects, newest first: number 0 is the newest.
const page = (query, total, numberOf, write, first) => {
  const limit = Number(query.get('limit') ?? 10);
  const after = query.get('starting_after');
  const from = after === null ? first : numberOf(after) + 1;
  const until = Math.min(from + limit, total);
  const objects = [];
  for (let n = from; n < until; n += 1) objects.push(write(n));
  return `{"object":"list","has_more":${until < total},"url":"/v1","data":[${objects.join(',')}]}`;
};

const server = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://bench');
  let body = '{"object":"list","has_more":false,"url":"/v1","data":[]}';
  if (pathname === '/v1/invoices') {
    const before = Number(searchParams.get('created[lt]') ?? Infinity);
    const first = newest < before ? 0 : 2 * (Math.floor((newest - before) / 20) + 1);
    body = page(searchParams, invoices, (id) => invoices - 1 - Number(id.slice(8)), invoice, first);
  } else if (pathname === '/v1/customers') {
    body = page(searchParams, customers, (id) => Number(id.slice(9)), customer, 0);
  }
  const bytes = Buffer.from(body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
