#!/usr/bin/env bash
# fflate: gunzipSync() returns only the first member of a gzip file, cut to the length of the last one.
# RFC 1952 files may have several members; log rotation and parallel compressors write them. The same
# package's streaming Gunzip, zlib and pako return everything.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  fflate@0.8.3 pako@3.0.3 >/dev/null

cat >demo.mjs <<'EOF'
import zlib from 'node:zlib';
import { Gunzip, gunzipSync } from 'fflate';
import { ungzip } from 'pako';
const text = (bytes) => JSON.stringify(Buffer.from(bytes).toString());
const file = Buffer.concat([zlib.gzipSync('day,units\n2026-11-29,100\n'), zlib.gzipSync('2026-11-30,7\n')]);
console.log('zlib:', text(zlib.gunzipSync(file)));
console.log('pako:', text(ungzip(file)));
console.log('fflate gunzipSync:', text(gunzipSync(file)));
const chunks = [];
new Gunzip((chunk) => chunks.push(chunk)).push(file, true);
console.log('fflate Gunzip:', text(Buffer.concat(chunks)));
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
zlib: "day,units\n2026-11-29,100\n2026-11-30,7\n"
pako: "day,units\n2026-11-29,100\n2026-11-30,7\n"
fflate gunzipSync: "day,units\n2026-11-29,100\n2026-11-30,7\n"
fflate Gunzip: "day,units\n2026-11-29,100\n2026-11-30,7\n"
EOF
)
recorded=$(cat <<'EOF'
zlib: "day,units\n2026-11-29,100\n2026-11-30,7\n"
pako: "day,units\n2026-11-29,100\n2026-11-30,7\n"
fflate gunzipSync: "day,units\n202"
fflate Gunzip: "day,units\n2026-11-29,100\n2026-11-30,7\n"
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "fflate 0.8.3, pako 3.0.3" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
