// The first page of a customer's invoices in the usual order, and the amounts due: the statements
// of our server for the same page.

import { statement } from './database';

const newest = statement('invoices/newest.sql');
const due = statement('invoices/totals.sql');

export const PAGE_ROWS = 20;

export async function invoices(customer, page) {
  const [{ rows }, { rows: sums }] = await Promise.all([newest([customer, PAGE_ROWS, (page - 1) * PAGE_ROWS]), due([customer, new Date()])]);
  const totals = sums.map((sum) => ({ currency: sum.currency, open: sum['open!'], overdue: sum['overdue!'] }));
  return { rows, total: rows[0]?.['matches!'] ?? 0, totals };
}
