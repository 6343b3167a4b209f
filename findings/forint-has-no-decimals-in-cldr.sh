#!/usr/bin/env bash
# CLDR 48: the Hungarian forint and the Iraqi dinar have no decimals, ISO 4217 gives them two and three.
# Babel and ICU follow CLDR, billing systems follow ISO 4217, so a correct amount of 1,234.50 forints is
# printed as 1,234 and no longer adds up on the page.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  cldr-core@48.2.0 currency-codes@2.2.0 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" babel==2.19.0 iso4217==1.16.20260101

cat >demo.mjs <<'EOF'
import { readFileSync } from 'node:fs';
import cc from 'currency-codes';
const cldr = JSON.parse(readFileSync('node_modules/cldr-core/supplemental/currencyData.json', 'utf8')).supplemental.currencyData.fractions;
for (const code of ['HUF', 'IQD']) {
  console.log(`${code}: CLDR ${cldr[code]?._digits ?? cldr.DEFAULT._digits}, currency-codes ${cc.code(code).digits}`);
}
EOF
cat >demo.py <<'EOF'
from decimal import Decimal
from babel.numbers import format_currency
from iso4217 import Currency

for code, amount in [("HUF", "1234.50"), ("IQD", "1234.500")]:
    print(f"{code}: iso4217 {Currency(code).exponent}, Babel prints {amount} as {format_currency(Decimal(amount), code, locale='en')}".replace("\xa0", " "))
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
HUF: CLDR 2, currency-codes 2
IQD: CLDR 3, currency-codes 3
HUF: iso4217 2, Babel prints 1234.50 as HUF1,234.50
IQD: iso4217 3, Babel prints 1234.500 as IQD1,234.500
EOF
)
recorded=$(cat <<'EOF'
HUF: CLDR 0, currency-codes 2
IQD: CLDR 0, currency-codes 3
HUF: iso4217 2, Babel prints 1234.50 as HUF1,234
IQD: iso4217 3, Babel prints 1234.500 as IQD1,234
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "cldr-core 48.2.0, currency-codes 2.2.0, babel 2.19.0, iso4217 1.16.20260101" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
