#!/usr/bin/env bash
# prometheus_client: its parser gives counters another name than the one that was scraped.
# The text format has no suffix rule and prom-client for Node.js exposes "billed" as "billed". The Python
# parser returns billed_total, so a lookup by the exposed name finds nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  prom-client@15.1.3 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" prometheus_client==0.26.0

cat >demo.mjs <<'EOF'
import client from 'prom-client';
const registry = new client.Registry();
new client.Counter({ name: 'billed', help: 'Invoices billed', registers: [registry] }).inc(5);
new client.Gauge({ name: 'open', help: 'Invoices open', registers: [registry] }).set(2);
process.stdout.write(await registry.metrics());
EOF
cat >demo.py <<'EOF'
import sys
from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.read()
print("exposed:", *(line.split()[0] for line in text.splitlines() if line and not line.startswith("#")))
print("parsed:", *(sample.name for family in text_string_to_metric_families(text) for sample in family.samples))
EOF
observed=$(node demo.mjs | PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
exposed: billed open
parsed: billed open
EOF
)
recorded=$(cat <<'EOF'
exposed: billed open
parsed: billed_total open
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "prom-client 15.1.3, prometheus_client 0.26.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
