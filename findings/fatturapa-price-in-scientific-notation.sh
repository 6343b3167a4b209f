#!/usr/bin/env bash
# a38: the price of an impression is written in scientific notation, which FatturaPA does not allow.
# PrezzoUnitario has two to eight decimals without an exponent. 0.0000008 becomes 8E-7, the validation of the
# library finds no error, and the reader fatturapa prints the unit price as 0,00 beside a total of 2,00.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" a38==0.1.8 fatturapa==0.2.0 python-dateutil==2.9.0.post0

cat >demo.py <<'EOF'
from decimal import Decimal
import a38
from a38.builder import Builder
from a38.validation import Validation
import xml.etree.ElementTree as etree
import fatturapa


for price in ["0.0008", "0.0000008"]:
    quantity = Decimal(2500000)
    line = a38.DettaglioLinee(
        numero_linea=1, descrizione="Impressions", quantita=quantity, unita_misura="EA", prezzo_unitario=Decimal(price),
        prezzo_totale=quantity * Decimal(price), aliquota_iva=Decimal(22),
    )
    validation = Validation()
    line.validate(validation)
    builder = Builder()
    line.to_xml(builder)
    root = builder.get_tree().getroot()
    invoice = etree.Element("FatturaElettronica")
    etree.SubElement(invoice, "FatturaElettronicaHeader")
    goods = etree.SubElement(etree.SubElement(invoice, "FatturaElettronicaBody"), "DatiBeniServizi")
    goods.append(root)
    (printed,) = fatturapa.parse(etree.tostring(invoice))[0].linee
    print(f"{price}: a38 {root.findtext('PrezzoUnitario')}, {len(validation.errors)} errors, fatturapa {printed.prezzo_unitario} and {printed.prezzo_totale}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
0.0008: a38 0.0008, 0 errors, fatturapa 0,0008 and 2.000,00
0.0000008: a38 0.0000008, 0 errors, fatturapa 0,0000008 and 2,00
EOF
)
recorded=$(cat <<'EOF'
0.0008: a38 0.0008, 0 errors, fatturapa 0,0008 and 2.000,00
0.0000008: a38 8E-7, 0 errors, fatturapa 0,00 and 2,00
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "a38 0.1.8, fatturapa 0.2.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
