#!/usr/bin/env bash
# The optimised program with its site, as one archive to copy: target/apex-billing-VERSION-SYSTEM.tar.gz. Prints how large everything is,
# what a browser loads, and how long the program takes to be ready on a database that is up to date (the median of five starts).
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}" SQLX_OFFLINE=true
have strip || apt_install binutils
have wasm-opt || ! have apt-get || apt_install binaryen

scripts/build-site.sh --release
step "cargo build --release, for the server"
cargo build --release --features ssr --bin apex-billing

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=apex-billing-$version-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
work=$(mktemp -d)
server=
finish() {
  local status=$?
  trap - EXIT
  if [ -n "$server" ]; then kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

step "target/$name.tar.gz"
place="$work/$name"
mkdir -p "$place/target"
# The names of functions are a fifth of the file; a panic says its file and line without them.
strip -o "$place/apex-billing" "$CARGO_TARGET_DIR/release/apex-billing"
cp -R target/site "$place/target/"
cp -R Leptos.toml .env.example LICENSE README.md docs deploy "$place/"
tar -C "$work" -czf "target/$name.tar.gz" "$name"

step "starting it, with its private PostgreSQL, on a database that is up to date"
address=127.0.0.1:${APEX_RELEASE_PORT:-3120}
start() {
  local began now
  began=$(date +%s%N)
  (cd "$place" && exec env -i PATH="$PATH" HOME="$work" LEPTOS_SITE_ADDR="$address" METRICS_ADDR=127.0.0.1:0 RUST_LOG=error ./apex-billing serve) > "$work/log" 2>&1 &
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
(cd "$place" && env -i PATH="$PATH" HOME="$work" ./apex-billing migrate up) > "$work/log" 2>&1 || die "$(cat "$work/log")"
for _ in 1 2 3 4 5 6; do start; stop; done
# The first one finds nothing in the machine's memory.
ready=$(tail -n 5 "$work/starts" | sort -n | sed -n 3p)

size() { stat -c %s "$1" 2>/dev/null || stat -f %z "$1"; }
megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1e6 }'; }
kilobytes() { awk -v bytes="$1" 'BEGIN { printf "%.0f kB", bytes / 1e3 }'; }
wasm=target/site/pkg/apex_billing_bg.wasm
printf '\n%-46s %s\n' "target/$name.tar.gz" "$(megabytes "$(size "target/$name.tar.gz")")" \
  "the program" "$(megabytes "$(size "$place/apex-billing")")" \
  ".wasm" "$(kilobytes "$(size $wasm)"), $(kilobytes "$(size $wasm.br)") as brotli" \
  "JavaScript and style sheet, as brotli" "$(kilobytes $(($(size target/site/pkg/apex_billing.js.br) + $(size target/site/pkg/apex_billing.css.br))))" \
  "ready after, its PostgreSQL's start included" "$ready ms"
