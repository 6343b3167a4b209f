#!/usr/bin/env bash
# Typst: the text of a negative number is not a number for anything else.
# str() writes U+2212 (minus sign) in place of the hyphen, and JSON has no decimal type, so an amount that
# goes from a template into an attached XML or JSON file is refused by XML Schema and JSON readers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" typst==0.15.2

cat >demo.py <<'EOF'
import json
from decimal import Decimal, InvalidOperation
import typst

SOURCE = b"""
#let amount = decimal("-5.50")
#metadata((text: str(amount), json: json.encode(amount))) <result>
"""
result = json.loads(typst.query(SOURCE, "<result>", field="value", one=True))
print("str():", ascii(result["text"]))
print("json.encode():", result["json"])
try:
    print("read as a decimal:", Decimal(result["text"]))
except InvalidOperation:
    print("read as a decimal: refused")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
str(): '-5.50'
json.encode(): -5.50
read as a decimal: -5.50
EOF
)
recorded=$(cat <<'EOF'
str(): '\u22125.50'
json.encode(): "decimal(\"-5.50\")"
read as a decimal: refused
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "typst 0.15.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
