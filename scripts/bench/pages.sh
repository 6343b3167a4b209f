#!/usr/bin/env bash
# Pages per second: the invoice list of our server compared with the same page in Next.js
# (benches/load/nextjs), and both pages of `usage` and `invoices` compared with a previous build.
# All use one private PostgreSQL with the demo's data, our statements, the same session and the same
# elements; the script compares the pages before it measures. The measured server has one core for
# itself; the driver, PostgreSQL and Chromium share the other. Sides alternate.
#
#   BENCH_SECONDS=5            per measurement
#   BENCH_CONNECTIONS='1 16 64'
#   BENCH_ROUNDS=3             the tables show medians
#   BENCH_BEFORE=FILE          a previous build of our server, to compare with
#   BENCH_PEER=no              leave out Next.js
#   BENCH_STATEMENTS=yes       print the statements of our pages (pg_stat_statements)
#   LEPTOS_SITE_ROOT=target/site
#   and the variables of scripts/bench/servers.sh
set -euo pipefail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/servers.sh"
cd "$root"

seconds=${BENCH_SECONDS:-5}
rounds=${BENCH_ROUNDS:-3}
read -r -a connections <<< "${BENCH_CONNECTIONS:-1 16 64}"
site=$(realpath "${LEPTOS_SITE_ROOT:-target/site}")
before=${BENCH_BEFORE:+$(realpath "$BENCH_BEFORE")}
browser='gzip, deflate, br, zstd'
nextjs="$root/benches/load/nextjs"
sides=(ours)
[ -z "$before" ] || sides+=(before)
[ "${BENCH_PEER:-yes}" = no ] || sides+=(nextjs)
[ "$(nproc)" -ge 2 ] || die "The benchmark needs two cores."
have taskset && have curl || die "taskset and curl are missing: apt-get install util-linux curl"
[ -f "$site/pkg/assets.json" ] || die "$site has no style sheet: run \`make site\` first."

build pages
if [ "${BENCH_PEER:-yes}" != no ]; then
  have npm || apt_install npm
  if ! [ "$nextjs/node_modules/.package-lock.json" -nt "$nextjs/package-lock.json" ]; then
    step "npm ci in benches/load/nextjs"
    (cd "$nextjs" && npm ci --silent --no-audit --no-fund --ignore-scripts </dev/null)
  fi
  step "next build"
  (cd "$nextjs" && rm -rf .next && NEXT_TELEMETRY_DISABLED=1 npm run --silent build </dev/null >/dev/null)
  cp -r "$nextjs/.next/static" "$nextjs/.next/standalone/.next/static"
fi

options=
[ "${BENCH_STATEMENTS:-no}" = no ] || options='-c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track_planning=on'
open_work "$options"
# Children inherit the core.
taskset -a -cp 1 "$postgres" >/dev/null
for process in $(pgrep -P "$postgres"); do taskset -cp 1 "$process" >/dev/null; done
taskset -cp 1 $$ >/dev/null

password=benchmark-pages-1
port=$(node -e "const s = require('net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })")
address=127.0.0.1:$port
cookie=
sql postgres "CREATE DATABASE pages"

# start_side SIDE [PATH]: starts its server on core 0, and sets pid and started_ms, the time until
# the page is answered.
start_side() {
  local path=${2:-/billing/invoices} log="$work/run/$1.log" begun folder="$work/run" program settings
  settings=(PATH="$PATH" DATABASE_URL="$(url pages)" NODE_ENV=production)
  case $1 in
    nextjs)
      program=(node "$nextjs/.next/standalone/server.js")
      settings+=(HOSTNAME=127.0.0.1 PORT="$port" BENCH_SQL="$root/src/store/postgres")
      ;;
    *)
      program=("$server" serve)
      [ "$1" != before ] || { program=("$before" serve); folder="$work/before"; }
      settings+=(RUST_LOG=warn LEPTOS_SITE_ADDR="$address" METRICS_ADDR=127.0.0.1:0 LEPTOS_SITE_ROOT="$site" PUBLIC_URL="http://$address")
      ;;
  esac
  begun=$(date +%s%N)
  (cd "$folder" && exec taskset -c 0 env -i "${settings[@]}" "${program[@]}") > "$log" 2>&1 &
  pid=$!
  until curl -sf -o /dev/null -b "$cookie" "http://$address$path"; do
    kill -0 "$pid" 2>/dev/null || die "The server ($1) has ended: $(tail -n 5 "$log")"
    [ $(($(date +%s%N) - begun)) -lt 60000000000 ] || die "The server ($1) has not started: $(tail -n 5 "$log")"
  done
  started_ms=$((($(date +%s%N) - begun) / 1000000))
}

