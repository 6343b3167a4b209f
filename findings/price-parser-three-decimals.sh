#!/usr/bin/env bash
# price-parser: three decimals are thousands, even after a leading zero and for three-decimal currencies.
# "BHD 0.500" is five hundred dinars and "0.875" is 875. The separator is guessed from the number of
# digits behind it; the currency, which the parser finds too, is not consulted.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" price-parser==0.5.1 attrs==26.1.0

cat >demo.py <<'EOF'
from price_parser import Price

for text in ["EUR 1.500,00", "EUR 0.0008", "BHD 0.500", "KWD 1.250", "0.875"]:
    price = Price.fromstring(text)
    print(f"{text}: {price.amount} {price.currency or ''}".rstrip())
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
EUR 1.500,00: 1500.00 EUR
EUR 0.0008: 0.0008 EUR
BHD 0.500: 0.500 BHD
KWD 1.250: 1.250 KWD
0.875: 0.875
EOF
)
recorded=$(cat <<'EOF'
EUR 1.500,00: 1500.00 EUR
EUR 0.0008: 0.0008 EUR
BHD 0.500: 500 BHD
KWD 1.250: 1250 KWD
0.875: 875
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "price-parser 0.5.1, attrs 26.1.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
