#!/usr/bin/env bash
# Usage events over HTTP into each store, compared with a direct insert into the same tables: binary
# COPY for PostgreSQL, the bare `clickhouse` client for ClickHouse. All write the same rows, each
# into its own database, in turns. Fails if a batch is not answered 202 with all events accepted, or
# if the final rows differ from the events.
#
#   BENCH_EVENTS=400000        events per measurement
#   BENCH_BATCH=5000           events per request
#   BENCH_CONNECTIONS='1 4 16'
#   BENCH_ROUNDS=3             the table shows medians
#   BENCH_STORES='postgres clickhouse'
#   and the variables of scripts/bench/servers.sh
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/servers.sh"
cd "$root"

size=${BENCH_BATCH:-5000}
batches=$(( (${BENCH_EVENTS:-400000} + size - 1) / size ))
rounds=${BENCH_ROUNDS:-3}
read -r -a connections <<< "${BENCH_CONNECTIONS:-1 4 16}"
read -r -a stores <<< "${BENCH_STORES:-postgres clickhouse}"
customers=8

build usage
open_work
# No rate limits: they are not measured.
sed -i 's/^ingest-\(requests\|events\)-per-second = .*/ingest-\1-per-second = 4_000_000/' "$work/run/Leptos.toml"

sides=()
for store in "${stores[@]}"; do
  case $store in
    postgres) sides+=(postgres copy) ;;
    clickhouse)
      sides+=(clickhouse client)
      "$root/scripts/fetch-clickhouse.sh"
      step "ClickHouse's engine"
      mkfifo "$work/run/engine-ready"
      python3 tests/it/support/clickhouse_engine.py --wheel "$cache/chdb-core-$clickhouse_wheel" --dir "$work/clickhouse" --password bench \
        > "$work/run/engine-ready" 2> "$work/run/engine.log" < /dev/null &
      engine=$!
      read -r _ port _ < "$work/run/engine-ready" || die "ClickHouse's engine has not started: $(tail -n 5 "$work/run/engine.log")"
      clickhouse="http://app:bench@127.0.0.1:$port"
      ;;
    *) die "BENCH_STORES is \`${BENCH_STORES}\`; use postgres, clickhouse or both." ;;
  esac
done
ask_clickhouse() { curl -sSf "$clickhouse/" --data-binary "$1"; }

customer() { printf '00000000-0000-4000-8000-%012d' "$1"; }
key() { printf 'apex_%064d' "$1"; }
listed() { local one all=; for one in $(seq "$customers"); do all+=",$("$1" "$one")"; done; echo "${all#,}"; }

# start_server SIDE
start_server() {
  local settings=(DATABASE_URL="$(url "bench_$1")")
  [ "$1" != clickhouse ] || settings+=(CLICKHOUSE_URL="$clickhouse/usage")
  start_program "$1" "${settings[@]}" -- "$server" serve
}

step "databases"
newest=$(date +%s)
for side in "${sides[@]}"; do
  case $side in
    client)
      ask_clickhouse "CREATE DATABASE bare"
      definition=$(ask_clickhouse "SELECT create_table_query FROM system.tables WHERE database = 'usage' AND name = 'usage_events' FORMAT TSVRaw")
      ask_clickhouse "${definition/usage.usage_events/bare.usage_events}"
      ;;
    *)
      sql postgres "CREATE DATABASE bench_$side"
      # Creates the tables.
      start_server "$side"
      stop_server
      for one in $(seq "$customers"); do
        sql "bench_$side" "INSERT INTO customers (id, stripe_customer_id, name) VALUES ('$(customer "$one")', 'cus_$one', 'Customer $one');
          INSERT INTO api_keys (customer_id, name, prefix, key_hash) VALUES ('$(customer "$one")', 'bench', 'apex_', sha256('$(key "$one")'))"
      done
      ;;
  esac
done

