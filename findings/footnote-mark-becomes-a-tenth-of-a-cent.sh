#!/usr/bin/env bash
# PDF readers: an amount of 10.00 with a footnote mark reads as 10.001.
# A raised 1 behind the amount ("net of credits") is small and high on the page, but it is the next glyph. Three
# readers of PDF text join it to the amount, which is a valid number for a tariff in tenths of a cent.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" fpdf2==2.8.9 typst==0.15.2 pypdf==7.1.1 pdfplumber==0.11.10 pdfminer.six==20260107

cat >demo.py <<'EOF'
import io
import re
import fpdf
import pdfplumber
import pypdf
import typst
from pdfminer.high_level import extract_text

document = fpdf.FPDF()
document.add_page()
document.set_font("helvetica", size=12)
document.write(8, "Total 10.00")
document.char_vpos = "SUP"
document.write(8, "1")
files = {"fpdf2": bytes(document.output()), "Typst": typst.compile(b"Total 10.00#super[1]")}
readers = {
    "pypdf": lambda data: pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text(),
    "pdfplumber": lambda data: pdfplumber.open(io.BytesIO(data)).pages[0].extract_text(),
    "pdfminer.six": lambda data: extract_text(io.BytesIO(data)),
}
for writer, data in files.items():
    for reader, read in readers.items():
        print(f"{writer}, {reader}: {re.search('[0-9.]+', read(data)).group()}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
fpdf2, pypdf: 10.00
fpdf2, pdfplumber: 10.00
fpdf2, pdfminer.six: 10.00
Typst, pypdf: 10.00
Typst, pdfplumber: 10.00
Typst, pdfminer.six: 10.00
EOF
)
recorded=$(cat <<'EOF'
fpdf2, pypdf: 10.001
fpdf2, pdfplumber: 10.001
fpdf2, pdfminer.six: 10.001
Typst, pypdf: 10.001
Typst, pdfplumber: 10.001
Typst, pdfminer.six: 10.001
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "fpdf2 2.8.9, typst 0.15.2, pypdf 7.1.1, pdfplumber 0.11.10, pdfminer.six 20260107" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
