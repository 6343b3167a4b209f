// Prints the tables of scripts/bench/pages.sh from its lines (`SIDE {json}` each): medians over the
// rounds. Fails if a goal is missed.
'use strict';

const lines = require('node:fs').readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean);
const measured = lines.map((line) => ({ side: line.slice(0, line.indexOf(' ')), ...JSON.parse(line.slice(line.indexOf(' '))) }));
const sides = [...new Set(measured.map((one) => one.side))];
const LIST = '/billing/invoices';
const NEXTJS = 'nextjs';

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const of = (key, which) => {
  const values = measured.filter((one) => key in one && Object.entries(which).every(([name, value]) => one[name] === value));
  return values.length > 0 ? median(values.map((one) => one[key])) : undefined;
};
const distinct = (key) => [...new Set(measured.filter((one) => key in one).map((one) => one[key]))];
const coding = (encoding) => (encoding === 'identity' ? 'identity' : 'as a browser asks');

function print(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  rows.forEach((row, at) => {
    console.log(`| ${row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`);
    if (at === 0) console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  });
}

const columns = [
  ['requests_per_second', 'requests/s', 0],
  ['p50_ms', 'p50 ms', 2],
  ['p99_ms', 'p99 ms', 2],
  ['bytes', 'bytes', 0],
  ['server_cpu_us', 'server CPU µs', 0],
  ['postgres_cpu_us', 'PostgreSQL CPU µs', 0],
  ['server_busy', 'server core', 2],
  ['other_core_busy', 'other core', 2],
];
const rounds = measured.filter((one) => one.side === sides[0] && 'started_ms' in one).length;
for (const path of distinct('path')) {
  const rows = [['side', 'coding', 'connections', ...columns.map(([, title]) => title)]];
  for (const encoding of distinct('encoding')) {
    for (const connections of distinct('connections')) {
      for (const side of sides) {
        const which = { side, path, encoding, connections };
        if (of('bytes', which) === undefined) continue;
        rows.push([side, coding(encoding), String(connections), ...columns.map(([key, , digits]) => of(key, which).toFixed(digits))]);
      }
    }
  }
  console.log(`\n${path}: medians of ${rounds} rounds. CPU is per request; a core is busy with 1.\n`);
  print(rows);
}

const figures = [
  ['started_ms', 'process start to the first page, ms', {}, 0],
  ['rss_bytes', 'resident memory after the load, MB', {}, 1, 1e-6],
  ...distinct('line').flatMap((line) => [
    ['rows_visible_ms', `rows visible in Chromium, ${line}, ms`, { line }, 0],
    ['transferred_bytes', `transferred to Chromium, ${line}, kB`, { line }, 1, 1e-3],
  ]),
];
console.log();
print([['figure', ...sides], ...figures.map(([key, title, which, digits, scale = 1]) => [
  title, ...sides.map((side) => { const value = of(key, { side, ...which }); return value === undefined ? '' : (value * scale).toFixed(digits); }),
])]);

const goals = [];
const goal = (name, value, met) => goals.push({ text: `${name}: ${value}: ${met ? 'met' : 'missed'}.`, met });
const ratio = (key, ours, theirs) => of(key, ours) / of(key, theirs);
// One connection shows the latency, and does not fill a core.
const many = distinct('connections').filter((count) => count > 1);
for (const encoding of distinct('encoding')) {
  for (const connections of many) {
    const at = `${connections} connections, ${coding(encoding)}`;
    if (sides.includes(NEXTJS)) {
      const [ours, theirs] = ['ours', NEXTJS].map((side) => ({ side, path: LIST, encoding, connections }));
      const times = ratio('requests_per_second', ours, theirs);
      goal(`At least 10 times Next.js's requests/s (${at})`, times.toFixed(1), times >= 10);
      goal(`A lower p99 than Next.js's (${at})`, `${of('p99_ms', ours).toFixed(1)} and ${of('p99_ms', theirs).toFixed(1)} ms`, of('p99_ms', ours) < of('p99_ms', theirs));
    }
    if (sides.includes('before')) {
      for (const path of distinct('path')) {
        const times = ratio('requests_per_second', { side: 'ours', path, encoding, connections }, { side: 'before', path, encoding, connections });
        goal(`At least twice the previous build's requests/s of ${path} (${at})`, times.toFixed(2), times >= 2);
      }
    }
  }
}
if (sides.includes(NEXTJS)) {
  const less = (name, key, which = {}) => {
    const [ours, theirs] = ['ours', NEXTJS].map((side) => of(key, { side, ...which }));
    if (ours !== undefined && theirs !== undefined) goal(name, `${(ours / theirs).toFixed(2)} times Next.js's`, ours < theirs);
  };
  less('Less memory', 'rss_bytes');
  for (const line of distinct('line')) less(`Rows visible sooner (${line})`, 'rows_visible_ms', { line });
}
console.log(`\n${goals.map(({ text }) => text).join('\n')}`);
process.exitCode = goals.every(({ met }) => met) ? 0 : 1;
