#!/usr/bin/env bash
# Pendulum: a year divided by twelve is an empty duration, and a month plus a day is 31 days.
# Division rounds years and months separately and drops the rest; addition turns months into 30 days,
# while multiplication keeps them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" pendulum==3.3.0 tzdata==2026.6 python-dateutil==2.9.0.post0

cat >demo.py <<'EOF'
import pendulum

start = pendulum.datetime(2026, 1, 31)
print("1 January 2026 + (1 year / 12) =", (pendulum.datetime(2026, 1, 1) + pendulum.duration(years=1) / 12).to_date_string())
print("1 January 2026 + (3 months / 2) =", (pendulum.datetime(2026, 1, 1) + pendulum.duration(months=3) / 2).to_date_string())
print("31 January 2026 + 2 * 1 month =", (start + pendulum.duration(months=1) * 2).to_date_string())
print("31 January 2026 + (1 month + 1 month) =", (start + (pendulum.duration(months=1) + pendulum.duration(months=1))).to_date_string())
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
1 January 2026 + (1 year / 12) = 2026-02-01
1 January 2026 + (3 months / 2) = 2026-02-15
31 January 2026 + 2 * 1 month = 2026-03-31
31 January 2026 + (1 month + 1 month) = 2026-03-31
EOF
)
recorded=$(cat <<'EOF'
1 January 2026 + (1 year / 12) = 2026-01-01
1 January 2026 + (3 months / 2) = 2026-03-01
31 January 2026 + 2 * 1 month = 2026-03-31
31 January 2026 + (1 month + 1 month) = 2026-04-01
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "pendulum 3.3.0, tzdata 2026.6, python-dateutil 2.9.0.post0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
