#!/usr/bin/env bash
# ClickHouse: 0.29 from JSON is 0.29 or 0.28, depending on the function that reads it.
# A float becomes a decimal by cutting, and 0.29 as a float is a little less than 0.29. toDecimal64() of
# JSONExtractFloat() loses a cent in one amount of ten or so; JSONExtract() with a Decimal type is exact.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile --no-deps \
  --target "$work/lib" chdb-core==26.9.0

cat >demo.py <<'EOF'
import chdb

for amount in ["0.29", "1.15", "4.35", "1.50"]:
    json = f"'{{\"amount\":{amount}}}'"
    row = chdb.query(f"SELECT toDecimal64(JSONExtractFloat({json}, 'amount'), 2), toDecimal64({amount}, 2), JSONExtract({json}, 'amount', 'Decimal(18, 2)')", "TSV")
    print(f"{amount}: from JSONExtractFloat {{}}, from a literal {{}}, from JSONExtract {{}}".format(*str(row).split()))
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
0.29: from JSONExtractFloat 0.29, from a literal 0.29, from JSONExtract 0.29
1.15: from JSONExtractFloat 1.15, from a literal 1.15, from JSONExtract 1.15
4.35: from JSONExtractFloat 4.35, from a literal 4.35, from JSONExtract 4.35
1.50: from JSONExtractFloat 1.5, from a literal 1.5, from JSONExtract 1.5
EOF
)
recorded=$(cat <<'EOF'
0.29: from JSONExtractFloat 0.28, from a literal 0.28, from JSONExtract 0.29
1.15: from JSONExtractFloat 1.14, from a literal 1.14, from JSONExtract 1.15
4.35: from JSONExtractFloat 4.34, from a literal 4.34, from JSONExtract 4.35
1.50: from JSONExtractFloat 1.5, from a literal 1.5, from JSONExtract 1.5
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "chdb-core 26.9.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
