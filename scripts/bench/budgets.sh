#!/usr/bin/env bash
# Measures what a browser loads of the console, against its budgets: sizes of WebAssembly,
# JavaScript, style sheet and HTML; times until rows are visible and the page is interactive, on 3G
# with a slow processor and without limits; layout shift; the traffic of an idle tab. Fails if a
# budget is missed. end2end/budgets.mjs documents the variables of the measurement.
#
#   BENCH_SERVER=FILE       use this server (of any profile) instead of building one
#   BENCH_SITE=FOLDER       use this site instead of building one
#   BENCH_PORT=3130         the server's port
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
cd "$root"

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}" SQLX_OFFLINE=true
scripts/setup.sh --browser
server_program=${BENCH_SERVER:-}
if [ -z "$server_program" ]; then
  step "cargo build --release"
  cargo build --release --bin apex-billing
  server_program="$CARGO_TARGET_DIR/release/apex-billing"
fi
site=${BENCH_SITE:-}
if [ -z "$site" ]; then
  scripts/build-site.sh --release
  site="$root/target/site-release"
fi
address=127.0.0.1:${BENCH_PORT:-3130}
password="password of the benchmark"

begin_work
cp Leptos.toml "$work/"
step "a server with the demo and a private PostgreSQL"
(cd "$work" && exec env -i PATH="$PATH" HOME="$work" APEX_PG_BIN="$(find_postgres)" LEPTOS_SITE_ADDR="$address" LEPTOS_SITE_ROOT="$site" \
  METRICS_ADDR=127.0.0.1:0 DEMO_PASSWORD="$password" RUST_LOG=warn "$server_program" serve --demo --no-stripe) > "$work/log" 2>&1 &
server=$!
until curl -sf -o /dev/null "http://$address/readyz"; do
  kill -0 "$server" 2>/dev/null || die "$(cat "$work/log")"
  sleep 0.1
done

step "Chromium, with an empty cache for each load"
(cd end2end && node budgets.mjs "http://$address" "$password" "$site")
