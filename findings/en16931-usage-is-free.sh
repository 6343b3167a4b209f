#!/usr/bin/env bash
# en16931: 2.5 million calls at 0.0008 are invoiced with 0.00.
# The library rounds the unit price to the cents of the currency before it multiplies. EN 16931 sets no
# limit on the decimals of a price (BT-146); the totals of the invoice are zero without a warning.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" en16931==0.2 Jinja2==3.1.6 lxml==6.1.3 py-money==0.5.0 requests==2.34.2

cat >demo.py <<'EOF'
from en16931 import Invoice, InvoiceLine

for quantity, price in [(10, 8), (2500, 0.8), (1000, 0.015), (2500000, 0.0008)]:
    invoice = Invoice(invoice_id="A-2026-0001", currency="EUR")
    invoice.add_line(InvoiceLine(quantity=quantity, unit_code="EA", price=price, item_name="API calls", tax_percent=0.19, tax_category="S", tax_name="VAT"))
    print(f"{quantity} x {price}: net {invoice.subtotal()}, gross {invoice.total()}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
10 x 8: net 80.00, gross 95.20
2500 x 0.8: net 2000.00, gross 2380.00
1000 x 0.015: net 15.00, gross 17.85
2500000 x 0.0008: net 2000.00, gross 2380.00
EOF
)
recorded=$(cat <<'EOF'
10 x 8: net 80.00, gross 95.20
2500 x 0.8: net 2000.00, gross 2380.00
1000 x 0.015: net 10.00, gross 11.90
2500000 x 0.0008: net 0.00, gross 0.00
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "en16931 0.2, Jinja2 3.1.6, lxml 6.1.3, py-money 0.5.0, requests 2.34.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
