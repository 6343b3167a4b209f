#!/usr/bin/env bash
# numeral and numbro: an amount that rounds to zero from below loses its digits.
# Left-over fractions such as -0.001 are common after prorations. Both formatters put the sign or the
# symbol where the zeros belong; accounting and currency.js print a zero.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  numeral@2.0.6 numbro@2.5.0 accounting@0.4.1 currency.js@2.0.4 >/dev/null

cat >demo.mjs <<'EOF'
import accounting from 'accounting';
import currency from 'currency.js';
import numbro from 'numbro';
import numeral from 'numeral';
console.log('numeral:', numeral(-0.001).format('$0,0.00'));
console.log('numeral, 0.0000001 without symbol:', numeral(0.0000001).format('0.00'));
console.log('numbro:', numbro(-0.001).formatCurrency({ mantissa: 2 }));
console.log('accounting:', accounting.formatMoney(-0.001));
console.log('currency.js:', currency(-0.001).format());
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
numeral: -$0.00
numeral, 0.0000001 without symbol: 0.00
numbro: -$0.00
accounting: $-0.00
currency.js: $0.00
EOF
)
recorded=$(cat <<'EOF'
numeral: 0$.00
numeral, 0.0000001 without symbol: NaN
numbro: -$.00
accounting: $-0.00
currency.js: $0.00
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "numeral 2.0.6, numbro 2.5.0, accounting 0.4.1, currency.js 2.0.4" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
