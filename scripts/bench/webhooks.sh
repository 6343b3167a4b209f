#!/usr/bin/env bash
# Throughput of signed webhooks, compared with the npm package @supabase/stripe-sync-engine behind a
# bare node:http server. Both write to the same private PostgreSQL with fsync on, each to its own
# database, in turns. A driver in its own process (benches/load) sends both the same events. Fails
# if an event is not answered 200, or if the final rows differ from the events.
#
#   BENCH_EVENTS=6000          events per measurement
#   BENCH_CONNECTIONS='1 16 64'
#   BENCH_ROUNDS=3             the table shows medians
#   BENCH_ONLY=ours|peer       measure only one side
#   and the variables of scripts/bench/servers.sh
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/servers.sh"
cd "$root"

events=$(( (${BENCH_EVENTS:-6000} + 2) / 3 * 3 ))
warm_up=600
customers=300
rounds=${BENCH_ROUNDS:-3}
read -r -a connections <<< "${BENCH_CONNECTIONS:-1 16 64}"
case ${BENCH_ONLY:-} in
  '') sides=(ours peer) ;;
  ours | peer) sides=("$BENCH_ONLY") ;;
  *) die "BENCH_ONLY is \`$BENCH_ONLY\`; use ours or peer." ;;
esac
secret=whsec_benchmark

build webhooks
if [[ " ${sides[*]} " = *" peer "* ]] && ! [ benches/load/peer/node_modules/.package-lock.json -nt benches/load/peer/package-lock.json ]; then
  have npm || apt_install npm
  step "npm ci in benches/load/peer"
  (cd benches/load/peer && npm ci --silent --no-audit --no-fund --ignore-scripts </dev/null)
fi

# The peer's migrations require a role `postgres`.
open_work
for side in "${sides[@]}"; do sql postgres "CREATE DATABASE $side"; done

# start_server SIDE: sets pid and address.
start_server() {
  local program=("$server" serve)
  [ "$1" = ours ] || program=(node "$root/benches/load/peer/server.cjs")
  start_program "$1" DATABASE_URL="$(url "$1")" STRIPE_WEBHOOK_SECRET="$secret" NODE_ENV=production -- "${program[@]}"
}

declare -A sent
for side in "${sides[@]}"; do sent[$side]=0; done
# drive SIDE CONNECTIONS EVENTS
drive() {
  local path=/webhooks
  [ "$1" != ours ] || path=/api/v1/webhooks/stripe
  "$driver" --address "$address" --path "$path" --secret "$secret" --connections "$2" --events "$3" --first "${sent[$1]}" \
    --customers "$customers" --server-pid "$pid" --postgres-pid "$postgres"
  sent[$1]=$((sent[$1] + $3))
}

results="$work/run/results"
: > "$results"
for round in $(seq "$rounds"); do
  for side in "${sides[@]}"; do
    start_server "$side"
    if [ "$side" = ours ] && [ "$round" = 1 ]; then
      sql ours "INSERT INTO customers (stripe_customer_id, name) SELECT 'cus_bench' || lpad(n::text, 6, '0'), 'Customer ' || n FROM generate_series(0, $customers - 1) n"
    fi
    # Warm-up: compiled, connected and planned on both sides, and no side pays for the other's
    # pending writes.
    drive "$side" 16 "$warm_up" > "$work/run/warm-up"
    sql "$side" 'VACUUM ANALYZE'
    sql "$side" CHECKPOINT
    for count in "${connections[@]}"; do
      [ "$side" != ours ] || start_recording "round-$round-connections-$count"
      drive "$side" "$count" "$events" > "$work/run/result"
      stop_recording
      printf '%s %s\n' "$side" "$(cat "$work/run/result")" >> "$results"
      step "round $round, $side, $count connections: $(node -e 'const r = JSON.parse(process.argv[1]); console.log(`${r.events_per_second.toFixed(0)} events/s`)' "$(cat "$work/run/result")")"
    done
    stop_server
  done
done

for side in "${sides[@]}"; do
  all=${sent[$side]} third=$((sent[$side] / 3))
  case $side in
    ours)
      rows ours "applied events" "$all" "SELECT count(*) FROM stripe_webhook_events WHERE status = 'applied' AND payload LIKE '%' || stripe_event_id || '%'"
      rows ours "audit rows" "$all" "SELECT count(DISTINCT data ->> 'stripe_event_id') FROM billing_audit WHERE event_type = 'webhook.applied'"
      rows ours "outbox events" "$all" "SELECT count(DISTINCT data ->> 'stripe_event_id') FROM events"
      rows ours "paid invoices" "$third" "SELECT count(*) FROM invoices WHERE status = 'paid' AND amount_paid = 1000"
      rows ours "invoice lines" "$third" "SELECT count(*) FROM invoice_line_items WHERE amount = 1000"
      rows ours "subscriptions" "$third" "SELECT count(*) FROM subscriptions WHERE status = 'active'"
      rows ours "subscription items" "$third" "SELECT count(*) FROM subscription_items WHERE quantity = 1"
      rows ours "charges" "$third" "SELECT count(*) FROM charges WHERE status = 'succeeded' AND amount = 1000"
      ;;
    peer)
      rows peer "paid invoices" "$third" "SELECT count(*) FROM stripe.invoices WHERE status = 'paid' AND amount_paid = 1000"
      rows peer "subscriptions" "$third" "SELECT count(*) FROM stripe.subscriptions WHERE status = 'active'"
      rows peer "subscription items" "$third" "SELECT count(*) FROM stripe.subscription_items WHERE quantity = 1 AND NOT coalesce(deleted, false)"
      rows peer "charges" "$third" "SELECT count(*) FROM stripe.charges WHERE status = 'succeeded' AND amount = 1000"
      ;;
  esac
  step "$side: every row of $all events is there"
done

node benches/load/table.cjs "$results"
