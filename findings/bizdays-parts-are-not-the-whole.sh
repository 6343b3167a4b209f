#!/usr/bin/env bash
# bizdays: the business days of a span are not the sum of its parts.
# From Friday to Monday is one business day. Split at the Saturday or the Sunday between them the parts are zero, so
# interest or a payment term counted in two steps across a weekend loses a day.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" bizdays==1.0.19 python-dateutil==2.9.0.post0 six==1.17.0

cat >demo.py <<'EOF'
from bizdays import Calendar

calendar = Calendar(weekdays=["Saturday", "Sunday"], name="weekends")
whole = calendar.bizdays("2026-01-02", "2026-01-05")
print("Friday to Monday:", whole)
for name, between in [("Saturday", "2026-01-03"), ("Sunday", "2026-01-04")]:
    first = calendar.bizdays("2026-01-02", between)
    second = calendar.bizdays(between, "2026-01-05")
    print(f"Friday to {name} and on to Monday: {first} + {second} = {first + second}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
Friday to Monday: 1
Friday to Saturday and on to Monday: 0 + 1 = 1
Friday to Sunday and on to Monday: 0 + 1 = 1
EOF
)
recorded=$(cat <<'EOF'
Friday to Monday: 1
Friday to Saturday and on to Monday: 0 + 0 = 0
Friday to Sunday and on to Monday: 0 + 0 = 0
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "bizdays 1.0.19" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
