// Measures what browsers load of the console, prints each figure beside its target, and exits with
// 1 if one is missed. Called by scripts/bench/budgets.sh.
//
//   node budgets.mjs URL PASSWORD SITE
//
// URL of a server with the demo, the demo's password, and the server's site folder.
//
//   BENCH_LOADS=5           loads of each page and network; the median counts
//   BENCH_TIMES=print       times depend on the machine: print them without failing
//   BENCH_IDLE_SECONDS=240  for how long an idle tab is observed
import { chromium } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

const [url, password, site] = process.argv.slice(2);
const loads = Number(process.env.BENCH_LOADS ?? 5);
const idleSeconds = Number(process.env.BENCH_IDLE_SECONDS ?? 240);

/** What Chromium sends. */
const ACCEPT_ENCODING = 'gzip, deflate, br, zstd';
/** 400 ms of latency and 400 kbit/s, as in Chromium's "Slow 3G". */
const SLOW = { offline: false, latency: 400, downloadThroughput: 400_000 / 8, uploadThroughput: 400_000 / 8 };
const FAST = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };

const rows = [];
/** A row of the table; `limit` is the largest allowed value. */
function row(what, measured, limit, unit, isBroken = measured > limit) {
  const shown = (value) => (unit === 'kB' ? (value / 1_000).toFixed(1) : unit === '' ? value.toFixed(4) : value.toFixed(0));
  rows.push({ what, target: `<= ${unit === '' ? limit : shown(limit)} ${unit}`.trim(), measured: `${shown(measured)} ${unit}`.trim(), isBroken, isTime: unit === 'ms' });
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** A response without decoding: its headers, and the bytes of its body. */
const get = (path, headers = {}) =>
  new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { headers }, (response) => {
      let bytes = 0;
      response.on('data', (part) => (bytes += part.length));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, bytes }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });

/** Signs in and returns the state of the browser's storage. */
async function signIn(browser, email) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(new URL('/login', url).href);
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(password);
  await page.locator('form[action*=login] button[type=submit], form[action*=login] button:not([type])').first().click();
  await page.waitForURL(/\/billing\/usage/);
  const state = await context.storageState();
  await context.close();
  return state;
}

async function files() {
  const { css, js, wasm } = JSON.parse(readFileSync(join(site, 'pkg/assets.json'), 'utf8'));
  for (const [what, name, limit] of [['WASM', wasm, 100_000], ['JavaScript', js, 12_000], ['style sheet', css, 10_000]]) {
    const { status, headers, bytes } = await get(`/pkg/${name}`, { 'accept-encoding': ACCEPT_ENCODING });
    if (status !== 200 || headers['content-encoding'] !== 'br' || !headers['cache-control']?.includes('immutable')) {
      throw new Error(`/pkg/${name}: status ${status}, ${headers['content-encoding']}, ${headers['cache-control']}`);
    }
    row(`${what}, as sent (brotli)`, bytes, limit, 'kB');
  }
}

/** Pages that differ only in an id or a query are of one kind. */
const kindOf = (path) => path.replace(/\?.*/, '').replace(/\/(?=[^/]*\d)[^/]{8,}/g, '/ID');

