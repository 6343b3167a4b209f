#!/usr/bin/env bash
# No list knows both the Bulgarian lev, needed to correct invoices of 2025, and the Caribbean guilder of 2025.
# PyPI iso4217 dropped BGN with the euro changeover of January 2026, so factur-x can no longer write a
# credit note for an invoice in leva. npm currency-codes has BGN, but not XCG, which replaced ANG.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  currency-codes@2.2.0 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" iso4217==1.16.20260101 pycountry==26.2.16

cat >demo.mjs <<'EOF'
import cc from 'currency-codes';
console.log('currency-codes:', ['EUR', 'BGN', 'XCG'].map((code) => `${code} ${cc.code(code) ? 'known' : 'unknown'}`).join(', '));
EOF
cat >demo.py <<'EOF'
import iso4217
import pycountry

codes = ["EUR", "BGN", "XCG"]
known = {currency.code for currency in iso4217.Currency}
print("iso4217:", ", ".join(f"{code} {'known' if code in known else 'unknown'}" for code in codes))
print("pycountry:", ", ".join(f"{code} {'known' if pycountry.currencies.get(alpha_3=code) else 'unknown'}" for code in codes))
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
currency-codes: EUR known, BGN known, XCG known
iso4217: EUR known, BGN known, XCG known
pycountry: EUR known, BGN known, XCG known
EOF
)
recorded=$(cat <<'EOF'
currency-codes: EUR known, BGN known, XCG unknown
iso4217: EUR known, BGN unknown, XCG known
pycountry: EUR known, BGN unknown, XCG known
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "currency-codes 2.2.0, iso4217 1.16.20260101, pycountry 26.2.16" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
