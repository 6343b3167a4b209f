#!/usr/bin/env bash
# currency.js: the credit of an amount does not cancel its charge.
# Halves are rounded up on the number line, so 1.005 becomes 1.01 and -1.005 becomes -1.00. Python's
# and .NET's defaults (to even) and commercial rounding (away from zero) are both symmetric.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  currency.js@2.0.4 >/dev/null

cat >demo.mjs <<'EOF'
import currency from 'currency.js';
for (const amount of [1.005, 2.345, 10.125]) {
  const charge = currency(amount);
  const credit = currency(-amount);
  console.log(`charge ${charge}, credit ${credit}, together ${charge.add(credit)}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
charge 1.01, credit -1.01, together 0.00
charge 2.35, credit -2.35, together 0.00
charge 10.13, credit -10.13, together 0.00
EOF
)
recorded=$(cat <<'EOF'
charge 1.01, credit -1.00, together 0.01
charge 2.35, credit -2.34, together 0.01
charge 10.13, credit -10.12, together 0.01
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "currency.js 2.0.4" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
