// Prints a table of the driver's lines (`SIDE {json}` each): medians over the rounds, this program
// compared with the peer.
'use strict';

const lines = require('node:fs').readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean);
const measured = lines.map((line) => ({ side: line.slice(0, line.indexOf(' ')), ...JSON.parse(line.slice(line.indexOf(' '))) }));
const sides = [...new Set(measured.map((one) => one.side))];
const counts = [...new Set(measured.map((one) => one.connections))];

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const of = (side, connections, key) => median(measured.filter((one) => one.side === side && one.connections === connections).map((one) => one[key]));

const columns = [
  ['events_per_second', 'events/s', 0],
  ['p50_ms', 'p50 ms', 2],
  ['p95_ms', 'p95 ms', 2],
  ['p99_ms', 'p99 ms', 2],
  ['server_cpu_ms', 'server CPU ms', 3],
  ['postgres_cpu_ms', 'PostgreSQL CPU ms', 3],
  ['driver_cpu_ms', 'driver CPU ms', 3],
];
const rows = [['connections', 'side', ...columns.map(([, title]) => title)]];
for (const count of counts) {
  for (const side of sides) rows.push([String(count), side, ...columns.map(([key, , digits]) => of(side, count, key).toFixed(digits))]);
  if (sides.length === 2) {
    const [ours, peer] = sides;
    rows.push([String(count), `${ours} / ${peer}`, ...columns.map(([key]) => (of(ours, count, key) / of(peer, count, key)).toFixed(2))]);
  }
}
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
const { events, body_bytes: bytes } = measured[0];
console.log(`\nMedians of ${measured.filter((one) => one.side === sides[0] && one.connections === counts[0]).length} rounds, ${events} events of ${bytes} bytes each; CPU is per event.\n`);
rows.forEach((row, at) => {
  console.log(`| ${row.map((cell, column) => (column === 1 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`);
  if (at === 0) console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
});

console.log();
for (const count of counts.filter((count) => count >= 16)) {
  if (!sides.includes('ours')) break;
  const cpu = of('ours', count, 'server_cpu_ms');
  const verdicts = [`server CPU ${cpu.toFixed(3)} ms of at most 0.15: ${cpu <= 0.15 ? 'met' : 'missed'}`];
  if (sides.includes('peer')) {
    const ratio = of('ours', count, 'events_per_second') / of('peer', count, 'events_per_second');
    verdicts.unshift(`${ratio.toFixed(2)} x the peer's events/s of at least 5: ${ratio >= 5 ? 'met' : 'missed'}`);
  }
  console.log(`Goal at ${count} connections: ${verdicts.join('; ')}.`);
}
