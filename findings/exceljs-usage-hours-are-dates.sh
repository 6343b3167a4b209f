#!/usr/bin/env bash
# ExcelJS: 12.5 hours of usage are a day in January 1900.
# A number format may name its unit in quotes or, for a single letter, after a backslash (0.0\h). ExcelJS drops
# the backslash when it reads the file, finds h, d or m and returns a date; openpyxl returns the number.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  exceljs@4.4.0 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" openpyxl==3.1.5 et_xmlfile==2.0.0

cat >write.py <<'EOF'
import openpyxl

book = openpyxl.Workbook()
for row, unit in enumerate(['0.0"h"', r"0.0\h", r"#,##0.0\ \d", r"0.0\m"], start=1):
    book.active.cell(row, 1, 12.5).number_format = unit
book.save("usage.xlsx")
for (cell,) in openpyxl.load_workbook("usage.xlsx").active.iter_rows():
    print(f"openpyxl {cell.number_format}: {cell.value}")
EOF
cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { Workbook } = require('exceljs');
const book = new Workbook();
await book.xlsx.readFile('usage.xlsx');
book.worksheets[0].eachRow((row) => {
  const { value, numFmt } = row.getCell(1);
  console.log(`ExcelJS ${numFmt}: ${value instanceof Date ? value.toISOString() : value}`);
});
EOF
observed=$(PYTHONPATH="$work/lib" python3 write.py; node demo.mjs)

expected=$(cat <<'EOF'
openpyxl 0.0"h": 12.5
openpyxl 0.0\h: 12.5
openpyxl #,##0.0\ \d: 12.5
openpyxl 0.0\m: 12.5
ExcelJS 0.0"h": 12.5
ExcelJS 0.0\h: 12.5
ExcelJS #,##0.0\ \d: 12.5
ExcelJS 0.0\m: 12.5
EOF
)
recorded=$(cat <<'EOF'
openpyxl 0.0"h": 12.5
openpyxl 0.0\h: 12.5
openpyxl #,##0.0\ \d: 12.5
openpyxl 0.0\m: 12.5
ExcelJS 0.0"h": 12.5
ExcelJS 0.0h: 1900-01-11T12:00:00.000Z
ExcelJS #,##0.0 d: 1900-01-11T12:00:00.000Z
ExcelJS 0.0m: 1900-01-11T12:00:00.000Z
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "exceljs 4.4.0, openpyxl 3.1.5" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
