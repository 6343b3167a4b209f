// Opens a page in Chromium, each time with an empty cache, and prints one line of JSON per line and
// processor: how long after the navigation's start its twenty rows are painted.

import { execSync } from 'node:child_process';
import { chromium } from '../../end2end/node_modules/@playwright/test/index.mjs';

const [url, cookie] = process.argv.slice(2);
const TIMES = 7;
// The same as in end2end: 400 ms and 400 kbit/s, a processor four times slower.
const LINES = [
  { line: 'fast' },
  { line: '3G, 4x CPU', times: 3, cpu: 4, network: { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 } },
];

const executablePath = execSync('command -v chromium || true').toString().trim() || undefined;
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
const [name, value] = [cookie.slice(0, cookie.indexOf('=')), cookie.slice(cookie.indexOf('=') + 1)];

// Runs in the page: the frame after the one in which the rows have a height is painted.
const watch = () => {
  const look = () => {
    const rows = document.querySelectorAll('tbody tr');
    const painted = performance.getEntriesByName('first-contentful-paint').length > 0;
    if (rows.length === 20 && rows[19].getBoundingClientRect().height > 0 && painted) globalThis.rowsVisible = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};

for (const { line, times = TIMES, cpu, network } of LINES) {
  const visible = [];
  const transferred = [];
  for (let time = 0; time < times; time += 1) {
    const context = await browser.newContext();
    await context.addCookies([{ name, value, url }]);
    await context.addInitScript(watch);
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    let bytes = 0;
    await session.send('Network.enable');
    session.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength; });
    if (network) await session.send('Network.emulateNetworkConditions', network);
    if (cpu) await session.send('Emulation.setCPUThrottlingRate', { rate: cpu });
    await page.goto(url, { waitUntil: 'load', timeout: 60_000 });
    await page.waitForFunction('globalThis.rowsVisible');
    visible.push(await page.evaluate('globalThis.rowsVisible'));
    await page.waitForLoadState('networkidle');
    transferred.push(bytes);
    await context.close();
  }
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  console.log(JSON.stringify({ line, rows_visible_ms: median(visible), transferred_bytes: median(transferred) }));
}
await browser.close();
