#!/usr/bin/env bash
# date-fns: one month from the end of January is one month, three months are two.
# differenceInMonths counts a month that ends early (31 January to 28 February) as full, but only
# when it is the single one. Counting billed months this way loses one in long periods.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  date-fns@4.4.0 >/dev/null

cat >demo.mjs <<'EOF'
import { addMonths, differenceInMonths } from 'date-fns';
const start = new Date('2026-01-31T00:00:00Z');
for (const months of [1, 2, 3, 5]) {
  const end = addMonths(start, months);
  console.log(`31 January + ${months} = ${end.toISOString().slice(0, 10)}, difference ${differenceInMonths(end, start)}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
31 January + 1 = 2026-02-28, difference 1
31 January + 2 = 2026-03-31, difference 2
31 January + 3 = 2026-04-30, difference 3
31 January + 5 = 2026-06-30, difference 5
EOF
)
recorded=$(cat <<'EOF'
31 January + 1 = 2026-02-28, difference 1
31 January + 2 = 2026-03-31, difference 2
31 January + 3 = 2026-04-30, difference 2
31 January + 5 = 2026-06-30, difference 4
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "date-fns 4.4.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
