// Prints a table of the driver's lines (`SIDE {json}` each): medians over the rounds, and each
// store compared with a direct insert.
'use strict';

const lines = require('node:fs').readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean);
const all = lines.map((line) => ({ side: line.slice(0, line.indexOf(' ')), ...JSON.parse(line.slice(line.indexOf(' '))) }));
const measured = all.filter((one) => one.connections);
const bytes = Object.fromEntries(all.filter((one) => one.bytes).map((one) => [one.side, one.bytes]));
const counts = [...new Set(measured.map((one) => one.connections))];
const pairs = [['postgres', 'copy'], ['clickhouse', 'client']].filter(([ours]) => measured.some((one) => one.side === ours));

const median = (values) => {
  const sorted = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const of = (side, count, key) => median(measured.filter((one) => one.side === side && one.connections === count).map((one) => one[key]));
const number = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '');

const columns = [
  ['events_per_second', 'events/s', 0],
  ['shipped_per_second', 'in the store events/s', 0],
  ['p50_ms', 'p50 ms', 1],
  ['p95_ms', 'p95 ms', 1],
  ['server_cpu_us', 'server CPU µs', 2],
  ['store_cpu_us', 'store CPU µs', 2],
  ['driver_cpu_us', 'driver CPU µs', 2],
];
const names = { postgres: 'HTTP into PostgreSQL', copy: 'raw COPY', clickhouse: 'HTTP into ClickHouse', client: 'bare clickhouse client' };
const rows = [['connections', 'way', ...columns.map(([, title]) => title), 'bytes/event']];
for (const [ours, bare] of pairs) {
  for (const count of counts) {
    for (const side of [ours, bare]) rows.push([String(count), names[side], ...columns.map(([key, , digits]) => number(of(side, count, key), digits)), String(bytes[side] ?? '')]);
    const ratios = columns.map(([key]) => {
      const other = key === 'shipped_per_second' ? 'events_per_second' : key;
      return number(of(ours, count, key) / of(bare, count, other), 2);
    });
    rows.push([String(count), `${ours} / ${bare}`, ...ratios, number(bytes[ours] / bytes[bare], 2)]);
  }
}
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
const { events, size } = measured[0];
const rounds = measured.filter((one) => one.side === measured[0].side && one.connections === counts[0]).length;
console.log(`\nMedians of ${rounds} rounds, ${events} events each in batches of ${size}; CPU is per event, PostgreSQL's for HTTP.\n`);
rows.forEach((row, at) => {
  console.log(`| ${row.map((cell, column) => (column === 1 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`);
  if (at === 0) console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
});

console.log();
const best = (side, key) => Math.max(...counts.map((count) => of(side, count, key)));
const verdict = (met) => (met ? 'met' : 'missed');
for (const [ours, bare] of pairs) {
  const [taken, raw] = [best(ours, 'events_per_second'), best(bare, 'events_per_second')];
  if (ours === 'postgres') console.log(`Goal for PostgreSQL, at best: ${taken.toFixed(0)} events/s of at least 60000: ${verdict(taken >= 60000)}.`);
  const reached = ours === 'clickhouse' ? best(ours, 'shipped_per_second') : taken;
  console.log(`Goal for ${ours}, at best: ${(reached / raw).toFixed(2)} x the ${names[bare]} of at least 0.80: ${verdict(reached / raw >= 0.8)}.`);
}
