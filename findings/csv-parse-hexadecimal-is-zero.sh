#!/usr/bin/env bash
# csv-parse: with cast, the identifier "0x1F" becomes the number 0.
# The test for a number lets hexadecimal text pass, the conversion is parseFloat(), which stops at the x.
# All such identifiers become equal. d3-dsv reads 31, Papa Parse leaves the text alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  csv-parse@7.0.3 d3-dsv@3.0.2 papaparse@5.7.1 >/dev/null

cat >demo.mjs <<'EOF'
import { parse } from 'csv-parse/sync';
import { autoType } from 'd3-dsv';
import Papa from 'papaparse';
for (const id of ['0x1F', '0xA0']) {
  console.log(`${id}: csv-parse ${parse(id, { cast: true })[0][0]}, d3-dsv ${autoType({ id }).id}, papaparse ${Papa.parse(id, { dynamicTyping: true, delimiter: ',' }).data[0][0]}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
0x1F: csv-parse 0x1F, d3-dsv 31, papaparse 0x1F
0xA0: csv-parse 0xA0, d3-dsv 160, papaparse 0xA0
EOF
)
recorded=$(cat <<'EOF'
0x1F: csv-parse 0, d3-dsv 31, papaparse 0x1F
0xA0: csv-parse 0, d3-dsv 160, papaparse 0xA0
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "csv-parse 7.0.3, d3-dsv 3.0.2, papaparse 5.7.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
