#!/usr/bin/env bash
# ibantools and schwifty: accounts in five countries are outside SEPA, which they are part of.
# Albania, Montenegro, Moldova and North Macedonia take part since October 2025 and Serbia since May 2026. A
# billing system that offers direct debit or instant transfer by this answer refuses their customers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  ibantools@4.5.4 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" schwifty==2026.10.1 pycountry==26.2.16 rstr==3.2.2

cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { isSEPACountry } = require('ibantools');
for (const country of ['CH', 'AL', 'ME', 'MD', 'MK', 'RS']) {
  console.log(`ibantools ${country}: ${isSEPACountry(country)}`);
}
EOF
cat >demo.py <<'EOF'
from schwifty import IBAN

for number in ["CH9300762011623852957", "AL47212110090000000235698741", "ME25505000012345678951", "MD24AG000225100013104168", "MK07250120000058984", "RS35260005601001611379"]:
    iban = IBAN(number)
    print(f"schwifty {iban.country_code}: {str(iban.in_sepa_zone).lower()}")
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
ibantools CH: true
ibantools AL: true
ibantools ME: true
ibantools MD: true
ibantools MK: true
ibantools RS: true
schwifty CH: true
schwifty AL: true
schwifty ME: true
schwifty MD: true
schwifty MK: true
schwifty RS: true
EOF
)
recorded=$(cat <<'EOF'
ibantools CH: true
ibantools AL: false
ibantools ME: false
ibantools MD: false
ibantools MK: false
ibantools RS: false
schwifty CH: true
schwifty AL: false
schwifty ME: false
schwifty MD: false
schwifty MK: false
schwifty RS: false
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "ibantools 4.5.4, schwifty 2026.10.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
