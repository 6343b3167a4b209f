#!/usr/bin/env bash
# Webhooks: how many signed events this program takes, beside the npm package @supabase/stripe-sync-engine behind a bare node:http server.
# Both write to the same private PostgreSQL with fsync on, each into a database of its own, and take turns; a driver in a process of its own
# (benches/load) sends both the very same events. Fails when an event is not answered 200, or the rows in the end are not those of the events.
#
#   BENCH_EVENTS=6000          events of one measurement
#   BENCH_CONNECTIONS='1 16 64'
#   BENCH_ROUNDS=3             the table shows medians
#   BENCH_ONLY=ours|peer       just one side
#   BENCH_SERVER=FILE          a server built before, of any profile, instead of building one
#   BENCH_DRIVER=FILE          the same for the driver
#   BENCH_PERF=FOLDER          `perf record` of each server of ours while it is measured, one file for each round and number of connections
#   BENCH_DIR=/var/tmp         where PostgreSQL's files are: a disk, not memory
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}" SQLX_OFFLINE=true
events=$(( (${BENCH_EVENTS:-6000} + 2) / 3 * 3 ))
warm_up=600
customers=300
rounds=${BENCH_ROUNDS:-3}
read -r -a connections <<< "${BENCH_CONNECTIONS:-1 16 64}"
case ${BENCH_ONLY:-} in
  '') sides=(ours peer) ;;
  ours | peer) sides=("$BENCH_ONLY") ;;
  *) die "BENCH_ONLY is \`$BENCH_ONLY\`, but wants ours or peer." ;;
esac
secret=whsec_benchmark

[ "$(uname)" = Linux ] || die "The benchmark reads CPU times from Linux's /proc."
programs=$(find_postgres) || die "PostgreSQL is missing: run scripts/setup.sh."
psql=psql
[ ! -x "$programs/psql" ] || psql="$programs/psql"
have "$psql" || die "psql is missing: apt-get install postgresql-client"
have node || die "Node is missing: run scripts/setup.sh."

# built KIND NAME COMMAND...: runs cargo and says where the program is.
built() {
  local kind=$1 name=$2; shift 2
  "$@" --message-format=json-render-diagnostics | node -e '
    const [kind, name] = process.argv.slice(1);
    for (const line of require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean)) {
      const { target, executable } = JSON.parse(line);
      if (executable && target.kind.includes(kind) && target.name === name) console.log(executable);
    }' "$kind" "$name"
}
[ -n "${BENCH_DRIVER:-}" ] && [ -n "${BENCH_SERVER:-}" ] || step "cargo build --release, server and driver"
driver=${BENCH_DRIVER:-$(built bench webhooks cargo build --release --features ssr --bench webhooks)}
server=${BENCH_SERVER:-$(built bin apex-billing cargo build --release --features ssr --bin apex-billing)}
[ -x "$driver" ] && [ -x "$server" ] || die "cargo built no programs."
if [[ " ${sides[*]} " = *" peer "* ]] && ! [ benches/load/peer/node_modules/.package-lock.json -nt benches/load/peer/package-lock.json ]; then
  have npm || apt_install npm
  step "npm ci in benches/load/peer"
  (cd benches/load/peer && npm ci --silent --no-audit --no-fund --ignore-scripts </dev/null)
fi

work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/apex-bench.XXXXXX")
case $(stat -f -c %T "$work") in
  tmpfs | ramfs) rmdir "$work"; die "${BENCH_DIR:-/var/tmp} is in memory: name a folder on a disk with BENCH_DIR." ;;
esac
chmod 711 "$work"
mkdir -m 755 "$work/pg" "$work/run"
become_postgres "$work/pg"
data="$work/pg/data"
pid=

