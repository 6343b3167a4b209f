#!/usr/bin/env bash
# jsonapi-serializer: reading a document renames the keys inside metadata and loses one of two.
# Attribute names are set in dashes, and so are the keys of every object below them: identifiers get another
# spelling, and 2026-01 and 2026_01 become one entry. What JSON:API calls a value is not returned as it was sent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  jsonapi-serializer@3.6.9 >/dev/null

cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { Deserializer } = require('jsonapi-serializer');
const metadata = { cus_9sX: 'a', Plan_ID: 'b', '2026-01': 'c', '2026_01': 'd' };
const document = { data: { type: 'invoices', id: '1', attributes: { total: 500, metadata } } };
console.log('sent:', JSON.stringify(metadata));
console.log('read:', JSON.stringify((await new Deserializer().deserialize(document)).metadata));
EOF
observed=$(node demo.mjs)

expected=$(cat <<'EOF'
sent: {"cus_9sX":"a","Plan_ID":"b","2026-01":"c","2026_01":"d"}
read: {"cus_9sX":"a","Plan_ID":"b","2026-01":"c","2026_01":"d"}
EOF
)
recorded=$(cat <<'EOF'
sent: {"cus_9sX":"a","Plan_ID":"b","2026-01":"c","2026_01":"d"}
read: {"cus-9s-x":"a","plan-id":"b","2026-01":"d"}
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "jsonapi-serializer 3.6.9" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
