#!/usr/bin/env bash
# factur-x: a quantity given as a number keeps six significant digits.
# generate_xml() formats quantities with Python's "g": 123456.7 is written as 123457 without a word, and
# from a million on the exponent makes the XML invalid. Amounts and prices are formatted with decimals.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" factur-x==7.8 lxml==6.1.3 pypdf==7.1.1 iso4217==1.16.20260101

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
from invoice import invoice

for quantity, price, total in [(99999, 0.01, 999.99), (12345.67, 1.0, 12345.67), (123456.7, 0.1, 12345.67), (1234567, 0.01, 12345.67)]:
    try:
        xml = facturx.generate_xml(invoice(quantity, price, total), level="en16931", check_schematron=None).decode()
        written = re.search(r"<ram:BilledQuantity[^>]*>([^<]*)", xml)[1]
    except Exception as error:
        written = "refused, " + re.search(r"The value '[^']*' is not accepted|'[^']*' is not a valid value", str(error))[0]
    print(f"quantity {quantity}, price {price}, line total {total}: quantity written: {written}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
quantity 99999, price 0.01, line total 999.99: quantity written: 99999
quantity 12345.67, price 1.0, line total 12345.67: quantity written: 12345.67
quantity 123456.7, price 0.1, line total 12345.67: quantity written: 123456.7
quantity 1234567, price 0.01, line total 12345.67: quantity written: 1234567
EOF
)
recorded=$(cat <<'EOF'
quantity 99999, price 0.01, line total 999.99: quantity written: 99999
quantity 12345.67, price 1.0, line total 12345.67: quantity written: 12345.7
quantity 123456.7, price 0.1, line total 12345.67: quantity written: 123457
quantity 1234567, price 0.01, line total 12345.67: quantity written: refused, '1.23457e+06' is not a valid value
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "factur-x 7.8, lxml 6.1.3, pypdf 7.1.1, iso4217 1.16.20260101" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
