#!/usr/bin/env bash
# structured-headers: a decimal such as 1.0004 is written as "1.", which no parser accepts.
# RFC 9651, section 4.1.5, demands a digit behind the point. The same package refuses the text that
# it wrote; structured-field-values writes "1.0".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  structured-headers@2.1.0 structured-field-values@2.0.4 >/dev/null

cat >demo.mjs <<'EOF'
import { encodeItem } from 'structured-field-values';
import { parseItem, serializeItem } from 'structured-headers';
for (const value of [1.5, 1.0004, 0.0000001]) {
  const text = serializeItem(value);
  let read;
  try {
    [read] = parseItem(text);
  } catch (error) {
    read = error.constructor.name;
  }
  console.log(`${value}: structured-headers ${text}, read back ${read}; structured-field-values ${encodeItem(value)}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
1.5: structured-headers 1.5, read back 1.5; structured-field-values 1.5
1.0004: structured-headers 1.0, read back 1; structured-field-values 1.0
1e-7: structured-headers 0.0, read back 0; structured-field-values 0.0
EOF
)
recorded=$(cat <<'EOF'
1.5: structured-headers 1.5, read back 1.5; structured-field-values 1.5
1.0004: structured-headers 1., read back ParseError; structured-field-values 1.0
1e-7: structured-headers 0., read back ParseError; structured-field-values 0.0
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "structured-headers 2.1.0, structured-field-values 2.0.4" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
