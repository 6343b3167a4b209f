#!/usr/bin/env bash
# mt-940: a valid bank statement does not add up, and the payer's name begins with the account number.
# Since release 5 a reversed credit (mark RC) counts as money received, and subfield 31 of the German field
# 86 (the account) is put before subfield 32 (the name). Options(reversal_sign=True, applicant_iban=True)
# gives the right reading; npm mt940js subtracts RC without any option.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  mt940js@1.3.5 >/dev/null
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

cat >demo.py <<'EOF'
import mt940

for label, more in [("mt-940", {}), ("mt-940 with options", {"options": mt940.Options(reversal_sign=True, applicant_iban=True)})]:
    statement = mt940.parse("statement.sta", **more)
    total = 1000 + sum(entry.data["amount"].amount for entry in statement)
    print(f"{label}: opening plus transactions {total}, closing {statement.data['final_closing_balance'].amount.amount}, payer {statement[0].data['applicant_name']}")
EOF
cat >demo.mjs <<'EOF'
import { readFileSync } from 'node:fs';
import mt940js from 'mt940js';
const [statement] = new mt940js.Parser().parse(readFileSync('statement.sta', 'utf8'));
console.log(`mt940js: opening plus transactions ${1000 + statement.transactions.reduce((sum, t) => sum + t.amount, 0)}, closing ${statement.closingBalance}, payer ${statement.transactions[0].structuredDetails['32']}`);
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py; node demo.mjs)

expected=$(cat <<'EOF'
mt-940: opening plus transactions 1103.50, closing 1103.50, payer Example Buyer GmbH
mt-940 with options: opening plus transactions 1103.50, closing 1103.50, payer Example Buyer GmbH
mt940js: opening plus transactions 1103.5, closing 1103.5, payer Example Buyer GmbH
EOF
)
recorded=$(cat <<'EOF'
mt-940: opening plus transactions 1123.50, closing 1103.50, payer DE89370400440532013000Example Buyer GmbH
mt-940 with options: opening plus transactions 1103.50, closing 1103.50, payer Example Buyer GmbH
mt940js: opening plus transactions 1103.5, closing 1103.5, payer Example Buyer GmbH
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "mt940js 1.3.5, mt-940 5.1.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
