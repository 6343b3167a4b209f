#!/usr/bin/env bash
# holidays: the German calendar reads 01.05.2026 as 5 January.
# Dates given as text are read with the month first, and with the day first only where the month would be
# above 12. Labour Day is a working day then, Christmas Day is found, and 5 January is a holiday.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" holidays==0.109

cat >demo.py <<'EOF'
import datetime
import holidays

germany = holidays.country_holidays("DE", years=2026, language="de")
for text in ["25.12.2026", "01.05.2026", "03.10.2026", "05.01.2026"]:
    day = datetime.datetime.strptime(text, "%d.%m.%Y").date()
    print(f"{text}: as text {germany.get(text)}, as date {germany.get(day)}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
25.12.2026: as text Erster Weihnachtstag, as date Erster Weihnachtstag
01.05.2026: as text Erster Mai, as date Erster Mai
03.10.2026: as text Tag der Deutschen Einheit, as date Tag der Deutschen Einheit
05.01.2026: as text None, as date None
EOF
)
recorded=$(cat <<'EOF'
25.12.2026: as text Erster Weihnachtstag, as date Erster Weihnachtstag
01.05.2026: as text None, as date Erster Mai
03.10.2026: as text None, as date Tag der Deutschen Einheit
05.01.2026: as text Erster Mai, as date None
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "holidays 0.109" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
