#!/usr/bin/env bash
# Yearly in week 53: two of three libraries answer with seven days instead of one.
# RFC 5545 takes what a rule leaves open from DTSTART, here its weekday. rrule-temporal does;
# rrule and python-dateutil return every day of the week, so a yearly charge comes seven times.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  rrule@2.8.1 rrule-temporal@2.2.8 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" python-dateutil==2.9.0.post0 six==1.17.0

cat >demo.mjs <<'EOF'
import rrule from 'rrule';
import { RRuleTemporal } from 'rrule-temporal';
const rule = 'DTSTART:20260101T000000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=53;COUNT=3';
console.log('rrule:', rrule.rrulestr(rule).all().map((d) => d.toISOString().slice(0, 10)).join(' '));
console.log('rrule-temporal:', new RRuleTemporal({ rruleString: rule }).all().map((d) => d.toString().slice(0, 10)).join(' '));
EOF
cat >demo.py <<'EOF'
from dateutil.rrule import rrulestr

rule = rrulestr("DTSTART:20260101T000000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=53;COUNT=3")
print("python-dateutil:", *(day.date() for day in rule))
EOF
observed=$(TZ=UTC node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
rrule: 2026-12-31 2032-12-30 2037-12-31
rrule-temporal: 2026-12-31 2032-12-30 2037-12-31
python-dateutil: 2026-12-31 2032-12-30 2037-12-31
EOF
)
recorded=$(cat <<'EOF'
rrule: 2026-12-28 2026-12-29 2026-12-30
rrule-temporal: 2026-12-31 2032-12-30 2037-12-31
python-dateutil: 2026-12-28 2026-12-29 2026-12-30
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "rrule 2.8.1, rrule-temporal 2.2.8, python-dateutil 2.9.0.post0, six 1.17.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
