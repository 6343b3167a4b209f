#!/usr/bin/env bash
# openpyxl: the last microsecond of a month is in the next month after saving and loading.
# datetime.max.time() is the usual end of a period. The reader rounds the serial number to whole milliseconds, so
# 23:59:59.999999 on 31 January becomes 1 February; a file of XlsxWriter is read the same way.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" openpyxl==3.1.5 et_xmlfile==2.0.0 xlsxwriter==3.3.1

cat >demo.py <<'EOF'
import datetime
import openpyxl
import xlsxwriter

end = datetime.datetime.combine(datetime.date(2026, 1, 31), datetime.time.max)
print("period end:", end)
book = openpyxl.Workbook()
book.active["A1"] = end
book.save("openpyxl.xlsx")
with xlsxwriter.Workbook("xlsxwriter.xlsx") as written:
    written.add_worksheet().write_datetime(0, 0, end, written.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}))
for name in ["openpyxl", "xlsxwriter"]:
    print(f"written by {name}, read by openpyxl:", openpyxl.load_workbook(f"{name}.xlsx").active["A1"].value)
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
period end: 2026-01-31 23:59:59.999999
written by openpyxl, read by openpyxl: 2026-01-31 23:59:59.999999
written by xlsxwriter, read by openpyxl: 2026-01-31 23:59:59.999000
EOF
)
recorded=$(cat <<'EOF'
period end: 2026-01-31 23:59:59.999999
written by openpyxl, read by openpyxl: 2026-02-01 00:00:00
written by xlsxwriter, read by openpyxl: 2026-02-01 00:00:00
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "openpyxl 3.1.5, xlsxwriter 3.3.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
