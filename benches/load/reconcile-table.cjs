// Prints a table of the runs: medians over the rounds.
'use strict';

const measured = require('node:fs').readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const counts = [...new Set(measured.map((one) => one.invoices))];
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const of = (count, key) => median(measured.filter((one) => one.invoices === count).map((one) => one[key]));
const rows = [['invoices', 'seconds', 'invoices/s', 'peak MB', "s at Stripe's 100 calls/s, at least"]];
for (const count of counts) {
  const seconds = of(count, 'seconds');
  rows.push([String(count), seconds.toFixed(2), (count / seconds).toFixed(0), of(count, 'peak_mb').toFixed(0), (count / 100 / 100).toFixed(1)]);
}
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
console.log(`\napex-billing reconcile: medians of ${measured.length / counts.length} rounds.\n`);
rows.forEach((row, at) => {
  console.log(`| ${row.map((cell, column) => cell.padStart(widths[column])).join(' | ')} |`);
  if (at === 0) console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
});
const last = counts[counts.length - 1];
const [seconds, peak] = [of(last, 'seconds') * (1_000_000 / last), of(last, 'peak_mb')];
console.log(`\nGoal: a million in less than 60 s with less than 200 MB: ${last === 1_000_000 ? '' : 'by the last row '}${seconds.toFixed(1)} s, ${peak.toFixed(0)} MB, ${seconds < 60 && peak < 200 ? 'met' : 'missed'}.`);
if (counts.length > 1) {
  const before = counts[counts.length - 2];
  console.log(`${last / before} times the invoices take ${(of(last, 'seconds') / of(before, 'seconds')).toFixed(1)} times as long.`);
}
