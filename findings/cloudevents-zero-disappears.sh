#!/usr/bin/env bash
# CloudEvents SDK for JavaScript: an event whose data is 0 or false arrives without data.
# The structured JSON on the wire is correct; toEvent() of the same package drops falsy values.
# A usage event that reports zero units is then an event without a quantity. The Python SDK keeps it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  cloudevents@10.0.0 >/dev/null

cat >demo.mjs <<'EOF'
import { CloudEvent, HTTP } from 'cloudevents';
for (const data of [5, 0, false, '']) {
  const sent = HTTP.structured(new CloudEvent({ id: '1', source: '/billing', type: 'usage.recorded', data }));
  const wire = JSON.stringify(JSON.parse(sent.body).data);
  console.log(`data ${JSON.stringify(data)}: on the wire ${wire}, received ${JSON.stringify(HTTP.toEvent(sent).data)}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
data 5: on the wire 5, received 5
data 0: on the wire 0, received 0
data false: on the wire false, received false
data "": on the wire "", received ""
EOF
)
recorded=$(cat <<'EOF'
data 5: on the wire 5, received 5
data 0: on the wire 0, received undefined
data false: on the wire false, received undefined
data "": on the wire "", received undefined
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "cloudevents 10.0.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
