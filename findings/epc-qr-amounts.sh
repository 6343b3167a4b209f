#!/usr/bin/env bash
# Payment QR codes (EPC069-12): one library prints a float's tail, the other refuses the largest amount.
# sepa-payment-code writes the sum of 0.10 and 0.20 with seventeen decimals, where two are allowed.
# segno names 999999999.99 as its limit and refuses it as a float, which is a little above the decimal.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  sepa-payment-code@1.0.3 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" segno==1.6.6

cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const { PaymentCode } = createRequire(import.meta.url)('sepa-payment-code');
const payload = new PaymentCode('Example GmbH', 'DE89370400440532013000', 0.1 + 0.2, undefined, 'A-1').getPayload();
console.log('sepa-payment-code:', payload.split('\n')[7]);
EOF
cat >demo.py <<'EOF'
from segno.helpers import make_epc_qr

for amount in ["999999999.99", 999999999.98, 999999999.99]:
    try:
        make_epc_qr(name="Example GmbH", iban="DE89370400440532013000", amount=amount, text="A-1")
        print(f"segno {amount!r}: code made")
    except ValueError as error:
        print(f"segno {amount!r}: {error}")
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
sepa-payment-code: EUR0.3
segno '999999999.99': code made
segno 999999999.98: code made
segno 999999999.99: code made
EOF
)
recorded=$(cat <<'EOF'
sepa-payment-code: EUR0.30000000000000004
segno '999999999.99': code made
segno 999999999.98: code made
segno 999999999.99: Invalid amount, must be in bigger or equal 0.01 and less or equal 999999999.99
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "sepa-payment-code 1.0.3, segno 1.6.6" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
