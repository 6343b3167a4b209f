#!/usr/bin/env bash
# canonical-json: keys that look like integers are sorted as numbers and come first.
# The package builds a sorted object and serializes it, and JavaScript objects put such keys first in
# numeric order. A digest over usage by hour or by account number differs from every other implementation.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  canonical-json@0.4.0 json-canonicalize@3.0.1 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" jcs==0.2.1

cat >demo.mjs <<'EOF'
import canonicalJson from 'canonical-json';
import { canonicalize } from 'json-canonicalize';
const usage = { b: 1, 9: 2, 10: 3, '-1': 4 };
console.log('canonical-json:', canonicalJson(usage));
console.log('json-canonicalize:', canonicalize(usage));
EOF
cat >demo.py <<'EOF'
import jcs

print("jcs:", jcs.canonicalize({"b": 1, "9": 2, "10": 3, "-1": 4}).decode())
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
canonical-json: {"-1":4,"10":3,"9":2,"b":1}
json-canonicalize: {"-1":4,"10":3,"9":2,"b":1}
jcs: {"-1":4,"10":3,"9":2,"b":1}
EOF
)
recorded=$(cat <<'EOF'
canonical-json: {"9":2,"10":3,"-1":4,"b":1}
json-canonicalize: {"-1":4,"10":3,"9":2,"b":1}
jcs: {"-1":4,"10":3,"9":2,"b":1}
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "canonical-json 0.4.0, json-canonicalize 3.0.1, jcs 0.2.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
