#!/usr/bin/env bash
# Latency of `GET /billing/usage/current` with N stored events. It must not depend on N, with a p95
# below 5 ms. Fails if the totals differ from the events.
#
#   BENCH_BEHIND='100000 1000000 10000000'   stored events; 100000000 takes 15 GB and 15 minutes
#   BENCH_APPS=5                             apps; the query reads one row per app and hour
#   BENCH_DAYS=70                            days of history: the forecast reads them
#   BENCH_REQUESTS=2000                      requests per measurement
#   BENCH_ROUNDS=3                           the table shows medians
#   and the variables of scripts/bench/servers.sh
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/servers.sh"
cd "$root"

read -r -a behind <<< "${BENCH_BEHIND:-100000 1000000 10000000}"
apps=${BENCH_APPS:-5}
days=${BENCH_DAYS:-70}
requests=${BENCH_REQUESTS:-2000}
rounds=${BENCH_ROUNDS:-3}

build usage
open_work
sed -i 's/^ingest-\(requests\|events\)-per-second = .*/ingest-\1-per-second = 4_000_000/' "$work/run/Leptos.toml"
sql postgres "CREATE DATABASE usage"
start() { start_program usage DATABASE_URL="$(url usage)" -- "$server" serve; }
start
stop_server
customer=00000000-0000-4000-8000-000000000001
key=$(printf 'apex_%064d' 1)
sql usage "INSERT INTO customers (id, stripe_customer_id, name) VALUES ('$customer', 'cus_1', 'Customer 1');
  INSERT INTO api_keys (customer_id, name, prefix, key_hash) VALUES ('$customer', 'bench', 'apex_', sha256('$key'))"

results="$work/run/results"
: > "$results"
known=0
for count in "${behind[@]}"; do
  step "$count events"
  # Evenly over the days, three metrics in turn.
  sql usage "SELECT usage_events_ensure_partitions(now() - interval '$days days', now())" >/dev/null
  sql usage "INSERT INTO usage_events (customer_id, event_id, app_id, metric, quantity, occurred_at, properties)
      SELECT '$customer', 'e' || n, 'app_' || n % $apps, (ARRAY['impressions', 'api_calls', 'data_transfer_bytes'])[1 + n / $apps % 3], 1,
          now() - interval '$days days' * (1 - (n - $known)::float8 / ($count - $known)), '{\"placement\": \"rewarded\"}'
      FROM generate_series($known, $count - 1) n;
    INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
      SELECT customer_id, metric, date_trunc('hour', occurred_at, 'UTC') AS hour, app_id, sum(quantity), count(*), max(occurred_at)
      FROM usage_events GROUP BY 1, 2, hour, 4
      ON CONFLICT (customer_id, metric, hour, app_id) DO UPDATE SET quantity = excluded.quantity, event_count = excluded.event_count, as_of = excluded.as_of"
  known=$count
  sql usage "VACUUM ANALYZE"
  sql usage CHECKPOINT
  hours=$(sql usage "SELECT count(*) FROM usage_records")
  impressions=$(sql usage "SELECT count(*) FROM usage_events WHERE metric = 'impressions' AND occurred_at >= date_trunc('month', now(), 'UTC')")
  start
  for round in $(seq "$rounds"); do
    start_recording "usage-$count-round-$round"
    "$driver" current --address "$address" --key "$key" --requests "$requests" --warm-up 200 > "$work/run/result"
    stop_recording
    node -e '
      const [result, wanted, behind, hours] = process.argv.slice(1);
      const read = JSON.parse(result);
      if (read.impressions !== Number(wanted)) { console.error(`${read.impressions} impressions were returned, expected ${wanted}.`); process.exit(1); }
      console.log(JSON.stringify({ ...read, behind: Number(behind), hours: Number(hours) }));' \
      "$(cat "$work/run/result")" "$impressions" "$count" "$hours" >> "$results"
  done
  stop_server
done
node benches/load/usage-table.cjs "$results"