stop_server() {
  [ -n "$pid" ] || return 0
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  pid=
}
finish() {
  local status=$?
  trap - EXIT
  stop_server
  [ ! -e "$data/postmaster.pid" ] || as_postgres "$programs/pg_ctl" -D "$data" -m immediate -s stop >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

step "a private PostgreSQL $(postgres_major "$programs"), fsync on"
# The peer's migrations want a role `postgres`. The settings are PostgreSQL's own but for the sizes of a small server, so that no
# checkpoint falls into a measurement of one side and not of the other.
as_postgres "$programs/initdb" -D "$data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
as_postgres "$programs/pg_ctl" -D "$data" -l "$work/pg/log" -w -s \
  -o "-c listen_addresses='' -c unix_socket_directories='$work/pg' -c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track_planning=on -c shared_buffers=512MB -c max_wal_size=4GB -c checkpoint_timeout=30min" start </dev/null ||
  die "$(tail -n 3 "$work/pg/log")"
postgres=$(head -n 1 "$data/postmaster.pid")
url() { echo "postgres://postgres@localhost/$1?host=$work/pg"; }
sql() { "$psql" "$(url "$1")" --quiet --no-psqlrc --tuples-only --no-align --set ON_ERROR_STOP=1 --command "$2"; }
[ "$(sql postgres 'SHOW fsync') $(sql postgres 'SHOW synchronous_commit')" = "on on" ] || die "PostgreSQL runs without fsync."
for side in "${sides[@]}"; do sql postgres "CREATE DATABASE $side"; sql $side "CREATE EXTENSION pg_stat_statements"; done

# The servers run where no .env is, and with nothing of the caller's environment.
cp Leptos.toml "$work/run/"
# start_server SIDE: sets pid and address.
start_server() {
  local side=$1 log="$work/run/$1.log" waited=0
  : > "$log"
  local settings=(PATH="$PATH" DATABASE_URL="$(url "$side")" STRIPE_WEBHOOK_SECRET="$secret" RUST_LOG=warn NODE_ENV=production
    LEPTOS_SITE_ADDR=127.0.0.1:0 METRICS_ADDR=127.0.0.1:0)
  local program=("$server" serve)
  [ "$side" = ours ] || program=(node "$root/benches/load/peer/server.cjs")
  # `exec`, so that the process is the server itself: it is measured and stopped by its id.
  (cd "$work/run" && exec env -i "${settings[@]}" "${program[@]}") >> "$log" 2>&1 &
  pid=$!
  until address=$(sed -n 's|^Serving http://||p' "$log") && [ -n "$address" ]; do
    kill -0 "$pid" 2>/dev/null || die "The server ($side) has ended: $(tail -n 5 "$log")"
    waited=$((waited + 1))
    [ "$waited" -lt 600 ] || die "The server ($side) has not started: $(tail -n 5 "$log")"
    sleep 0.1
  done
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
    # Compiled, connected and planned on both sides; and nobody pays for what the other has left to write.
    drive "$side" 16 "$warm_up" > "$work/run/warm-up"
    sql "$side" 'VACUUM ANALYZE'
    sql "$side" CHECKPOINT; sql ours 'SELECT pg_stat_statements_reset()'
    for count in "${connections[@]}"; do
      recorder=
      if [ "$side" = ours ] && [ -n "${BENCH_PERF:-}" ]; then
        mkdir -p "$BENCH_PERF"
        # By the clock: a virtual machine may have no counters of cycles.
        perf record --quiet --event cpu-clock --freq 999 -g --pid "$pid" --output "$BENCH_PERF/round-$round-connections-$count.data" >/dev/null 2>&1 &
        recorder=$!
      fi
      drive "$side" "$count" "$events" > "$work/run/result"
      if [ -n "$recorder" ]; then kill "$recorder" 2>/dev/null || true; wait "$recorder" || true; fi
      printf '%s %s\n' "$side" "$(cat "$work/run/result")" >> "$results"
      step "round $round, $side, $count connections: $(node -e 'const r = JSON.parse(process.argv[1]); console.log(`${r.events_per_second.toFixed(0)} events/s`)' "$(cat "$work/run/result")")"
    done
    stop_server
  done
done

sql ours "SELECT calls, round(total_plan_time::numeric/greatest(calls,1),3) plan, round(total_exec_time::numeric/greatest(calls,1),3) exec, round(total_exec_time+total_plan_time) tot, left(regexp_replace(query, E'\\s+', ' ', 'g'), 110) FROM pg_stat_statements WHERE dbid=(select oid from pg_database where datname=current_database()) ORDER BY total_exec_time+total_plan_time DESC LIMIT 24"
rows() {
  local found
  found=$(sql "$1" "$4")
  [ "$found" = "$3" ] || die "$1: $found $2, but $3 were to be written."
}
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
