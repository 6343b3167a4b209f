#!/usr/bin/env bash
# DDSketch: the sum of a sketch is zero after it was sent.
# The Protobuf message has no field for the sum, minimum and maximum, and both libraries fill them with the
# values of an empty sketch. The count and the quantiles survive, so the average of 100 to 400 is 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  @datadog/sketches-js@2.1.1 protobufjs@8.8.1 >/dev/null
python3 -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --root-user-action=ignore --no-compile \
  --target "$work/lib" ddsketch==3.0.1 protobuf==7.36.2

cat >demo.mjs <<'EOF'
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { DDSketch } = require('@datadog/sketches-js');
const sent = new DDSketch({ relativeAccuracy: 0.01 });
for (const value of [100, 200, 300, 400]) sent.accept(value);
const received = DDSketch.fromProto(sent.toProto());
for (const [name, sketch] of Object.entries({ sent, received })) {
  console.log(`Node.js, ${name}: count ${sketch.count}, sum ${sketch.sum}, min ${sketch.min}, max ${sketch.max}`);
}
EOF
cat >demo.py <<'EOF'
from ddsketch import DDSketch
from ddsketch.pb.proto import DDSketchProto

sent = DDSketch(0.01)
for value in [100, 200, 300, 400]:
    sent.add(value)
received = DDSketchProto.from_proto(DDSketchProto.to_proto(sent))
for name, sketch in [("sent", sent), ("received", received)]:
    print(f"Python, {name}: count {sketch.count}, sum {sketch.sum}, average {sketch.avg}, median {sketch.get_quantile_value(0.5):.0f}")
EOF
observed=$(node demo.mjs; PYTHONPATH="$work/lib" python3 demo.py)

expected=$(cat <<'EOF'
Node.js, sent: count 4, sum 1000, min 100, max 400
Node.js, received: count 4, sum 1000, min 100, max 400
Python, sent: count 4.0, sum 1000.0, average 250.0, median 198
Python, received: count 4.0, sum 1000.0, average 250.0, median 198
EOF
)
recorded=$(cat <<'EOF'
Node.js, sent: count 4, sum 1000, min 100, max 400
Node.js, received: count 4, sum 0, min Infinity, max -Infinity
Python, sent: count 4.0, sum 1000.0, average 250.0, median 198
Python, received: count 4.0, sum 0.0, average 0.0, median 198
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "@datadog/sketches-js 2.1.1, protobufjs 8.8.1, ddsketch 3.0.1, protobuf 7.36.2" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
