#!/usr/bin/env bash
# Pendulum: a span that starts a day earlier counts fewer months.
# 31 January to 28 February is one month, 30 January to 28 February is none; the leap day has the
# same effect on years. A rule "full months billed" is not monotone in the start date.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" pendulum==3.3.0 tzdata==2026.6 python-dateutil==2.9.0.post0

cat >demo.py <<'EOF'
import pendulum

def months(start, end):
    span = pendulum.parse(end) - pendulum.parse(start)
    return f"{start} to {end}: {span.in_days()} days, full months {span.in_months()}"

print(months("2026-01-31", "2026-02-28"))
print(months("2026-01-30", "2026-02-28"))
print(months("2026-01-29", "2026-02-28"))
print(months("2024-01-31", "2025-02-28"))
print(months("2024-02-29", "2025-02-28"))
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
2026-01-31 to 2026-02-28: 28 days, full months 1
2026-01-30 to 2026-02-28: 29 days, full months 1
2026-01-29 to 2026-02-28: 30 days, full months 1
2024-01-31 to 2025-02-28: 394 days, full months 13
2024-02-29 to 2025-02-28: 365 days, full months 12
EOF
)
recorded=$(cat <<'EOF'
2026-01-31 to 2026-02-28: 28 days, full months 1
2026-01-30 to 2026-02-28: 29 days, full months 0
2026-01-29 to 2026-02-28: 30 days, full months 0
2024-01-31 to 2025-02-28: 394 days, full months 13
2024-02-29 to 2025-02-28: 365 days, full months 11
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "pendulum 3.3.0, tzdata 2026.6, python-dateutil 2.9.0.post0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
