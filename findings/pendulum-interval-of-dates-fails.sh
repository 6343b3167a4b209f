#!/usr/bin/env bash
# Pendulum: an ISO 8601 interval of a date and a duration cannot be parsed.
# parse() documents intervals. With a time of day they work; with plain dates, the usual form of a
# billing period, the result is a TypeError about hours.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" pendulum==3.3.0 tzdata==2026.6 python-dateutil==2.9.0.post0

cat >demo.py <<'EOF'
import pendulum

for text in ["2026-01-31T00:00:00Z/P1M", "2026-01-31/2026-02-28", "2026-01-31/P1M", "P1M/2026-03-31"]:
    try:
        print(text, "=", str(pendulum.parse(text).end)[:10])
    except TypeError as error:
        print(text, "= TypeError:", error)
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
2026-01-31T00:00:00Z/P1M = 2026-02-28
2026-01-31/2026-02-28 = 2026-02-28
2026-01-31/P1M = 2026-02-28
P1M/2026-03-31 = 2026-03-31
EOF
)
recorded=$(cat <<'EOF'
2026-01-31T00:00:00Z/P1M = 2026-02-28
2026-01-31/2026-02-28 = 2026-02-28
2026-01-31/P1M = TypeError: Date.add() got an unexpected keyword argument 'hours'
P1M/2026-03-31 = TypeError: Date.subtract() got an unexpected keyword argument 'hours'
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "pendulum 3.3.0, tzdata 2026.6, python-dateutil 2.9.0.post0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
