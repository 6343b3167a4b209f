#!/usr/bin/env bash
# CloudEvents SDK for JavaScript: data of a "+json" media type is an object or a text, by transfer mode.
# Binary mode parses application/json only, so application/vnd.usage+json (RFC 6839) arrives as text;
# structured mode of the same event gives an object.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" \
  cloudevents@10.0.0 >/dev/null

cat >demo.mjs <<'EOF'
import { CloudEvent, HTTP } from 'cloudevents';
for (const datacontenttype of ['application/json', 'application/vnd.usage+json']) {
  const event = new CloudEvent({ id: '1', source: '/billing', type: 'usage.recorded', datacontenttype, data: { units: 5 } });
  console.log(`${datacontenttype}: structured ${typeof HTTP.toEvent(HTTP.structured(event)).data}, binary ${typeof HTTP.toEvent(HTTP.binary(event)).data}`);
}
EOF
observed=$(TZ=UTC node demo.mjs)

expected=$(cat <<'EOF'
application/json: structured object, binary object
application/vnd.usage+json: structured object, binary object
EOF
)
recorded=$(cat <<'EOF'
application/json: structured object, binary object
application/vnd.usage+json: structured object, binary string
EOF
)

printf 'packages: %s\n\nexpected:\n%s\n\nobserved:\n%s\n' \
  "cloudevents 10.0.0" "$expected" "$observed"
if [ "$observed" != "$recorded" ]; then
  printf '\nchanged; recorded was:\n%s\n' "$recorded"
  exit 1
fi
