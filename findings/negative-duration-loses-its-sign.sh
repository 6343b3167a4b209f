#!/usr/bin/env bash
# Two of four duration parsers read "-P1D" as one day later.
# iso8601-duration and Day.js accept the leading sign of ISO 8601-2 and drop it; luxon and isodate
# honour it. A reminder one day before the due date is sent one day after it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  iso8601-duration@2.1.4 dayjs@1.11.23 luxon@3.7.2 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" isodate==0.7.2

cat >demo.mjs <<'EOF'
import dayjs from 'dayjs';
import duration from 'dayjs/plugin/duration.js';
import utc from 'dayjs/plugin/utc.js';
import { end, parse } from 'iso8601-duration';
import { DateTime, Duration } from 'luxon';
dayjs.extend(duration);
dayjs.extend(utc);
const due = '2026-11-30';
console.log('iso8601-duration: 30 November with -P1D is', end(parse('-P1D'), new Date(due)).toISOString().slice(0, 10));
console.log('dayjs: 30 November with -P1D is', dayjs.utc(due).add(dayjs.duration('-P1D')).format('YYYY-MM-DD'));
console.log('luxon: 30 November with -P1D is', DateTime.fromISO(due, { zone: 'utc' }).plus(Duration.fromISO('-P1D')).toISODate());
EOF
cat >demo.py <<'EOF'
from datetime import date
from isodate import parse_duration

print("isodate: 30 November with -P1D is", date(2026, 11, 30) + parse_duration("-P1D"))
EOF
observed=$(TZ=UTC node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
iso8601-duration: 30 November with -P1D is 2026-11-29
dayjs: 30 November with -P1D is 2026-11-29
luxon: 30 November with -P1D is 2026-11-29
isodate: 30 November with -P1D is 2026-11-29
EOF
)
recorded=$(cat <<'EOF'
iso8601-duration: 30 November with -P1D is 2026-12-01
dayjs: 30 November with -P1D is 2026-12-01
luxon: 30 November with -P1D is 2026-11-29
isodate: 30 November with -P1D is 2026-11-29
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "iso8601-duration 2.1.4, dayjs 1.11.23, luxon 3.7.2, isodate 0.7.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
