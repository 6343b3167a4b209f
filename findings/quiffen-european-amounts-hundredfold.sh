#!/usr/bin/env bash
# Quiffen: 119,00 in a QIF file is 11900.00, and -5,00 is -500.
# QIF has no field for the locale; German and French programs write a decimal comma. Quiffen removes commas and
# keeps points. OFX allows a decimal comma, and ofxtools reads the same amount as it was meant.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" quiffen==4.0.1 pydantic==2.14.4 python-dateutil==2.9.0.post0 ofxtools==1.1.1

cat >demo.py <<'EOF'
from decimal import Decimal
from ofxtools.Types import Decimal as OfxAmount
from quiffen import Qif

for amount in ["119.00", "119,00", "-5,00"]:
    qif = Qif.parse_string(f"!Type:Bank\nD31.12.2026\nT{amount}\nPExample GmbH\n^\n", day_first=True)
    (account,) = qif.accounts.values()
    (transactions,) = account.transactions.values()
    print(f"{amount}: quiffen {transactions[0].amount}, ofxtools {OfxAmount(2).convert(amount)}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
119.00: quiffen 119.00, ofxtools 119.00
119,00: quiffen 119.00, ofxtools 119.00
-5,00: quiffen -5.00, ofxtools -5.00
EOF
)
recorded=$(cat <<'EOF'
119.00: quiffen 119.00, ofxtools 119.00
119,00: quiffen 11900, ofxtools 119.00
-5,00: quiffen -500, ofxtools -5.00
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "quiffen 4.0.1, ofxtools 1.1.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
