#!/usr/bin/env bash
# Babel: the minus sign of a locale is neither written nor read.
# CLDR's minus of Swedish, Norwegian and Lithuanian is U+2212, and get_minus_sign_symbol() returns it.
# format_decimal() writes a hyphen and parse_decimal() refuses what ICU, and so every JavaScript
# engine, writes for the same locale.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" babel==2.19.0

cat >demo.py <<'EOF'
from decimal import Decimal
from babel.numbers import NumberFormatError, format_decimal, get_minus_sign_symbol, parse_decimal

for locale in ["sv", "nb", "lt"]:
    minus = get_minus_sign_symbol(locale)
    written = format_decimal(Decimal("-1.5"), locale=locale)
    try:
        read = parse_decimal(minus + "1,5", locale=locale)
    except NumberFormatError:
        read = "NumberFormatError"
    print(ascii(f"{locale}: minus {minus}, written {written}, {minus}1,5 read as {read}"))
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
'sv: minus \u2212, written \u22121,5, \u22121,5 read as -1.5'
'nb: minus \u2212, written \u22121,5, \u22121,5 read as -1.5'
'lt: minus \u2212, written \u22121,5, \u22121,5 read as -1.5'
EOF
)
recorded=$(cat <<'EOF'
'sv: minus \u2212, written -1,5, \u22121,5 read as NumberFormatError'
'nb: minus \u2212, written -1,5, \u22121,5 read as NumberFormatError'
'lt: minus \u2212, written -1,5, \u22121,5 read as NumberFormatError'
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "babel 2.19.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
