#!/usr/bin/env bash
# Day.js: adding a duration of one week leaves the date where it was.
# The duration knows that P1W is seven days; add() and subtract() leave its weeks out.
# A trial of P2W therefore ends when it starts.
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
for (const text of ['P7D', 'P1W', 'P2W', 'P1W1D']) {
  const d = dayjs.duration(text);
  console.log(`${text} is ${d.asDays()} days; 1 February + ${text} = ${dayjs.utc('2026-02-01').add(d).format('YYYY-MM-DD')}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
P7D is 7 days; 1 February + P7D = 2026-02-08
P1W is 7 days; 1 February + P1W = 2026-02-08
P2W is 14 days; 1 February + P2W = 2026-02-15
P1W1D is 8 days; 1 February + P1W1D = 2026-02-09
EOF
)
recorded=$(cat <<'EOF'
P7D is 7 days; 1 February + P7D = 2026-02-08
P1W is 7 days; 1 February + P1W = 2026-02-01
P2W is 14 days; 1 February + P2W = 2026-02-01
P1W1D is 8 days; 1 February + P1W1D = 2026-02-02
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "dayjs 1.11.23" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
