#!/usr/bin/env bash
# Day.js: a duration of 31 days is one month and fourteen hours.
# Durations of more than 30 days are split by an average month of 30.4 days, so adding one moves the
# time of day: a period of 90 days ends 44 hours early.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  dayjs@1.11.23 >/dev/null

cat >demo.mjs <<'EOF'
import dayjs from 'dayjs';
import duration from 'dayjs/plugin/duration.js';
import utc from 'dayjs/plugin/utc.js';
dayjs.extend(duration);
dayjs.extend(utc);
const start = dayjs.utc('2026-01-01');
for (const days of [30, 31, 60, 90]) {
  const d = dayjs.duration(days, 'days');
  console.log(`${days} days: ${d.toISOString()}, from 1 January to ${start.add(d).format()}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
30 days: P30D, from 1 January to 2026-01-31T00:00:00Z
31 days: P31D, from 1 January to 2026-02-01T00:00:00Z
60 days: P60D, from 1 January to 2026-03-02T00:00:00Z
90 days: P90D, from 1 January to 2026-04-01T00:00:00Z
EOF
)
recorded=$(cat <<'EOF'
30 days: P30D, from 1 January to 2026-01-31T00:00:00Z
31 days: P1MT14H, from 1 January to 2026-02-01T14:00:00Z
60 days: P1M29DT14H, from 1 January to 2026-03-02T14:00:00Z
90 days: P2M29DT4H, from 1 January to 2026-03-30T04:00:00Z
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "dayjs 1.11.23" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
