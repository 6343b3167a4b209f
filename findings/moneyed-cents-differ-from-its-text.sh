#!/usr/bin/env bash
# py-moneyed: the minor units of an amount are one less than the amount it prints.
# get_amount_in_sub_unit() cuts, while str(), format_money() and round() round half to even. An
# invoice shows 2.00 and the payment request says 199.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" py-moneyed==3.0 babel==2.19.0 typing-extensions==4.16.0

cat >demo.py <<'EOF'
from moneyed import Money

for text in ["1.999", "2.675", "0.999"]:
    money = Money(text, "EUR")
    print(f"{text}: printed {money}, minor units {money.get_amount_in_sub_unit()}, rounded first {money.round(2).get_amount_in_sub_unit()}".replace("\xa0", " "))
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
1.999: printed € 2.00, minor units 200, rounded first 200
2.675: printed € 2.68, minor units 268, rounded first 268
0.999: printed € 1.00, minor units 100, rounded first 100
EOF
)
recorded=$(cat <<'EOF'
1.999: printed € 2.00, minor units 199, rounded first 200
2.675: printed € 2.68, minor units 267, rounded first 268
0.999: printed € 1.00, minor units 99, rounded first 100
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "py-moneyed 3.0, babel 2.19.0, typing-extensions 4.16.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
