#!/usr/bin/env bash
# pyvat: the VAT charge of a sale takes the date of the sale and does not use it for the rate.
# Germany charged 16 % in the second half of 2020, Estonia 20 % until 2023 and 24 % since July 2025, Finland
# 25.5 % since September 2024. A credit note for an old invoice, or a new one, gets a rate that was not in force.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" pyvat==1.3.18 duty27-eu-vat==0.1.0

cat >demo.py <<'EOF'
import datetime
import duty27_eu_vat
import pyvat

for country, day in [("DE", "2020-06-30"), ("DE", "2020-08-01"), ("EE", "2023-12-31"), ("EE", "2025-07-01"), ("FI", "2024-09-01")]:
    buyer, seller = pyvat.Party(country, False), pyvat.Party("FR", True)
    charge = pyvat.get_sale_vat_charge(datetime.date.fromisoformat(day), pyvat.ItemType.generic_electronic_service, buyer, seller)
    print(f"{country} {day}: duty27-eu-vat {duty27_eu_vat.get_standard_rate(country, day)}, pyvat {charge.rate}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
DE 2020-06-30: duty27-eu-vat 19, pyvat 19
DE 2020-08-01: duty27-eu-vat 16, pyvat 16
EE 2023-12-31: duty27-eu-vat 20, pyvat 20
EE 2025-07-01: duty27-eu-vat 24, pyvat 24
FI 2024-09-01: duty27-eu-vat 25.5, pyvat 25.5
EOF
)
recorded=$(cat <<'EOF'
DE 2020-06-30: duty27-eu-vat 19, pyvat 19
DE 2020-08-01: duty27-eu-vat 16, pyvat 19
EE 2023-12-31: duty27-eu-vat 20, pyvat 22
EE 2025-07-01: duty27-eu-vat 24, pyvat 22
FI 2024-09-01: duty27-eu-vat 25.5, pyvat 24
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "pyvat 1.3.18, duty27-eu-vat 0.1.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