step "the demo's data"
mkdir -p "$work/before"
cp Leptos.toml "$work/before/"
[ -z "$before" ] || [ ! -f "$(dirname "$before")/Leptos.toml" ] || cp "$(dirname "$before")/Leptos.toml" "$work/before/"
(cd "$work/run" && env -i PATH="$PATH" RUST_LOG=error DATABASE_URL="$(url pages)" DEMO_PASSWORD="$password" "$server" demo >/dev/null)
"$psql" "$(url pages)" --quiet --no-psqlrc --set ON_ERROR_STOP=1 --file benches/load/invoices.sql
sql pages "VACUUM ANALYZE"
start_side ours /login
cookie=$(curl -sf -o /dev/null -D - -H 'Content-Type: application/json' -d "{\"email\":\"publisher@demo.test\",\"password\":\"$password\"}" \
  "http://$address/api/v1/auth/login" | sed -n 's/^[Ss]et-[Cc]ookie: \(auth_token=[^;]*\).*/\1/p')
[ -n "$cookie" ] || die "The login failed: $(tail -n 5 "$work/run/ours.log")"
page() { curl -sf -b "$cookie" "http://$address$1"; }
page /billing/invoices > "$work/run/ours.html"
style=$(sed -n 's/.*<link rel="stylesheet" href="\([^"]*\)".*/\1/p' "$work/run/ours.html" | head -n 1)
[ -n "$style" ] || die "The page names no style sheet."
page "$style" > "$work/run/console.css" || die "$site lacks $style: run \`make site\` again."
page /favicon.svg > "$work/run/favicon.svg"
if [ "${BENCH_STATEMENTS:-no}" != no ]; then
  sql pages "CREATE EXTENSION pg_stat_statements"
  for path in /billing/invoices /billing/usage; do
    for _ in $(seq 20); do page "$path" >/dev/null; done
    sql pages "SELECT pg_stat_statements_reset()" >/dev/null
    for _ in $(seq 100); do page "$path" >/dev/null; done
    step "statements of $path, per page: executions, planning and execution in ms"
    sql pages "SELECT round(calls / 100.0, 2), round((total_plan_time / 100)::numeric, 3), round((total_exec_time / 100)::numeric, 3),
        left(regexp_replace(query, '\s+', ' ', 'g'), 110)
      FROM pg_stat_statements WHERE calls >= 50 AND query NOT LIKE '%pg_stat%' ORDER BY total_plan_time + total_exec_time DESC"
  done
fi
stop_server
if [ "${BENCH_PEER:-yes}" != no ]; then
  mkdir -p "$nextjs/.next/standalone/public"
  cp "$work/run/console.css" "$work/run/favicon.svg" "$nextjs/.next/standalone/public/"
  start_side nextjs
  page /billing/invoices > "$work/run/nextjs.html"
  stop_server
  node benches/load/pages-compare.cjs "$work/run/ours.html" "$work/run/nextjs.html"
fi

results="$work/run/results"
: > "$results"
# drive SIDE PATH ENCODING CONNECTIONS SECONDS
drive() {
  local contains=()
  [ "$3" != identity ] || contains=(--contains '</html>')
  taskset -c 1 "$driver" --address "$address" --path "$2" --cookie "$cookie" --encoding "$3" ${contains[@]+"${contains[@]}"} \
    --connections "$4" --seconds "$5" --server-pid "$pid" --postgres-pid "$postgres"
}
for round in $(seq "$rounds"); do
  for side in "${sides[@]}"; do
    start_side "$side"
    printf '%s {"started_ms":%s}\n' "$side" "$started_ms" >> "$results"
    paths=(/billing/invoices)
    [ "$side" = nextjs ] || [ -z "$before" ] || paths+=(/billing/usage)
    for path in "${paths[@]}"; do
      # Compiled, connected and planned on every side.
      drive "$side" "$path" identity 16 2 > /dev/null
      for encoding in identity "$browser"; do
        for count in "${connections[@]}"; do
          [ "$side" != ours ] || start_recording "pages-$(basename "$path")-round-$round-connections-$count"
          drive "$side" "$path" "$encoding" "$count" "$seconds" > "$work/run/result"
          stop_recording
          printf '%s %s\n' "$side" "$(cat "$work/run/result")" >> "$results"
          step "round $round, $side, $path, $count connections, ${encoding%%,*}: $(node -e 'const r = JSON.parse(process.argv[1]); console.log(`${r.requests_per_second.toFixed(0)}/s, server ${(100 * r.server_busy).toFixed(0)} %, other core ${(100 * r.other_core_busy).toFixed(0)} %`)' "$(cat "$work/run/result")")"
        done
      done
    done
    if [ -d end2end/node_modules/@playwright/test ] && { [ "$side" = ours ] || [ "$side" = nextjs ]; }; then
      node benches/load/pages-browser.mjs "http://$address/billing/invoices" "$cookie" | while read -r line; do printf '%s %s\n' "$side" "$line"; done >> "$results"
    fi
    stop_server
  done
done
node benches/load/pages-table.cjs "$results"
