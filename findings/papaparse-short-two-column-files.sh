#!/usr/bin/env bash
# Papa Parse: a short file of two columns separated by semicolons is read as one column.
# The empty line after the final line break counts as a row of one field, so up to eight rows stay below
# an average of two and the delimiter falls back to a comma. Longer files and files without the final
# line break are read correctly, and so is every length with skipEmptyLines.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  papaparse@5.7.1 >/dev/null

cat >demo.mjs <<'EOF'
import Papa from 'papaparse';
const file = (rows) => 'app;units\n' + Array.from({ length: rows }, (_, i) => `app_${i};${i}\n`).join('');
for (const rows of [1, 3, 8, 9, 20]) {
  const columns = (text) => Papa.parse(text, { header: true }).meta.fields.length;
  console.log(`${rows} rows: ${columns(file(rows))} columns, without the final line break ${columns(file(rows).trimEnd())}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
1 rows: 2 columns, without the final line break 2
3 rows: 2 columns, without the final line break 2
8 rows: 2 columns, without the final line break 2
9 rows: 2 columns, without the final line break 2
20 rows: 2 columns, without the final line break 2
EOF
)
recorded=$(cat <<'EOF'
1 rows: 1 columns, without the final line break 2
3 rows: 1 columns, without the final line break 2
8 rows: 1 columns, without the final line break 2
9 rows: 2 columns, without the final line break 2
20 rows: 2 columns, without the final line break 2
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "papaparse 5.7.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
