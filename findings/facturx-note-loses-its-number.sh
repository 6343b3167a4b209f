#!/usr/bin/env bash
# factur-x: a note that starts with "#" loses five characters when a UBL invoice is read.
# UBL carries the subject code of a note as "#AAI#text". The reader takes any "#" for it without
# looking for the second one, so a contract number becomes a subject code and disappears.
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
import facturx
from invoice import invoice

for flavor in ["factur-x", "ubl-2.1"]:
    xml = facturx.generate_xml(invoice(**{"BG-1": [{"BT-22": "#20260017 is your contract"}]}), flavor=flavor, level="en16931", check_schematron=None)
    print(f"{flavor}: {facturx.parse_ubl_cii_xml(xml)['BG-1']}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
factur-x: [{'BT-22': '#20260017 is your contract'}]
ubl-2.1: [{'BT-22': '#20260017 is your contract'}]
EOF
)
recorded=$(cat <<'EOF'
factur-x: [{'BT-22': '#20260017 is your contract'}]
ubl-2.1: [{'BT-22': '0017 is your contract', 'BT-21': '202'}]
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "factur-x 7.8, lxml 6.1.3, pypdf 7.1.1, iso4217 1.16.20260101" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
