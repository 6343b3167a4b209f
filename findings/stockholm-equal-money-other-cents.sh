#!/usr/bin/env bash
# stockholm: two equal amounts have different minor units.
# A currency given as text always has two decimals, one given as an object has its ISO 4217 decimals.
# Money(150, "JPY") equals Money(150, JPY), but asks a payment provider for a hundred times as much.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" stockholm==0.5.7

cat >demo.py <<'EOF'
from stockholm import Money
from stockholm.currency import JPY, KWD

for code, currency in [("JPY", JPY), ("KWD", KWD)]:
    by_text, by_object = Money(150, code), Money(150, currency)
    print(f"{code}: equal {by_text == by_object}, minor units {by_text.sub_units} and {by_object.sub_units}")
    print(f"{code}: 1500 minor units are {Money.from_sub_units(1500, code)} and {Money.from_sub_units(1500, currency)}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
JPY: equal True, minor units 150 and 150
JPY: 1500 minor units are 1500 JPY and 1500 JPY
KWD: equal True, minor units 150000 and 150000
KWD: 1500 minor units are 1.500 KWD and 1.500 KWD
EOF
)
recorded=$(cat <<'EOF'
JPY: equal True, minor units 15000 and 150
JPY: 1500 minor units are 15.00 JPY and 1500 JPY
KWD: equal True, minor units 15000 and 150000
KWD: 1500 minor units are 15.00 KWD and 1.500 KWD
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "stockholm 0.5.7" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