declare -A sent
for side in "${sides[@]}"; do sent[$side]=0; done
# drive SIDE CONNECTIONS BATCHES
drive() {
  local load=(--connections "$2" --batches "$3" --size "$size" --first "${sent[$1]}" --newest "$newest")
  case $1 in
    postgres) "$driver" http "${load[@]}" --address "$address" --keys "$(listed key)" --server-pid "$pid" --store-pid "$postgres" ;;
    clickhouse) "$driver" http "${load[@]}" --address "$address" --keys "$(listed key)" --server-pid "$pid" --store-pid "$postgres" --queue "$(url bench_clickhouse)" ;;
    copy) "$driver" copy "${load[@]}" --database "$(url bench_copy)" --customers "$(listed customer)" --store-pid "$postgres" ;;
    client) "$driver" clickhouse "${load[@]}" --url "$clickhouse/bare" --customers "$(listed customer)" --store-pid "$engine" ;;
  esac
  sent[$1]=$((sent[$1] + $3))
}

results="$work/run/results"
: > "$results"
for round in $(seq "$rounds"); do
  for count in "${connections[@]}"; do
    for side in "${sides[@]}"; do
      case $side in postgres | clickhouse) start_server "$side" ;; esac
      drive "$side" "$count" $((batches / 10 + 1)) > "$work/run/warm-up"
      sql postgres CHECKPOINT
      [ "$side" != postgres ] || start_recording "round-$round-connections-$count"
      drive "$side" "$count" "$batches" > "$work/run/result"
      stop_recording
      stop_server
      printf '%s %s\n' "$side" "$(cat "$work/run/result")" >> "$results"
      step "round $round, $side, $count connections: $(node -e 'const r = JSON.parse(process.argv[1]); console.log(`${r.events_per_second.toFixed(0)} events/s`)' "$(cat "$work/run/result")")"
    done
  done
done

for side in "${sides[@]}"; do
  all=$((sent[$side] * size))
  case $side in
    postgres)
      rows bench_postgres "raw events" "$all" "SELECT count(*) FROM usage_events"
      rows bench_postgres "different keys" "$all" "SELECT count(DISTINCT (customer_id, event_id)) FROM usage_events"
      rows bench_postgres "hours that differ" 0 "SELECT count(*) FROM (SELECT customer_id, metric, app_id, date_trunc('hour', occurred_at, 'UTC') AS hour, sum(quantity) AS quantity, count(*) AS event_count FROM usage_events GROUP BY 1, 2, 3, 4) e FULL JOIN usage_records r USING (customer_id, metric, app_id, hour) WHERE (e.quantity, e.event_count) IS DISTINCT FROM (r.quantity::numeric, r.event_count)"
      ;;
    copy) rows bench_copy "raw events" "$all" "SELECT count(*) FROM usage_events" ;;
    clickhouse)
      rows bench_clickhouse "events in the hours" "$all" "SELECT sum(event_count) FROM usage_records"
      rows bench_clickhouse "waiting events" 0 "SELECT (SELECT count(*) FROM usage_outbox) + (SELECT count(*) FROM usage_outbox_batches)"
      found=$(ask_clickhouse "SELECT count() FROM usage.usage_events FINAL")
      [ "$found" = "$all" ] || die "clickhouse: $found events, expected $all."
      ;;
    client)
      found=$(ask_clickhouse "SELECT count() FROM bare.usage_events FINAL")
      [ "$found" = "$all" ] || die "client: $found events, expected $all."
      ;;
  esac
  step "$side: every row of $all events is there"
done

# bytes SIDE EVENTS: bytes on disk per event, after vacuum or merges.
bytes() {
  case $1 in
    postgres | copy)
      sql "bench_$1" "VACUUM"
      sql "bench_$1" "SELECT round(sum(pg_total_relation_size(c.oid)) / $2.0, 1) FROM pg_class c WHERE c.relkind = 'r' AND c.relname ~ '^usage_(event|id|record)'"
      ;;
    clickhouse | client)
      local database=usage
      [ "$1" = clickhouse ] || database=bare
      ask_clickhouse "OPTIMIZE TABLE $database.usage_events FINAL"
      ask_clickhouse "SELECT round(sum(bytes_on_disk) / $2.0, 1) FROM system.parts WHERE active AND database = '$database' AND table = 'usage_events'"
      ;;
  esac
}
for side in "${sides[@]}"; do printf '%s {"bytes": %s}\n' "$side" "$(bytes "$side" $((sent[$side] * size)))" >> "$results"; done
node benches/load/ingest-table.cjs "$results"
