// Starts the built server twice on one private database: with billing on, and with the kill switch
// on. The first one uses a Stripe stand-in. A third one, on its own database, is a first run with
// the stand-in inside.
// main.spec.ts needs only one server:
  //   APEX_E2E_SITE=FOLDER      the built server with another site, e.g. the optimised one
//   APEX_E2E_ARCHIVE=FOLDER   an unpacked archive of `make release`, with its server and settings
//   APEX_E2E_PORT=3100        of the first server; the others have the next ones
import { defineConfig } from '@playwright/test';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/apex-billing/target');
const archive = process.env.APEX_E2E_ARCHIVE;
const binary = archive ? join(archive, 'apex-billing') : process.env.APEX_BILLING_BIN ?? join(target, 'debug/apex-billing');
const site = process.env.APEX_E2E_SITE;
const port = Number(process.env.APEX_E2E_PORT ?? 3100);

// Worker processes read this file too, and must not each create a folder.
process.env.APEX_E2E_DIR ??= archive ?? mkdtempSync(join(tmpdir(), 'apex-billing-end2end-'));
const dir = process.env.APEX_E2E_DIR;
if (!archive) {
  // No scheduled runs, and differences are compared again after a short delay.
  const settings = readFileSync(join(root, 'Leptos.toml'), 'utf8');
  mkdirSync(join(dir, 'first-run'), { recursive: true });
  for (const folder of [dir, join(dir, 'first-run')]) {
    writeFileSync(join(folder, 'Leptos.toml'), settings.replace('nightly = true', 'nightly = false').replace('settle-seconds = 10', 'settle-seconds = 4'));
  }
}

process.env.APEX_E2E_BINARY = binary;
// An archive's settings contain its site.
process.env.APEX_E2E_SITE_ROOT = archive ? 'target/site' : site ?? join(root, 'target/site');
process.env.APEX_E2E_PASSWORD ??= 'end-to-end password';
process.env.APEX_E2E_WEBHOOK_SECRET ??= 'whsec_of_the_browser_tests';

const stripe = { port: port + 2, key: 'sk_test_of_the_browser_tests' };

const server = (port: number, args: string, env: Record<string, string>, cwd = dir) => ({
  command: `exec "${binary}" serve ${args}`,
  cwd,
  url: `http://127.0.0.1:${port}/readyz`,
  timeout: 120_000,
  gracefulShutdown: { signal: 'SIGTERM' as const, timeout: 20_000 },
  stdout: 'ignore' as const,
  env: {
    LEPTOS_SITE_ADDR: `127.0.0.1:${port}`,
    LEPTOS_SITE_ROOT: process.env.APEX_E2E_SITE_ROOT!,
    METRICS_ADDR: '127.0.0.1:0',
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    // An archive's server starts its own database.
    DATABASE_URL: (!archive && process.env.TEST_E2E_DATABASE_URL) || '',
    DEMO_PASSWORD: process.env.APEX_E2E_PASSWORD!,
    STRIPE_WEBHOOK_SECRET: process.env.APEX_E2E_WEBHOOK_SECRET!,
    RUST_LOG: 'warn',
    ...env,
  },
});

const single = server(port, '--demo', {});
const all = [
  {
    command: `exec "${binary}" stripe-stand-in`,
    // The page requires a login: any response means that the server is ready.
    url: `http://127.0.0.1:${stripe.port}/v1/customers`,
    stdout: 'ignore' as const,
    env: { STRIPE_STAND_IN_ADDR: `127.0.0.1:${stripe.port}`, STRIPE_STAND_IN_KEY: stripe.key },
  },
  server(port, '--demo', { STRIPE_SECRET_KEY: stripe.key, STRIPE_API_BASE: `http://127.0.0.1:${stripe.port}/` }),
  server(port + 1, '', { BILLING_ENABLED: 'false' }),
  // With the settings of `make run`, whatever the environment says.
  server(port + 3, '--demo', { DATABASE_URL: '', STRIPE_SECRET_KEY: '', STRIPE_API_BASE: '' }, join(dir, 'first-run')),
];

export default defineConfig({
  testDir: 'tests',
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
    },
  },
  webServer: archive || site ? [single] : all,
});
