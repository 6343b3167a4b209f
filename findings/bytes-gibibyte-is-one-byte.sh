#!/usr/bin/env bash
# bytes (npm): a limit of 1 GiB is a limit of one byte.
# The parser behind Express body limits knows KB to PB, which it takes as powers of 1024, and none of the IEC
# names. It reads the digits before an unknown unit or a decimal comma and drops the rest without an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  bytes@3.1.2 bytes-iec@3.1.1 >/dev/null

cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const bytes = require('bytes');
const iec = require('bytes-iec');
for (const size of ['1GB', '1GiB', '10 TiB', '1,5GB']) {
  console.log(`bytes ${size}: ${bytes.parse(size)}`);
}
for (const size of ['1GB', '1GiB', '10 TiB', '1,5GB']) {
  console.log(`bytes-iec ${size}: ${iec.parse(size)}`);
}
EOF
observed=$(node demo.mjs)

expected=$(cat <<'EOF'
bytes 1GB: 1073741824
bytes 1GiB: 1073741824
bytes 10 TiB: 10995116277760
bytes 1,5GB: null
bytes-iec 1GB: 1000000000
bytes-iec 1GiB: 1073741824
bytes-iec 10 TiB: 10995116277760
bytes-iec 1,5GB: null
EOF
)
recorded=$(cat <<'EOF'
bytes 1GB: 1073741824
bytes 1GiB: 1
bytes 10 TiB: 10
bytes 1,5GB: 1
bytes-iec 1GB: 1000000000
bytes-iec 1GiB: 1073741824
bytes-iec 10 TiB: 10995116277760
bytes-iec 1,5GB: null
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "bytes 3.1.2, bytes-iec 3.1.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
