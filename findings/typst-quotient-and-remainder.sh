#!/usr/bin/env bash
# Typst: quotient and remainder of a negative amount do not belong together.
# calc.quo() rounds down, calc.rem() takes the sign of the dividend, so -150 cents are -2 and -50, and
# 100 * quo + rem is -250. The pair that fits is div-euclid and rem-euclid.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" typst==0.15.2

cat >demo.py <<'EOF'
import typst

for cents in [150, -150, -1]:
    source = f"""
#let parts = (calc.quo({cents}, 100), calc.rem({cents}, 100))
#metadata((quo: parts.at(0), rem: parts.at(1), sum: 100 * parts.at(0) + parts.at(1))) <result>
"""
    result = typst.query(source.encode(), "<result>", field="value", one=True)
    print(f"{cents} cents: {' '.join(str(result).split())}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
150 cents: { "quo": 1, "rem": 50, "sum": 150 }
-150 cents: { "quo": -1, "rem": -50, "sum": -150 }
-1 cents: { "quo": 0, "rem": -1, "sum": -1 }
EOF
)
recorded=$(cat <<'EOF'
150 cents: { "quo": 1, "rem": 50, "sum": 150 }
-150 cents: { "quo": -2, "rem": -50, "sum": -250 }
-1 cents: { "quo": -1, "rem": -1, "sum": -101 }
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "typst 0.15.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
