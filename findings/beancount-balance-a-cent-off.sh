#!/usr/bin/env bash
# Beancount: a balance assertion to the cent passes when the account is a cent off.
# The tolerance of an assertion is twice half a unit of the last digit, so 10.01 confirms 10.00. A transaction with
# amounts in cents balances with up to half a cent left over, and such remainders add up in the accounts.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" beancount==3.1.0 click==8.5.1 python-dateutil==2.9.0.post0 six==1.17.0 regex==2026.11.19

cat >demo.py <<'EOF'
from beancount import loader

ACCOUNTS = """
2026-01-01 open Assets:Bank
2026-01-01 open Assets:Fees
2026-01-01 open Income:Usage
"""
INVOICE = """
2026-01-02 * "invoice"
  Assets:Bank   10.00 EUR
  Income:Usage
"""
CASES = {
    "10.00 in the account, balance of 10.01 asserted": INVOICE + "2026-01-03 balance Assets:Bank 10.01 EUR",
    "10.00 in the account, balance of 9.99 asserted": INVOICE + "2026-01-03 balance Assets:Bank 9.99 EUR",
    "10.00 in the account, balance of 10.02 asserted": INVOICE + "2026-01-03 balance Assets:Bank 10.02 EUR",
    "postings that leave 0.005 over": """
2026-01-02 * "invoice"
  Assets:Bank   10.00 EUR
  Assets:Fees   0.005 EUR
  Income:Usage  -10.00 EUR
""",
}
for name, entries in CASES.items():
    _, errors, _ = loader.load_string(ACCOUNTS + entries + "\n")
    print(f"{name}: {'refused' if errors else 'accepted'}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
10.00 in the account, balance of 10.01 asserted: refused
10.00 in the account, balance of 9.99 asserted: refused
10.00 in the account, balance of 10.02 asserted: refused
postings that leave 0.005 over: refused
EOF
)
recorded=$(cat <<'EOF'
10.00 in the account, balance of 10.01 asserted: accepted
10.00 in the account, balance of 9.99 asserted: accepted
10.00 in the account, balance of 10.02 asserted: refused
postings that leave 0.005 over: accepted
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "beancount 3.1.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
