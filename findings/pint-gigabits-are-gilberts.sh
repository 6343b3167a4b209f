#!/usr/bin/env bash
# Pint: a traffic price per Gb or Mb has no bits in it.
# The registry defines byte and bit, and 1 GB converts to bytes. Gb is the gilbert (magnetomotive force) and Mb
# the megabarn (an area of nuclear physics), although IEEE 1541 gives the bit the symbol b.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" pint==0.25.3

cat >demo.py <<'EOF'
import pint

units = pint.UnitRegistry()
for text in ["8 GB", "8 Gbit", "8 Gb", "8 Mb", "8 kb"]:
    quantity = units(text)
    try:
        print(f"{text}: {quantity.units}, {round(float(quantity.to('byte').magnitude))} bytes")
    except pint.DimensionalityError:
        print(f"{text}: {quantity.units}, not an amount of data")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
8 GB: gigabyte, 8000000000 bytes
8 Gbit: gigabit, 1000000000 bytes
8 Gb: gigabit, 1000000000 bytes
8 Mb: megabit, 1000000 bytes
8 kb: kilobit, 1000 bytes
EOF
)
recorded=$(cat <<'EOF'
8 GB: gigabyte, 8000000000 bytes
8 Gbit: gigabit, 1000000000 bytes
8 Gb: gilbert, not an amount of data
8 Mb: megabarn, not an amount of data
8 kb: kilobarn, not an amount of data
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "pint 0.25.3" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
