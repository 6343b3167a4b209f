// Prints a table of the driver's lines: medians over the rounds.
'use strict';

const measured = require('node:fs').readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const counts = [...new Set(measured.map((one) => one.behind))];
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const of = (behind, key) => median(measured.filter((one) => one.behind === behind).map((one) => one[key]));
const rows = [['events behind', 'hourly rows', 'p50 ms', 'p95 ms', 'p99 ms']];
for (const count of counts) rows.push([String(count), String(of(count, 'hours')), ...['p50_ms', 'p95_ms', 'p99_ms'].map((key) => of(count, key).toFixed(2))]);
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
console.log(`\nGET /billing/usage/current: medians of ${measured.length / counts.length} rounds of ${measured[0].requests} requests, one after another.\n`);
rows.forEach((row, at) => {
  console.log(`| ${row.map((cell, column) => cell.padStart(widths[column])).join(' | ')} |`);
  if (at === 0) console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
});
const worst = Math.max(...counts.map((count) => of(count, 'p95_ms')));
console.log(`\nGoal: p95 of ${worst.toFixed(2)} ms of less than 5: ${worst < 5 ? 'met' : 'missed'}.`);
if (counts.length > 1) {
  const [first, last] = [counts[0], counts[counts.length - 1]];
  console.log(`With ${last / first} times the events the p50 is ${(of(last, 'p50_ms') / of(first, 'p50_ms')).toFixed(2)} times what it was.`);
}
