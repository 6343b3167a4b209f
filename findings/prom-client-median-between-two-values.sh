#!/usr/bin/env bash
# prom-client: the median of 900 ones and 100 thousands is 100.9.
# Its summaries use a t-digest, which merges equal values into one centroid and then interpolates between the
# centres. With few distinct values (units, retries, plan sizes) quantiles are values that never occurred.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  prom-client@15.1.3 tdigest@0.1.3 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" tdigest==0.5.2.2 accumulation_tree==0.6.4 pyudorandom==1.0.0

cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const client = require('prom-client');
const summary = new client.Summary({ name: 'units', help: 'Units of an order', percentiles: [0.5, 0.75, 0.9] });
for (let order = 0; order < 1000; order += 1) summary.observe(order < 900 ? 1 : 1000);
const { values } = await summary.get();
for (const { labels, value } of values.filter(({ labels }) => labels.quantile)) {
  console.log(`prom-client, quantile ${labels.quantile}: ${value}`);
}
EOF
cat >demo.py <<'EOF'
from tdigest import TDigest

digest = TDigest()
digest.batch_update([1] * 900 + [1000] * 100)
for percent in [50, 75, 90]:
    print(f"tdigest for Python, quantile {percent / 100}: {digest.percentile(percent):.1f}")
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
prom-client, quantile 0.5: 1
prom-client, quantile 0.75: 1
prom-client, quantile 0.9: 1
tdigest for Python, quantile 0.5: 1.0
tdigest for Python, quantile 0.75: 1.0
tdigest for Python, quantile 0.9: 1.0
EOF
)
recorded=$(cat <<'EOF'
prom-client, quantile 0.5: 100.9
prom-client, quantile 0.75: 600.4
prom-client, quantile 0.9: 900.1
tdigest for Python, quantile 0.5: 100.9
tdigest for Python, quantile 0.75: 600.4
tdigest for Python, quantile 0.9: 900.1
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "prom-client 15.1.3, tdigest (npm) 0.1.3, tdigest (PyPI) 0.5.2.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
