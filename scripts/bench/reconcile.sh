#!/usr/bin/env bash
# Duration and memory of `apex-billing reconcile` with N invoices on both sides: SQL fills the
# mirror, benches/load/stripe-lists.cjs generates Stripe's lists on the same machine. Time must grow
# linearly, and memory not at all. Fails if a run misses an invoice or finds a discrepancy. Finally
# one invoice is changed, which must be found.
#
# Stripe itself is slower: it allows 100 calls a second, of a hundred invoices each. The client's
# rate limit is off here, to measure our side.
#
#   BENCH_INVOICES='10000 100000 1000000'
#   BENCH_ROUNDS=3             the table shows medians
#   and the variables of scripts/bench/servers.sh
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/servers.sh"
cd "$root"

read -r -a counts <<< "${BENCH_INVOICES:-10000 100000 1000000}"
rounds=${BENCH_ROUNDS:-3}
customers=1000
newest=$(($(date +%s) - 86400))

build
open_work
sed -i -e 's/^operations-per-second = .*/operations-per-second = 100_000/' -e 's/^settle-seconds = .*/settle-seconds = 0/' "$work/run/Leptos.toml"

settings=(PATH="$PATH" RUST_LOG=warn STRIPE_SECRET_KEY=sk_test_bench)
# reconcile DATABASE: sets seconds and peak (KiB), and leaves its output in $work/run/answer;
# returns the program's exit code.
reconcile() {
  local began status=0 seen
  began=$(date +%s%N)
  (cd "$work/run" && exec env -i "${settings[@]}" DATABASE_URL="$(url "$1")" STRIPE_API_BASE="$lists" "$server" reconcile --dry-run --json) \
    > "$work/run/answer" 2> "$work/run/reconcile.log" &
  pid=$!
  start_recording "reconcile-$1"
  peak=0
  # VmHWM only rises, so the last value is the peak.
  while seen=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [ -n "$seen" ]; do peak=$seen; sleep 0.05; done
  wait "$pid" || status=$?
  pid=
  seconds=$(( ($(date +%s%N) - began) / 1000000 ))
  stop_recording
  return "$status"
}

results="$work/run/results"
: > "$results"
for count in "${counts[@]}"; do
  step "$count invoices"
  database="invoices_$count"
  sql postgres "CREATE DATABASE $database"
  (cd "$work/run" && env -i "${settings[@]}" DATABASE_URL="$(url "$database")" "$server" migrate up >/dev/null)
  sql "$database" "INSERT INTO customers (stripe_customer_id, name) SELECT 'cus_bench' || lpad(n::text, 9, '0'), 'Customer ' || n FROM generate_series(0, $customers - 1) n;
    INSERT INTO invoices (customer_id, stripe_invoice_id, stripe_subscription_id, number, status, currency, subtotal, total, amount_due, amount_paid, amount_remaining,
        ending_balance, created_at, event_created_at, event_rank, event_id)
      SELECT customers.id, 'in_bench' || lpad(($count - 1 - n)::text, 9, '0'), 'sub', 'BENCH-' || n, 'paid', 'usd', 1000 + n % 5000, 1000 + n % 5000, 1000 + n % 5000,
          1000 + n % 5000, 0, 0, to_timestamp($newest - 20 * (n / 2)), to_timestamp($newest), 3, 'evt_' || n
      FROM generate_series(0, $count - 1) n JOIN customers ON stripe_customer_id = 'cus_bench' || lpad((n % $customers)::text, 9, '0');
    INSERT INTO invoice_line_items (invoice_id, position, stripe_line_id, description, quantity, amount)
      SELECT id, place, 'il_' || stripe_invoice_id || '_' || place, 'Line', 1, CASE place WHEN 0 THEN 1000 ELSE total - 1000 END FROM invoices, generate_series(0, 1) place"
  sql "$database" "VACUUM ANALYZE"
  sql "$database" CHECKPOINT
  node benches/load/stripe-lists.cjs "$count" "$customers" "$newest" > "$work/run/lists" &
  engine=$!
  until lists=$(cat "$work/run/lists") && [ -n "$lists" ]; do
    kill -0 "$engine" 2>/dev/null || die "The lists' server has ended."
    sleep 0.1
  done
  for round in $(seq "$rounds"); do
    reconcile "$database" || die "The run failed: $(tail -n 5 "$work/run/reconcile.log")"
    node -e '
      const [file, invoices, milliseconds, peak] = process.argv.slice(1);
      const { status, checked, discrepancies, within_tolerance } = JSON.parse(require("fs").readFileSync(file, "utf8"));
      const result = JSON.stringify({ status, invoices: checked.invoices, discrepancies: discrepancies.length, within_tolerance });
      const wanted = JSON.stringify({ status: "completed", invoices: Number(invoices), discrepancies: 0, within_tolerance: true });
      if (result !== wanted) { console.error(`The result is ${result}, expected ${wanted}.`); process.exit(1); }
      console.log(JSON.stringify({ invoices: Number(invoices), seconds: milliseconds / 1000, peak_mb: peak / 1024 }));' \
      "$work/run/answer" "$count" "$seconds" "$peak" >> "$results"
    step "round $round: $(tail -n 1 "$results")"
  done
  sql "$database" "UPDATE invoices SET total = total + 1, amount_paid = amount_paid + 100000 WHERE stripe_invoice_id = 'in_bench' || lpad(($count / 2)::text, 9, '0')"
  ! reconcile "$database" || die "A changed invoice among $count was not found."
  grep -q '"kind": "amount"' "$work/run/answer" || die "The changed invoice is reported as something else: $(head -c 300 "$work/run/answer")"
  kill "$engine" && wait "$engine" || true
  engine=
done
node benches/load/reconcile-table.cjs "$results"
