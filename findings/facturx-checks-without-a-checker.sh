#!/usr/bin/env bash
# factur-x: the check against the EN 16931 rules is passed when no rule was run.
# xml_check_schematron() asks a Saxon server on a local port. Without one it returns True after a few
# milliseconds, the same answer as for a checked invoice; an argument of its own turns the error on.
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
import socket
import facturx
from invoice import invoice

xml = facturx.generate_xml(invoice(), level="en16931", check_schematron=None)
with socket.socket() as unused:
    unused.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{unused.getsockname()[1]}/transform"
print("nothing listens there:", socket.socket().connect_ex(("127.0.0.1", int(url.split(":")[2].split("/")[0]))) != 0)
print("check:", facturx.xml_check_schematron(xml, saxon_server_url=url))
try:
    print("check with errors on:", facturx.xml_check_schematron(xml, saxon_server_url=url, saxon_server_raise_if_http_error=True))
except Exception as error:
    print("check with errors on: refused,", type(error).__name__)
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
nothing listens there: True
check: an error or False
check with errors on: refused, Exception
EOF
)
recorded=$(cat <<'EOF'
nothing listens there: True
check: True
check with errors on: refused, RuntimeError
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "factur-x 7.8, lxml 6.1.3, pypdf 7.1.1, iso4217 1.16.20260101" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