/** Follows all links and measures up to three pages of each kind; returns the largest of each. */
async function documents(browser, states) {
  const kinds = new Map();
  for (const state of states) {
    const context = await browser.newContext({ storageState: state, javaScriptEnabled: false });
    const page = await context.newPage();
    const cookie = state.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const queue = ['/billing/usage'];
    const seen = new Set(queue);
    const visits = new Map();
    for (let path; (path = queue.shift()); ) {
      const kind = kindOf(path);
      visits.set(kind, (visits.get(kind) ?? 0) + 1);
      if (visits.get(kind) > 3) continue;
      const response = await page.goto(new URL(path, url).href);
      if (!response.headers()['content-type']?.startsWith('text/html')) continue;
      const raw = (await get(path, { cookie })).bytes;
      const { headers, bytes } = await get(path, { cookie, 'accept-encoding': ACCEPT_ENCODING });
      const known = kinds.get(kind);
      if (!known || known.raw < raw) kinds.set(kind, { raw, bytes, coding: headers['content-encoding'] });
      const links = await page.locator('a[href^="/"]:not([download])').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
      for (const link of links.map((link) => link.replace(/#.*/, ''))) {
        if (!link.startsWith('/api/') && !seen.has(link)) queue.push(link), seen.add(link);
      }
    }
    await context.close();
  }
  for (const path of ['/login']) {
    const { headers, bytes } = await get(path, { 'accept-encoding': ACCEPT_ENCODING });
    kinds.set(path, { raw: (await get(path)).bytes, bytes, coding: headers['content-encoding'] });
  }
  for (const [kind, { raw, bytes, coding }] of [...kinds].sort(([, a], [, b]) => b.raw - a.raw)) {
    row(`HTML of ${kind}, uncompressed`, raw, 50_000, 'kB');
    // A page below 1 kB would not be compressed; none is as small.
    row(`  as sent (${coding ?? 'not compressed'})`, bytes, raw / 2, 'kB', !coding || bytes > raw / 2);
  }
}

/** Runs in the page before its own code. */
function observe(selector) {
  const times = { shift: 0 };
  window.budgets = times;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) times.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  const look = () => {
    const painted = performance.getEntriesByName('first-contentful-paint')[0];
    const box = document.querySelector(selector)?.getBoundingClientRect();
    if (painted && box?.height > 0) times.rows = Math.max(painted.startTime, times.seen ?? 0);
    else {
      if (box?.height > 0) times.seen ??= performance.now();
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
  const watch = () => {
    if (document.documentElement?.hasAttribute('data-hydrated')) times.interactive ??= performance.now();
    else setTimeout(watch, 2);
  };
  watch();
}

/** One load with an empty cache. */
async function load(browser, state, path, selector, network, slowdown) {
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', network);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
  await page.addInitScript(observe, selector);
  await page.goto(new URL(path, url).href, { waitUntil: 'commit' });
  await page.waitForFunction(() => window.budgets?.rows && window.budgets?.interactive, null, { timeout: 60_000 });
  // What moves after the page is interactive counts too.
  await page.waitForTimeout(500);
  const times = await page.evaluate(() => window.budgets);
  await context.close();
  return times;
}

async function timings(browser, state) {
  for (const [name, path, selector] of [
    ['usage', '/billing/usage', '.metric'],
    ['invoices', '/billing/invoices', 'tbody tr'],
  ]) {
    for (const [what, network, slowdown, rowsWithin, interactiveWithin] of [
      ['3G, CPU 4x slower', SLOW, 4, 1_500, 4_000],
      ['unthrottled', FAST, 1, 150, 400],
    ]) {
      // The server's first answers fill its own caches.
      await load(browser, state, path, selector, FAST, 1);
      const all = [];
      for (let count = 0; count < loads; count += 1) all.push(await load(browser, state, path, selector, network, slowdown));
      row(`${name}, ${what}: rows visible`, median(all.map(({ rows }) => rows)), rowsWithin, 'ms');
      row(`${name}, ${what}: interactive`, median(all.map(({ interactive }) => interactive)), interactiveWithin, 'ms');
      row(`${name}, ${what}: layout shift`, Math.max(...all.map(({ shift }) => shift)), 0, '');
    }
  }
}

/** Bytes of an open usage page in both directions, when nothing changes. */
async function idle(browser, state) {
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  await page.goto(new URL('/billing/usage', url).href);
  await page.waitForSelector('html[data-hydrated]');
  const devtools = await context.newCDPSession(page);
  let bytes = 0;
  let requests = 0;
  let before = 0;
  devtools.on('Network.requestWillBeSentExtraInfo', ({ headers }) => {
    requests += 1;
    before = bytes;
    // The first line: method, path and version.
    bytes += 80;
    for (const [name, value] of Object.entries(headers)) bytes += name.length + value.length + 4;
  });
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await devtools.send('Network.enable');
  await page.waitForTimeout(idleSeconds * 1_000);
  await context.close();
  // Afterwards one more request a minute, each as large as the last one (src/islands/live.rs).
  const hour = bytes + ((3_600 - idleSeconds) / 60) * (bytes - before);
  row(`idle tab, sent and received in an hour (${requests} requests in ${idleSeconds} s)`, hour, 100_000, 'kB');
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
});
try {
  const publisher = await signIn(browser, 'publisher@demo.test');
  const admin = await signIn(browser, 'admin@demo.test');
  await files();
  await documents(browser, [publisher, admin]);
  await timings(browser, publisher);
  await idle(browser, publisher);
} finally {
  await browser.close();
}
const width = Math.max(...rows.map(({ what }) => what.length));
console.log(`${'what'.padEnd(width)}  ${'target'.padStart(12)}  ${'measured'.padStart(12)}`);
for (const { what, target, measured, isBroken } of rows) {
  console.log(`${what.padEnd(width)}  ${target.padStart(12)}  ${measured.padStart(12)}${isBroken ? '  MISSED' : ''}`);
}
if (rows.some(({ isBroken, isTime }) => isBroken && !(isTime && process.env.BENCH_TIMES === 'print'))) process.exitCode = 1;
