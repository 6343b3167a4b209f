#!/usr/bin/env bash
# CII readers: an indicator written as 1 or 0 turns a surcharge into a discount or removes it.
# udt:Indicator is an xs:boolean, so 1 is true. drafthorse reads everything but "true" as false and
# writes it so; factur-x finds surcharges and discounts by the texts "true" and "false" only.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" factur-x==7.8 lxml==6.1.3 pypdf==7.1.1 iso4217==1.16.20260101 drafthorse==2025.2.0

cat >invoice.py <<'EOF'
import datetime
import logging

logging.disable(logging.CRITICAL)
PARTY = {"name": "Example Seller GmbH", "country_code": "DE", "city": "Berlin", "postcode": "10115", "addr_l1": "Example 1", "vat_identifier": "DE123456788"}


def invoice(quantity="1", price="100.00", total="100.00", tax="19.00", gross="119.00", currency="EUR", **more):
    line = {"BT-126": "1", "BT-129": quantity, "BT-130": "C62", "BT-131": total, "BT-146": price, "BT-151": "S", "BT-152": "19", "BT-153": "API calls"}
    rate = {"BT-116": total, "BT-117": tax, "BT-118": "S", "BT-119": "19"}
    return {
        "BT-1": "A-2026-0001", "BT-2": datetime.date(2026, 11, 30), "BT-3": "380", "BT-5": currency, "BT-9": datetime.date(2026, 12, 31),
        "BT-24": "urn:cen.eu:en16931:2017", "BT-72": datetime.date(2026, 11, 30),
        "BG-4": dict(PARTY), "BG-7": dict(PARTY, name="Example Buyer GmbH", vat_identifier="DE987654324"),
        "BT-106": total, "BT-109": total, "BT-110": tax, "BT-112": gross, "BT-115": gross, "BG-23": [rate], "BG-25": [line], **more,
    }
EOF

cat >demo.py <<'EOF'
import re
import facturx
from drafthorse.models.document import Document
from invoice import invoice

charge = {"amount": "5.00", "reason": "Freight", "vat_category_code": "S", "vat_rate": "19"}
xml = facturx.generate_xml(
    invoice(total="100.00", tax="19.95", gross="124.95", **{"BT-108": "5.00", "BT-109": "105.00", "BG-21": [charge], "BG-23": [{"BT-116": "105.00", "BT-117": "19.95", "BT-118": "S", "BT-119": "19"}]}),
    level="en16931", check_schematron=None).decode()
for text in ["true", "1"]:
    same = xml.replace("<udt:Indicator>true<", f"<udt:Indicator>{text}<").encode()
    again = Document.parse(same).serialize(schema="FACTUR-X_EN16931").decode()
    data = facturx.parse_ubl_cii_xml(same)
    print(f"{text}: schema {facturx.xml_check_xsd(same)}, drafthorse writes {re.search('<udt:Indicator>([^<]*)', again)[1]}, factur-x reads {len(data.get('BG-21') or [])} surcharge")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
true: schema True, drafthorse writes true, factur-x reads 1 surcharge
1: schema True, drafthorse writes true, factur-x reads 1 surcharge
EOF
)
recorded=$(cat <<'EOF'
true: schema True, drafthorse writes true, factur-x reads 1 surcharge
1: schema True, drafthorse writes false, factur-x reads 0 surcharge
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "factur-x 7.8, lxml 6.1.3, pypdf 7.1.1, iso4217 1.16.20260101, drafthorse 2025.2.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
