#!/usr/bin/env bash
# factur-x and drafthorse: attaching the XML takes the PDF/UA mark off an accessible invoice.
# factur-x writes new XMP metadata without pdfuaid, lowers PDF/A-3a to 3b and replaces the title.
# drafthorse copies the pages only, so the tags, the language and the outline are gone as well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" factur-x==7.8 lxml==6.1.3 pypdf==7.1.1 iso4217==1.16.20260101 drafthorse==2025.2.0 typst==0.15.2 pikepdf==10.18.0

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
import io
import facturx
import pikepdf
import typst
from drafthorse.pdf import attach_xml
from invoice import invoice

SOURCE = b"""
#set document(title: "Invoice A-2026-0001", date: datetime(year: 2026, month: 11, day: 30))
#set text(lang: "de")
= Invoice A-2026-0001
119.00 EUR
"""


def describe(label, data):
    pdf = pikepdf.open(io.BytesIO(data))
    xmp = pdf.Root.Metadata.read_bytes().decode()
    level = xmp.split("<pdfaid:conformance>")[1][0]
    print(f"{label}: PDF/UA {'pdfuaid' in xmp}, PDF/A-3{level.lower()}, tags {'/StructTreeRoot' in pdf.Root}, language {pdf.Root.get('/Lang')}, title {pdf.docinfo.Title}")


pdf = typst.compile(SOURCE, format="pdf", pdf_standards=["a-3a", "ua-1"])
xml = facturx.generate_xml(invoice(), level="en16931", check_schematron=None)
describe("before", pdf)
describe("factur-x", facturx.generate_from_binary(pdf, xml))
describe("drafthorse", attach_xml(pdf, xml))
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
before: PDF/UA True, PDF/A-3a, tags True, language de, title Invoice A-2026-0001
factur-x: PDF/UA True, PDF/A-3a, tags True, language de, title Invoice A-2026-0001
drafthorse: PDF/UA True, PDF/A-3a, tags True, language de, title Invoice A-2026-0001
EOF
)
recorded=$(cat <<'EOF'
before: PDF/UA True, PDF/A-3a, tags True, language de, title Invoice A-2026-0001
factur-x: PDF/UA False, PDF/A-3b, tags True, language de, title Example Seller GmbH: Invoice A-2026-0001
drafthorse: PDF/UA False, PDF/A-3b, tags False, language None, title A-2026-0001
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "factur-x 7.8, lxml 6.1.3, pypdf 7.1.1, iso4217 1.16.20260101, drafthorse 2025.2.0, typst 0.15.2, pikepdf 10.18.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
