#!/usr/bin/env bash
# Builds the optimised program and site as one archive: target/apex-billing-VERSION-SYSTEM.tar.gz.
# Then unpacks it into a temporary folder, starts its server on a private PostgreSQL and tests its
# console in Chromium. A page that does not hydrate or a message in the browser's console fails the
# release, and leaves no archive. Prints sizes, and the median start time of five starts on an
# up-to-date database. The pages' budgets of size (bench/budgets.sh) hold too; times are printed.
#
#   APEX_RELEASE_PROFILE=dev    the server's cargo profile: a quick check of this script only
#   APEX_RELEASE_PORT=3120      port of the archive's server
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}" SQLX_OFFLINE=true
profile=${APEX_RELEASE_PROFILE:-release}
port=${APEX_RELEASE_PORT:-3120}
have strip || apt_install binutils
scripts/setup.sh --browser

# Not target/site: that belongs to the server of `make run`.
scripts/build-site.sh --release
step "cargo build --profile $profile, for the server"
cargo build --profile "$profile" --bin apex-billing
folder=$profile
[ "$profile" != dev ] || folder=debug

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=apex-billing-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
begin_work

step "$name.tar.gz"
packed="$work/packed/$name"
mkdir -p "$packed/target"
# Function names are a fifth of the file; a panic reports its file and line without them.
strip -o "$packed/apex-billing" "$CARGO_TARGET_DIR/$folder/apex-billing"
cp -R target/site-release "$packed/target/site"
cp -R Leptos.toml .env.example LICENSE README.md ARCHITECTURE.md CONTRIBUTING.md SECURITY.md docs deploy "$packed/"
# Of what is inside the program: fonts, and Stripe's fixtures.
mkdir "$packed/licenses"
cp src/pdf/fonts/LICENSE-* "$packed/licenses/"
cp src/stripe_stand_in/fixtures.LICENSE "$packed/licenses/LICENSE-stripe-fixtures.txt"
tar -C "$work/packed" -czf "$work/$name.tar.gz" "$name"
tar -C "$work" -xzf "$work/$name.tar.gz"
place="$work/$name"

step "starting it, with its private PostgreSQL, on a database that is up to date"
address=127.0.0.1:$port
settled=(env -i PATH="$PATH" HOME="$work" APEX_PG_BIN="$(find_postgres)" LEPTOS_SITE_ADDR="$address" METRICS_ADDR=127.0.0.1:0 RUST_LOG=error)
start() {
  local began now
  began=$(date +%s%N)
  (cd "$place" && exec "${settled[@]}" ./apex-billing serve) > "$work/log" 2>&1 &
  server=$!
  until curl -sf -o /dev/null "http://$address/readyz"; do
    kill -0 "$server" 2>/dev/null || die "$(cat "$work/log")"
    sleep 0.01
  done
  now=$(date +%s%N)
  echo $(( (now - began) / 1000000 )) >> "$work/starts"
}
stop() {
  kill -INT "$server"
  wait "$server" || true
  server=
}
(cd "$place" && "${settled[@]}" ./apex-billing migrate up) > "$work/log" 2>&1 || die "$(cat "$work/log")"
for _ in 1 2 3 4 5 6; do start; stop; done
# The first start has cold caches.
ready=$(tail -n 5 "$work/starts" | sort -n | sed -n 3p)

step "its console in Chromium, with the demo"
(cd end2end && APEX_PG_BIN="$(find_postgres)" APEX_E2E_ARCHIVE="$place" APEX_E2E_PORT="$port" npx --no-install playwright test tests/main.spec.ts --reporter=list </dev/null) ||
  die "The archive's console does not work in Chromium; no archive was written."
BENCH_SERVER="$place/apex-billing" BENCH_SITE="$place/target/site" BENCH_PORT="$port" BENCH_IDLE_SECONDS="${BENCH_IDLE_SECONDS:-120}" \
  BENCH_TIMES=print scripts/bench/budgets.sh ||
  [ "$profile" = dev ] || die "The archive's console misses a budget; no archive was written."
mv "$work/$name.tar.gz" "target/$name.tar.gz"

size() { stat -c %s "$1" 2>/dev/null || stat -f %z "$1"; }
megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'; }
kilobytes() { awk -v bytes="$1" 'BEGIN { printf "%.0f kB", bytes / 1e3 }'; }
pkg="$packed/target/site/pkg" wasm=$(echo "$packed"/target/site/pkg/*.wasm)
printf '\n%-46s %s\n' "target/$name.tar.gz" "$(megabytes "$(size "target/$name.tar.gz")")" \
  "the program" "$(megabytes "$(size "$packed/apex-billing")")" \
  ".wasm" "$(kilobytes "$(size "$wasm")"), $(kilobytes "$(size "$wasm.br")") as brotli" \
  "JavaScript and style sheet, as brotli" "$(kilobytes $(($(size "$pkg"/*.js.br) + $(size "$pkg"/*.css.br))))" \
  "ready after, its PostgreSQL's start included" "$ready ms"
