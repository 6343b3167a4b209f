#!/usr/bin/env bash
# drafthorse: a product class (BT-158) is read as a decimal number.
# "0815" cannot be written again because it is no text any more, "A-12" cannot be read at all. EN 16931
# has an identifier there (UNSPSC, eCl@ss or the seller's own list), and the schema passes both.
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
import facturx
from drafthorse.models.document import Document
from invoice import invoice

for code in ["0815", "A-12"]:
    data = invoice()
    data["BG-25"][0]["BT-158"] = {"STI": {"20": code}}
    xml = facturx.generate_xml(data, level="en16931", check_schematron=None)
    try:
        document = Document.parse(xml)
        try:
            document.serialize(schema="FACTUR-X_EN16931")
            print(f"{code}: read and written")
        except TypeError as error:
            print(f"{code}: read, writing fails: {error}")
    except ArithmeticError as error:
        print(f"{code}: reading fails: {type(error).__name__}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
0815: read and written
A-12: read and written
EOF
)
recorded=$(cat <<'EOF'
0815: read, writing fails: cannot serialize Decimal('815') (type Decimal)
A-12: reading fails: InvalidOperation
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "factur-x 7.8, lxml 6.1.3, pypdf 7.1.1, iso4217 1.16.20260101, drafthorse 2025.2.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
