#!/usr/bin/env bash
# rfc8785: its canonical form of 1e20 cannot be canonicalized again.
# RFC 8785 writes the double 1e20 as 100000000000000000000. Read back, Python has an integer, and the
# library refuses integers above 2^53 even where a double holds them exactly; jcs accepts it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" rfc8785==0.1.4 jcs==0.2.1

cat >demo.py <<'EOF'
import json
import jcs
import rfc8785

once = rfc8785.dumps({"units": 1e20})
print("first time:", once.decode())
try:
    print("second time:", rfc8785.dumps(json.loads(once)).decode())
except rfc8785.IntegerDomainError as error:
    print("second time: IntegerDomainError:", error)
print("second time, jcs:", jcs.canonicalize(json.loads(once)).decode())
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
first time: {"units":100000000000000000000}
second time: {"units":100000000000000000000}
second time, jcs: {"units":100000000000000000000}
EOF
)
recorded=$(cat <<'EOF'
first time: {"units":100000000000000000000}
second time: IntegerDomainError: 100000000000000000000 exceeds safe integer domain for JSON floats
second time, jcs: {"units":100000000000000000000}
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "rfc8785 0.1.4, jcs 0.2.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
