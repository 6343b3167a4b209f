#!/usr/bin/env bash
# cargo for the browser's side: `wasm-cargo.sh build --lib ...`. Adds the target, and takes Debian's Rust where that is the one with a
# standard library for it (see setup.sh). Its own target folder, so that it can run beside the server's build.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

rust=$(wasm_rust) || die "Rust has no standard library for $wasm_target here; run scripts/setup.sh."
if [ "$rust" = debian ]; then
  # At the end of PATH, because cargo puts its own folder, with rustup's cargo-clippy, in front when PATH lacks it.
  export PATH="/usr/bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
  unset RUSTC RUSTDOC RUSTUP_TOOLCHAIN CARGO
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(wasm_linker)
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
fi
export CARGO_TARGET_DIR="${APEX_WASM_TARGET_DIR:-$cache/target-wasm}"
command=$1; shift
exec cargo "$command" --target "$wasm_target" "$@"
