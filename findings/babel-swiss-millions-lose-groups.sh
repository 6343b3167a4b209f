#!/usr/bin/env bash
# Babel: Swiss amounts lose their thousands separators from one million on.
# The separator is an apostrophe, and a pair of apostrophes in the formatted number is then taken for
# the quotes of a CLDR pattern and removed. A billion keeps exactly one of its three.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" babel==2.19.0

cat >demo.py <<'EOF'
from decimal import Decimal
from babel.numbers import format_currency

for text in ["999999.95", "1234567.95", "1234567890.95"]:
    for locale in ["de_DE", "de_CH", "fr_CH"]:
        print(f"{locale}: {format_currency(Decimal(text), 'CHF', locale=locale)}".replace(" ", " "))
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
de_DE: 999.999,95 CHF
de_CH: CHF 999'999.95
fr_CH: 999'999,95 CHF
de_DE: 1.234.567,95 CHF
de_CH: CHF 1'234'567.95
fr_CH: 1'234'567,95 CHF
de_DE: 1.234.567.890,95 CHF
de_CH: CHF 1'234'567'890.95
fr_CH: 1'234'567'890,95 CHF
EOF
)
recorded=$(cat <<'EOF'
de_DE: 999.999,95 CHF
de_CH: CHF 999'999.95
fr_CH: 999'999,95 CHF
de_DE: 1.234.567,95 CHF
de_CH: CHF 1234567.95
fr_CH: 1234567,95 CHF
de_DE: 1.234.567.890,95 CHF
de_CH: CHF 1234567'890.95
fr_CH: 1234567'890,95 CHF
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "babel 2.19.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
