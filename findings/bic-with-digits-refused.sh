#!/usr/bin/env bash
# BIC: python-stdnum and ibantools refuse what ISO 9362:2014 and pain.001.001.09 allow.
# Since 2014 the first four characters may contain digits. The schema of pain.001.001.09 (here as shipped
# with sepaxml) takes such a BIC, and schwifty does too.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  ibantools@4.5.4 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" sepaxml==2.7.0 python-stdnum==2.2 schwifty==2026.10.1

cat >demo.py <<'EOF'
import pathlib
import re
import schwifty
import sepaxml
from stdnum import bic

code = "A1B2DEFF"
schema = (pathlib.Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd").read_text()
pattern = re.search(r'name="BICFIDec2014Identifier".*?pattern value="([^"]+)"', schema, re.S)[1]
print("pain.001.001.09:", bool(re.fullmatch(pattern, code)))
print("schwifty:", schwifty.BIC(code, allow_invalid=True).is_valid)
print("python-stdnum:", bic.is_valid(code))
EOF
cat >demo.mjs <<'EOF'
import { isValidBIC } from 'ibantools';
console.log('ibantools:', isValidBIC('A1B2DEFF') ? 'True' : 'False');
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py; node demo.mjs)

expected=$(cat <<'EOF'
pain.001.001.09: True
schwifty: True
python-stdnum: True
ibantools: True
EOF
)
recorded=$(cat <<'EOF'
pain.001.001.09: True
schwifty: True
python-stdnum: False
ibantools: False
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "ibantools 4.5.4, sepaxml 2.7.0, python-stdnum 2.2, schwifty 2026.10.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
