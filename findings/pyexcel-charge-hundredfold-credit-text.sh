#!/usr/bin/env bash
# pyexcel: in one column of a CSV file a charge of 119,00 is 11900 and a credit of -5,00 is text.
# The detection of integers removes commas wherever they are. A number with a minus sign or less than one in
# front of the comma is not recognised at all, so the column has both, and its sum is a hundred times too large.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" pyexcel==0.7.6 pyexcel-io==0.6.8 lml==0.2.0 texttable==1.7.2

cat >demo.py <<'EOF'
import pyexcel

rows = pyexcel.get_array(file_type="csv", file_content="charge;119,00\ncharge;1,50\nfee;0,50\ncredit;-5,00\n", delimiter=";")
for name, amount in rows:
    print(f"{name}: {amount!r}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
charge: '119,00'
charge: '1,50'
fee: '0,50'
credit: '-5,00'
EOF
)
recorded=$(cat <<'EOF'
charge: 11900
charge: 150
fee: '0,50'
credit: '-5,00'
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "pyexcel 0.7.6, pyexcel-io 0.6.8" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
