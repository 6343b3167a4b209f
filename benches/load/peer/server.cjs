// The peer: @supabase/stripe-sync-engine behind a bare node:http server, as one process, as its
// documentation shows.
// CommonJS, because its migrations find their folder by __dirname; as an ES module they fail
// silently.
// Default settings (ten connections to PostgreSQL, nothing fetched from Stripe), so that it only
// stores events.
'use strict';

const http = require('node:http');
const { StripeSync, runMigrations } = require('@supabase/stripe-sync-engine');

const MOST_BODY_BYTES = 1024 * 1024;
const connectionString = process.env.DATABASE_URL;

async function main() {
  const failures = [];
  const logger = { info() {}, warn() {}, debug() {}, error: (...what) => failures.push(what) };
  await runMigrations({ databaseUrl: connectionString, schema: 'stripe', logger });
  // It logs errors and continues.
  if (failures.length > 0) throw new Error(`the migrations failed: ${failures.map((what) => what.join(' ')).join('; ')}`);

  const sync = new StripeSync({
    poolConfig: { connectionString },
    // An invalid key: any call to Stripe fails.
    stripeSecretKey: 'sk_test_none',
    stripeWebhookSecret: process.env.STRIPE_WEBHOOK_SECRET,
  });
  sync.stripe.on('request', (request) => {
    console.error(`Stripe was called: ${request.method} ${request.path}`);
    process.exit(1);
  });

  const server = http.createServer((request, response) => {
    const answer = (status, body) => {
      response.statusCode = status;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(body));
    };
    const chunks = [];
    let length = 0;
    request.on('data', (chunk) => {
      length += chunk.length;
      if (length > MOST_BODY_BYTES) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => {
      sync.processWebhook(Buffer.concat(chunks), request.headers['stripe-signature']).then(
        () => answer(200, { received: true }),
        (error) => answer(400, { error: error.message }),
      );
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(`Serving http://127.0.0.1:${server.address().port}`));
  process.once('SIGTERM', () => {
    server.close();
    server.closeAllConnections();
    sync.close().then(() => process.exit(0));
  });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
