#!/usr/bin/env bash
# schwifty: the two spellings of one bank's BIC are unequal, and looked-up BICs come in both.
# ISO 9362 lets the branch code XXX of the head office be left out. The BIC that the library derives
# from an IBAN has eleven characters in Germany and eight in France, so a comparison depends on the country.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" schwifty==2026.10.1 pycountry==26.2.16 rstr==3.2.2

cat >demo.py <<'EOF'
from schwifty import BIC, IBAN

print("DEUTDEFF == DEUTDEFFXXX:", BIC("DEUTDEFF") == BIC("DEUTDEFFXXX"))
for iban in ["DE89370400440532013000", "FR1420041010050500013M02606"]:
    bic = IBAN(iban).bic
    print(f"{iban}: {bic}, equal to its first eight characters: {bic == BIC(bic[:8])}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
DEUTDEFF == DEUTDEFFXXX: True
DE89370400440532013000: COBADEFFXXX, equal to its first eight characters: True
FR1420041010050500013M02606: PSSTFRPP, equal to its first eight characters: True
EOF
)
recorded=$(cat <<'EOF'
DEUTDEFF == DEUTDEFFXXX: False
DE89370400440532013000: COBADEFFXXX, equal to its first eight characters: False
FR1420041010050500013M02606: PSSTFRPP, equal to its first eight characters: True
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "schwifty 2026.10.1, pycountry 26.2.16, rstr 3.2.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
