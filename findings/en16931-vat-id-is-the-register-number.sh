#!/usr/bin/env bash
# en16931: the register number is written as VAT id and as electronic address, and missing values as "None".
# The template has party_legal_entity_id in all three places. tax_scheme_id and endpoint, which the
# constructor takes, are written nowhere; an address without second line or state gets the word None.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" en16931==0.2 Jinja2==3.1.6 lxml==6.1.3 py-money==0.5.0 requests==2.34.2

cat >demo.py <<'EOF'
import re
from en16931 import Entity, Invoice, InvoiceLine


def party(name):
    return Entity(name=name, registration_name=name, tax_scheme="VAT", tax_scheme_id="DE123456788", endpoint="de@example.com", endpoint_scheme="EM",
                  party_legal_entity_id="HRB 12345", country="DE", address="Example 1", postalzone="10115", city="Berlin", mail="mail@example.com")


invoice = Invoice(invoice_id="A-2026-0001", currency="EUR")
invoice.issue_date, invoice.due_date = "2026-11-30", "2026-12-31"
invoice.seller_party, invoice.buyer_party = party("Example Seller GmbH"), party("Example Buyer GmbH")
invoice.add_line(InvoiceLine(quantity=1, unit_code="EA", price=100, item_name="Plan", tax_percent=0.19, tax_category="S", tax_name="VAT"))
seller = re.search("<cac:AccountingSupplierParty>.*</cac:AccountingSupplierParty>", invoice.to_xml(), re.S)[0]
print("electronic address:", re.search("<cbc:EndpointID[^>]*>([^<]*)", seller)[1])
print("VAT id:", re.search("<cac:PartyTaxScheme>.*?<cbc:CompanyID>([^<]*)", seller, re.S)[1])
print("register number:", re.search("<cac:PartyLegalEntity>.*?<cbc:CompanyID>([^<]*)", seller, re.S)[1])
print("state:", getattr(re.search("<cbc:CountrySubentity>([^<]*)", seller), "group", lambda n: "absent")(1))
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
electronic address: de@example.com
VAT id: DE123456788
register number: HRB 12345
state: absent
EOF
)
recorded=$(cat <<'EOF'
electronic address: HRB 12345
VAT id: HRB 12345
register number: HRB 12345
state: None
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "en16931 0.2, Jinja2 3.1.6, lxml 6.1.3, py-money 0.5.0, requests 2.34.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
