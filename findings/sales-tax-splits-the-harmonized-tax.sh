#!/usr/bin/env bash
# sales-tax: Canada's harmonized sales tax is split into GST and a remainder that it calls HST.
# In Ontario the HST is one tax of 13 % under one registration number; there is no HST of 8 %. An invoice that
# prints the details states two taxes. Quebec, which does have two, shows what the form is for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  sales-tax@2.23.0 >/dev/null

cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const tax = require('sales-tax');
for (const [country, state] of [['CA', 'ON'], ['CA', 'NB'], ['CA', 'QC']]) {
  const { rate, details } = await tax.getSalesTax(country, state);
  const parts = details.map((part) => `${part.type} ${part.rate}`).join(', ') || 'none';
  console.log(`${country} ${state}: ${rate} (${parts})`);
}
EOF
observed=$(node demo.mjs)

expected=$(cat <<'EOF'
CA ON: 0.13 (hst 0.13)
CA NB: 0.15 (hst 0.15)
CA QC: 0.14975 (gst 0.05, qst 0.09975)
EOF
)
recorded=$(cat <<'EOF'
CA ON: 0.13 (gst 0.05, hst 0.08)
CA NB: 0.15 (gst 0.05, hst 0.1)
CA QC: 0.14975 (gst 0.05, qst 0.09975)
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "sales-tax 2.23.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
