#!/usr/bin/env bash
# rfc6902 (npm): the patch that it creates cannot be applied by it.
# For documents that differ at the root it creates a replacement of "" (the whole document, RFC 6901), and
# applyPatch answers MissingError and changes nothing. fast-json-patch applies the same patch.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  rfc6902@5.4.0 fast-json-patch@3.1.1 >/dev/null

cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const rfc6902 = require('rfc6902');
const fast = require('fast-json-patch');
for (const [before, after] of [[{ lines: [1] }, { lines: [1, 2] }], [[1], { lines: [1] }]]) {
  const patch = rfc6902.createPatch(before, after);
  console.log(JSON.stringify(patch));
  const document = structuredClone(before);
  const [error] = rfc6902.applyPatch(document, patch);
  console.log(`rfc6902: ${error ? error.name : 'applied'}, ${JSON.stringify(document)}`);
  console.log(`fast-json-patch: ${JSON.stringify(fast.applyPatch(structuredClone(before), patch, true).newDocument)}`);
}
EOF
observed=$(node demo.mjs)

expected=$(cat <<'EOF'
[{"op":"add","path":"/lines/-","value":2}]
rfc6902: applied, {"lines":[1,2]}
fast-json-patch: {"lines":[1,2]}
[{"op":"replace","path":"","value":{"lines":[1]}}]
rfc6902: applied, {"lines":[1]}
fast-json-patch: {"lines":[1]}
EOF
)
recorded=$(cat <<'EOF'
[{"op":"add","path":"/lines/-","value":2}]
rfc6902: applied, {"lines":[1,2]}
fast-json-patch: {"lines":[1,2]}
[{"op":"replace","path":"","value":{"lines":[1]}}]
rfc6902: MissingError, [1]
fast-json-patch: {"lines":[1]}
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "rfc6902 5.4.0, fast-json-patch 3.1.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
