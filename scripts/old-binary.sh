#!/usr/bin/env bash
# Runs an older program on the current schema, as during an upgrade or after a rollback: start,
# login, usage, invoices, a PDF, usage events, a webhook. Then checks its data with the current
# program.
#
# Usage: old-binary.sh COMMIT                     builds it in its own target folder
#        old-binary.sh --binary FILE LEPTOS_TOML  uses a program and its settings
# APEX_BILLING_BIN is the current program; without it, the script builds one. APEX_OLD_PORT (3117)
# is the old program's port.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}" SQLX_OFFLINE=true

work=$(mktemp -d)
old_pid=
finish() {
  [ -z "$old_pid" ] || kill "$old_pid" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

new=${APEX_BILLING_BIN:-$CARGO_TARGET_DIR/debug/apex-billing}
if [ -z "${APEX_BILLING_BIN:-}" ]; then step "building the current program"; cargo build --quiet --bin apex-billing; fi
if [ "${1:-}" = --binary ]; then
  [ $# = 3 ] || die "usage: old-binary.sh --binary FILE LEPTOS_TOML"
  old=$(readlink -f "$2") settings=$3
else
  [ $# = 1 ] || die "usage: old-binary.sh COMMIT | --binary FILE LEPTOS_TOML"
  commit=$(git rev-parse --verify --quiet "$1^{commit}") || die "$1 is not a commit."
  step "building the program of $(git log -1 --format='%h, %ad' --date=short "$commit")"
  mkdir "$work/source"
  git archive "$commit" | tar -x -C "$work/source"
  (cd "$work/source" && CARGO_TARGET_DIR="$CARGO_TARGET_DIR-old" cargo build --quiet --bin apex-billing)
  old=$CARGO_TARGET_DIR-old/debug/apex-billing settings=$work/source/Leptos.toml
fi

port=${APEX_OLD_PORT:-3117} url=http://127.0.0.1:${APEX_OLD_PORT:-3117}
password='what the demo people type' secret=whsec_of_the_old_binary
mkdir "$work/now" "$work/then"
cp Leptos.toml "$work/now/"
cp "$settings" "$work/then/Leptos.toml"
ln -s "$work/now/.data" "$work/then/.data"
mkdir "$work/now/.data"
settled=(env -u DATABASE_URL -u CLICKHOUSE_URL -u STRIPE_SECRET_KEY -u OTEL_EXPORTER_OTLP_ENDPOINT LEPTOS_SITE_ADDR=127.0.0.1:"$port" METRICS_ADDR=127.0.0.1:0
  LEPTOS_SITE_ROOT="$root/target/site" DEMO_PASSWORD="$password" STRIPE_WEBHOOK_SECRET="$secret" RUST_LOG=warn LOG_FORMAT=json)
now() { (cd "$work/now" && "${settled[@]}" "$new" "$@"); }

step "migrating to the current schema, with the demo"
now demo --json > "$work/access"
key=$(sed -n 's/.*"api_key": *"\([^"]*\)".*/\1/p' "$work/access")

failed=0
# is WHAT EXPECTED GOT
is() { if [ "$2" = "$3" ]; then echo "ok    $1"; else echo "FAILS $1: expected $2, got $3"; failed=$((failed + 1)); fi; }
code() { curl -s -o "$work/answer" -w '%{http_code}' "$@" || true; }

step "running the old program on it"
(cd "$work/then" && exec "${settled[@]}" "$old" serve > "$work/out" 2> "$work/log") &
old_pid=$!
for _ in $(seq 300); do
  curl -sf "$url/readyz" >/dev/null && break
  kill -0 "$old_pid" 2>/dev/null || { cat "$work/log"; die "FAILS to start"; }
  sleep 0.1
done
is "readyz" 200 "$(code "$url/readyz")"
for who in admin publisher; do
  is "$who signs in" 200 "$(code -c "$work/$who" "$url/api/v1/auth/login" -H 'Content-Type: application/json' -d "{\"email\":\"$who@demo.test\",\"password\":\"$password\"}")"
done
member=(-b "$work/publisher")
is "usage" 200 "$(code "${member[@]}" "$url/api/v1/billing/usage/current")"
is "invoices" 200 "$(code "${member[@]}" "$url/api/v1/billing/invoices?limit=1")"
invoice=$(sed -n 's/.*"id": *"\([0-9a-f-]\{36\}\)".*/\1/p' "$work/answer" | head -1)
is "an invoice" 200 "$(code "${member[@]}" "$url/api/v1/billing/invoices/$invoice")"
is "its PDF" 200 "$(code "${member[@]}" "$url/api/v1/billing/invoices/$invoice/pdf")"
is "the usage page" 200 "$(code "${member[@]}" "$url/billing/usage")"
is "the staff's inbox" 200 "$(code -b "$work/admin" "$url/admin/webhooks")"

event="{\"id\":\"old-binary\",\"metric\":\"impressions\",\"quantity\":7,\"timestamp\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\",\"app_id\":\"old_binary\"}"
for wanted in '"accepted":1' '"duplicates":1'; do
  is "usage events" 202 "$(code "$url/api/v1/usage/events" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -d "$event")"
  is "  $wanted" "$wanted" "$(grep -o "$wanted" "$work/answer" || cat "$work/answer")"
done
created=$(date +%s)
body="{\"id\":\"evt_old_binary\",\"object\":\"event\",\"type\":\"customer.updated\",\"created\":$created,\"livemode\":false,\"data\":{\"object\":{\"id\":\"cus_demo_lumen\",\"object\":\"customer\",\"name\":\"Lumen\",\"email\":\"old@lumen.example\",\"currency\":\"usd\"}}}"
signature=$(printf '%s.%s' "$created" "$body" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)
for wanted in '"duplicate":false' '"duplicate":true'; do
  is "a webhook" 200 "$(code "$url/api/v1/webhooks/stripe" -H "Stripe-Signature: t=$created,v1=$signature" -d "$body")"
  is "  $wanted" "$wanted" "$(grep -o "$wanted" "$work/answer" || cat "$work/answer")"
done
is "health" '"status":"ok"' "$(curl -s "$url/api/v1/health" | grep -o '"status":"[a-z]*"' | head -1)"
kill -INT "$old_pid"
ended=0
wait "$old_pid" || ended=$?
old_pid=
is "exit status" 0 "$ended"
is "errors in its log" 0 "$(grep -c '"level":"ERROR"' "$work/log" || true)"
grep '"level":"ERROR"' "$work/log" | head -5 || true

step "checking its data with the current program"
is "the webhook is applied" applied "$(now webhooks list --q evt_old_binary --json | sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p' | head -1)"
if now usage check --days 2 > "$work/answer" 2>&1; then checked=agrees; else checked=$(cat "$work/answer"); fi
is "its usage is counted" agrees "$checked"
if now audit verify > "$work/answer" 2>&1; then checked=agrees; else checked=$(cat "$work/answer"); fi
is "the audit log verifies" agrees "$checked"
[ "$failed" = 0 ] || die "$failed of the above fail."
