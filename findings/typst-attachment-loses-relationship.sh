#!/usr/bin/env bash
# Typst: the relationship of an attached file is dropped without a warning, except in PDF/A-3, A-4f and 2.0.
# pdf.attach(relationship: "alternative") is what Factur-X demands. A plain PDF and an accessible one
# (PDF/UA-1) come out with the file, but without the relationship and the associated files entry.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" typst==0.15.2 pikepdf==10.18.0 lxml==6.1.3 pillow==13.0.0 packaging==26.4

cat >demo.py <<'EOF'
import io
import pikepdf
import typst

SOURCE = b"""
#set document(title: "Invoice", date: datetime(year: 2026, month: 11, day: 30))
#pdf.attach("factur-x.xml", bytes("<x/>"), relationship: "alternative", mime-type: "text/xml", description: "Invoice data")
= Invoice
"""
for standards in [[], ["ua-1"], ["a-3b"], ["a-3b", "ua-1"], ["2.0"]]:
    pdf = pikepdf.open(io.BytesIO(typst.compile(SOURCE, format="pdf", pdf_standards=standards)))
    file = pdf.Root.Names.EmbeddedFiles.Names[1]
    print(f"{'+'.join(standards) or 'plain'}: relationship {file.get('/AFRelationship')}, associated files {'/AF' in pdf.Root}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
plain: relationship /Alternative, associated files True
ua-1: relationship /Alternative, associated files True
a-3b: relationship /Alternative, associated files True
a-3b+ua-1: relationship /Alternative, associated files True
2.0: relationship /Alternative, associated files True
EOF
)
recorded=$(cat <<'EOF'
plain: relationship None, associated files False
ua-1: relationship None, associated files False
a-3b: relationship /Alternative, associated files True
a-3b+ua-1: relationship /Alternative, associated files True
2.0: relationship /Alternative, associated files True
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "typst 0.15.2, pikepdf 10.18.0, lxml 6.1.3, pillow 13.0.0, packaging 26.4" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
