#!/usr/bin/env bash
# ics (npm): a due date of whole days gets a duration that RFC 5545 does not allow.
# The grammar has a T only before hours, minutes or seconds. The library writes P1DT for one day. ical.js is
# lenient and reads it; a reader that follows the grammar, as Temporal's does, refuses the value.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  ics@3.12.0 ical.js@2.2.1 @js-temporal/polyfill@0.5.1 >/dev/null

cat >demo.mjs <<'EOF'
import { createEvents } from 'ics';
import ICAL from 'ical.js';
import { Temporal } from '@js-temporal/polyfill';
for (const duration of [{ days: 1 }, { weeks: 1 }, { hours: 1 }]) {
  const { value } = createEvents([{ start: [2026, 12, 31], startOutputType: 'local', duration, title: 'Invoice A-1 due' }]);
  const text = value.match(/DURATION:(.*)/)[1];
  let read;
  try {
    read = `${Temporal.Duration.from(text).total({ unit: 'hours', relativeTo: '2026-12-31' })} hours`;
  } catch (error) {
    read = error.name;
  }
  console.log(`${JSON.stringify(duration)}: ${text}, ical.js ${ICAL.Duration.fromString(text).toSeconds() / 3600} hours, Temporal ${read}`);
}
EOF
observed=$(node demo.mjs)

expected=$(cat <<'EOF'
{"days":1}: P1D, ical.js 24 hours, Temporal 24 hours
{"weeks":1}: P1W, ical.js 168 hours, Temporal 168 hours
{"hours":1}: PT1H, ical.js 1 hours, Temporal 1 hours
EOF
)
recorded=$(cat <<'EOF'
{"days":1}: P1DT, ical.js 24 hours, Temporal RangeError
{"weeks":1}: P1WT, ical.js 168 hours, Temporal RangeError
{"hours":1}: PT1H, ical.js 1 hours, Temporal 1 hours
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "ics 3.12.0, ical.js 2.2.1, @js-temporal/polyfill 0.5.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
