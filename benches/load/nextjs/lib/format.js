// Money and dates as the console writes them: src/domain/money.rs, src/domain/format.rs.

const ZERO_DECIMAL = ['bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf'];
const THREE_DECIMAL = ['bhd', 'jod', 'kwd', 'omr', 'tnd'];
const SYMBOLS = { usd: '$', eur: '€', gbp: '£', jpy: '¥', inr: '₹', krw: '₩' };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ',');

export function money(amount, currency) {
  const places = ZERO_DECIMAL.includes(currency) ? 0 : THREE_DECIMAL.includes(currency) ? 3 : 2;
  const digits = String(Math.abs(amount)).padStart(places + 1, '0');
  const whole = grouped(digits.slice(0, digits.length - places));
  const number = places === 0 ? whole : `${whole}.${digits.slice(-places)}`;
  const sign = amount < 0 ? '-' : '';
  return SYMBOLS[currency] ? `${sign}${SYMBOLS[currency]}${number}` : `${sign}${currency.toUpperCase()}\u00a0${number}`;
}

export const dayMonth = (at) => `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
export const date = (at) => `${dayMonth(at)} ${at.getUTCFullYear()}`;
export const machine = (at) => `${at.toISOString().slice(0, 19)}Z`;

/** A period that ends at midnight ends on the previous day. */
export function period(start, end) {
  const last = new Date(end.getTime() - 1);
  const sameYear = start.getUTCFullYear() === last.getUTCFullYear();
  const sameMonth = sameYear && start.getUTCMonth() === last.getUTCMonth();
  if (sameMonth && start.getUTCDate() === last.getUTCDate()) return date(last);
  if (sameMonth) return `${start.getUTCDate()} – ${date(last)}`;
  return `${sameYear ? dayMonth(start) : date(start)} – ${date(last)}`;
}

export const counted = (count, noun) => `${grouped(String(count))} ${noun}${count === 1 ? '' : 's'}`;
