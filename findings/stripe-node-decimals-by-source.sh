#!/usr/bin/env bash
# stripe-node: the same price is a Decimal from the API and a text from a webhook.
# API answers turn unit_amount_decimal into a Decimal, which also prints 0.80 as 0.8.
# Events, received or fetched, keep the text, so code that calls .mul() works on one path only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  stripe@23.1.0 >/dev/null

cat >demo.mjs <<'EOF'
import http from 'node:http';
import Stripe from 'stripe';
const price = { id: 'price_1', object: 'price', currency: 'usd', unit_amount: null, unit_amount_decimal: '0.80' };
const event = { id: 'evt_1', object: 'event', type: 'price.updated', data: { object: price } };
const server = http.createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(request.url.includes('/events') ? event : price));
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const stripe = new Stripe('sk_test_x', { host: '127.0.0.1', port: server.address().port, protocol: 'http', telemetry: false });
const payload = JSON.stringify(event);
const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: 'whsec_x' });
const show = (label, { unit_amount_decimal: value }) => console.log(`${label}: ${typeof value} ${value}, .mul ${typeof value.mul}`);
show('prices.retrieve', await stripe.prices.retrieve('price_1'));
show('webhook', stripe.webhooks.constructEvent(payload, signature, 'whsec_x').data.object);
show('events.retrieve', (await stripe.events.retrieve('evt_1')).data.object);
server.close();
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
prices.retrieve: object 0.80, .mul function
webhook: object 0.80, .mul function
events.retrieve: object 0.80, .mul function
EOF
)
recorded=$(cat <<'EOF'
prices.retrieve: object 0.8, .mul function
webhook: string 0.80, .mul undefined
events.retrieve: string 0.80, .mul undefined
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "stripe 23.1.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
