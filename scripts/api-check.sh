#!/usr/bin/env bash
# Sends a server with the demo, and a Stripe stand-in behind it, what its OpenAPI document allows:
# as staff, as a customer, with an API key and unauthenticated. Fails on a 5xx and on any
# undocumented status, content type or body. The requests are the same each time.
#
#   APEX_API_CASES=8          cases per operation, for each of the four
#   APEX_API_PORT=3110        the server's port; the stand-in uses the next one
set -uo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 9

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}" SQLX_OFFLINE=true
port=${APEX_API_PORT:-3110}
url=http://127.0.0.1:$port
password='what the demo people type' secret=whsec_of_the_api_check stripe_key=sk_test_of_the_api_check

cargo build --quiet --bin apex-billing || exit 9
work=$(mktemp -d)
pids=()
finish() {
  local status=$?
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null; done
  wait
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM
# schemathesis waits ten seconds for a response; a reconciliation waits as long before it compares
# differences again.
sed 's/^settle-seconds = 10$/settle-seconds = 1/' Leptos.toml > "$work/Leptos.toml"

STRIPE_STAND_IN_ADDR=127.0.0.1:$((port + 1)) STRIPE_STAND_IN_KEY=$stripe_key "$CARGO_TARGET_DIR/debug/apex-billing" stripe-stand-in > "$work/stripe" 2>&1 &
pids+=($!)
(cd "$work" && exec env -u DATABASE_URL -u CLICKHOUSE_URL LEPTOS_SITE_ADDR=127.0.0.1:$port LEPTOS_SITE_ROOT="$root/target/site" METRICS_ADDR=127.0.0.1:0 \
  PUBLIC_URL="$url" DEMO_PASSWORD="$password" STRIPE_WEBHOOK_SECRET=$secret STRIPE_SECRET_KEY=$stripe_key STRIPE_API_BASE=http://127.0.0.1:$((port + 1))/ \
  RUST_LOG=error "$CARGO_TARGET_DIR/debug/apex-billing" serve --demo > "$work/server" 2>&1) &
server=$!
pids+=("$server")
for _ in $(seq 600); do
  curl -sf "$url/readyz" >/dev/null && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server"; exit 9; }
  sleep 0.1
done

# The stand-in has the demo's customers too.
curl -sf -o /dev/null -u "$stripe_key:" "http://127.0.0.1:$((port + 1))/_objects" -H 'Content-Type: application/json' \
  -d '[{"id":"cus_demo_lumen","object":"customer","created":1750000000},{"id":"cus_demo_kisetsu","object":"customer","created":1750000000}]' ||
  { echo "The stand-in for Stripe does not answer."; exit 9; }

cookie_of() {
  curl -s -D - -o /dev/null "$url/api/v1/auth/login" -H 'Content-Type: application/json' -d "{\"email\":\"$1@demo.test\",\"password\":\"$password\"}" |
    sed -n 's/^set-cookie: \(auth_token=[^;]*\).*/\1/Ip'
}
# Before the unauthenticated requests throttle logins from this address.
staff=$(cookie_of admin) publisher=$(cookie_of publisher)
key=$(sed -n 's/.*"api_key": *"\([^"]*\)".*/\1/p' "$work/.data/demo.json")

# Excluded: logout ends the session of all later requests, and a feature switched off makes every
# other operation answer 503.
# schemathesis has no NDJSON serializer; this one writes a list's items as lines.
cat > "$work/hooks.py" <<'PYTHON'
import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_, value):
    items = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(item) for item in items).encode()
PYTHON
cd "$work" || exit 9
failed=0
as() {
  local who=$1; shift
  step "as $who"
  SCHEMATHESIS_HOOKS=hooks PYTHONPATH="$work:$cache/schemathesis-$schemathesis" python3 "$cache/schemathesis-$schemathesis/bin/st" run "$url/api/v1/openapi.json" "$@" \
    --phases examples,fuzzing --max-examples "${APEX_API_CASES:-8}" --seed 1 --no-color \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --exclude-path /api/v1/auth/logout --exclude-path '/api/v1/admin/features/{name}' > "$work/log" 2>&1
  local status=$?
  if [ "$status" = 0 ]; then sed -n '/^Test cases:/,/^$/p' "$work/log"; else cat "$work/log"; failed=$((failed + 1)); fi
}
as staff -H "Cookie: $staff"
as "a publisher" -H "Cookie: $publisher"
as "a machine" -H "Authorization: Bearer $key"
as "an unauthenticated client"
echo "$((4 - failed)) of 4 without findings"
exit "$failed"
