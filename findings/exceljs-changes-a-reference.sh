#!/usr/bin/env bash
# ExcelJS: an invoice reference with _x0041_ in it reads back as another reference.
# Office Open XML writes a control character as _xHHHH_ and asks writers to escape text that looks like it.
# ExcelJS decodes on reading and does not escape on writing; XlsxWriter escapes, and its file reads back unchanged.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  exceljs@4.4.0 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" xlsxwriter==3.3.1

cat >write.py <<'EOF'
import xlsxwriter

with xlsxwriter.Workbook("xlsxwriter.xlsx") as book:
    book.add_worksheet("invoices").write_column(0, 0, ["A-2026-0001", "REF_x0041_7"])
EOF
cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { Workbook } = require('exceljs');
const book = new Workbook();
book.addWorksheet('invoices').addRows([['A-2026-0001'], ['REF_x0041_7']]);
await book.xlsx.writeFile('exceljs.xlsx');
for (const writer of ['exceljs', 'xlsxwriter']) {
  const read = new Workbook();
  await read.xlsx.readFile(`${writer}.xlsx`);
  read.worksheets[0].eachRow((row) => console.log(`written by ${writer}: ${row.getCell(1).value}`));
}
EOF
observed=$(PYTHONPATH="$work/lib" python3 write.py; node demo.mjs)

expected=$(cat <<'EOF'
written by exceljs: A-2026-0001
written by exceljs: REF_x0041_7
written by xlsxwriter: A-2026-0001
written by xlsxwriter: REF_x0041_7
EOF
)
recorded=$(cat <<'EOF'
written by exceljs: A-2026-0001
written by exceljs: REFA7
written by xlsxwriter: A-2026-0001
written by xlsxwriter: REF_x0041_7
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "exceljs 4.4.0, xlsxwriter 3.3.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
