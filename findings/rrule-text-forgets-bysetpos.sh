#!/usr/bin/env bash
# rrule: the text of "last day that exists, at most the 31st" is a rule for four days of each month.
# toText() leaves BYSETPOS out although isFullyConvertibleToText() is true, so reading the text back
# gives another rule. BYMONTHDAY with BYSETPOS=-1 is the usual way to anchor billing at a month's end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  rrule@2.8.1 >/dev/null

cat >demo.mjs <<'EOF'
import rrule from 'rrule';
const { RRule } = rrule;
const dtstart = new Date('2026-01-28T00:00:00Z');
const until = new Date('2026-12-31T00:00:00Z');
for (const text of ['FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1', 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1']) {
  const rule = RRule.fromString(text);
  const again = RRule.fromText(rule.toText());
  const times = (r) => new RRule({ ...r.origOptions, dtstart, until }).all().length;
  console.log(`${text}: fully convertible ${rule.isFullyConvertibleToText()}, ${times(rule)} a year; after the text ${times(again)} a year`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1: fully convertible true, 12 a year; after the text 12 a year
FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1: fully convertible true, 12 a year; after the text 12 a year
EOF
)
recorded=$(cat <<'EOF'
FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1: fully convertible true, 12 a year; after the text 41 a year
FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1: fully convertible true, 12 a year; after the text 242 a year
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "rrule 2.8.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
