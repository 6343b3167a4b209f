#!/usr/bin/env bash
# jsvat: VAT ids that are handed out today are invalid.
# Belgium has given out numbers that begin with 1 since 2023, and Northern Ireland uses the prefix XI
# since 2021. jsvat knows neither; python-stdnum checks both.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  jsvat@2.5.4 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" python-stdnum==2.2

cat >demo.mjs <<'EOF'
import * as jsvat from 'jsvat';
const countries = Object.values(jsvat).filter((country) => country?.calcFn);
for (const id of ['BE0123456749', 'BE1012345646', 'GB123456782', 'XI123456782']) {
  console.log(`jsvat ${id}: ${jsvat.checkVAT(id, countries).isValid ? 'valid' : 'invalid'}`);
}
EOF
cat >demo.py <<'EOF'
from stdnum.eu import vat

for number in ["BE1012345646", "XI123456782"]:
    print(f"python-stdnum {number}: {'valid' if vat.is_valid(number) else 'invalid'}")
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
jsvat BE0123456749: valid
jsvat BE1012345646: valid
jsvat GB123456782: valid
jsvat XI123456782: valid
python-stdnum BE1012345646: valid
python-stdnum XI123456782: valid
EOF
)
recorded=$(cat <<'EOF'
jsvat BE0123456749: valid
jsvat BE1012345646: invalid
jsvat GB123456782: valid
jsvat XI123456782: invalid
python-stdnum BE1012345646: valid
python-stdnum XI123456782: valid
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "jsvat 2.5.4, python-stdnum 2.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
