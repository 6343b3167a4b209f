#!/usr/bin/env bash
# MT940: three of four parsers book an entry of New Year's Day twelve months too early.
# Field 61 has a full value date (31 December 2026) and an entry date without a year (0101). PyPI mt940
# and both npm parsers take the year of the value date; mt-940 finds the nearest year.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  mt940js@1.3.5 mt940-js@1.0.0 tslib@2.8.1 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile --no-deps \
  --target "$work/lib" mt-940==5.1.1

cat >statement.sta <<'EOF'
:20:STARTUMSE
:25:37040044/0532013000
:28C:00001/001
:60F:C261201EUR1000,00
:61:2612021202C119,00NTRFNONREF
:86:166?00CREDIT?20EREF+A-2026-0001?21SVWZ+Invoice A-2026-0001?30COBADEFFXXX?31DE89370400440532013000?32Example Buyer GmbH
:61:2612311231RC10,00NTRFNONREF
:86:159?00RETURN?20SVWZ+return of a transfer
:61:2612310101D5,50NCHGNONREF
:86:808?00FEE?20SVWZ+fee of the year
:62F:C261231EUR1103,50
-
EOF

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile --no-deps \
  --target "$work/other" mt940==0.8.1
cat >demo.py <<'EOF'
import sys
import mt940

if hasattr(mt940, "MT940"):
    print("mt940:", mt940.MT940("statement.sta").statements[0].transactions[2].booking)
else:
    print("mt-940:", mt940.parse("statement.sta")[2].data["entry_date"])
EOF
cat >demo.mjs <<'EOF'
import { readFileSync } from 'node:fs';
import mt940js from 'mt940js';
import mt940dashjs from 'mt940-js';
const text = readFileSync('statement.sta', 'utf8');
console.log('mt940js:', new mt940js.Parser().parse(text)[0].transactions[2].entryDate.toISOString().slice(0, 10));
console.log('mt940-js:', (await mt940dashjs.read(Buffer.from(text)))[0].transactions[2].entryDate);
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py; PYTHONPATH="$work/other" python3 demo.py; TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
mt-940: 2027-01-01
mt940: 2027-01-01
mt940js: 2027-01-01
mt940-js: 2027-01-01
EOF
)
recorded=$(cat <<'EOF'
mt-940: 2027-01-01
mt940: 2026-01-01
mt940js: 2026-01-01
mt940-js: 2026-01-01
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "mt-940 5.1.1, mt940 0.8.1 (PyPI); mt940js 1.3.5, mt940-js 1.0.0 (npm)" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
