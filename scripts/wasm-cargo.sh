#!/usr/bin/env bash
# cargo for the browser's side: `wasm-cargo.sh build --lib ...`. Adds the target, and uses Debian's
# Rust if only that has its standard library (see setup.sh). Has its own target folder, so that it
# can run in parallel with the server's build.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

rust=$(wasm_rust) || die "Rust has no standard library for $wasm_target here; run scripts/setup.sh."
if [ "$rust" = debian ]; then
  # At the end of PATH: if PATH lacks its folder, cargo puts it in front, with rustup's
  # cargo-clippy.
  export PATH="/usr/bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
  unset RUSTC RUSTDOC RUSTUP_TOOLCHAIN CARGO
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$(wasm_linker)
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
fi
export CARGO_TARGET_DIR="${APEX_WASM_TARGET_DIR:-$cache/target-wasm}"
command=$1; shift
exec cargo "$command" --target "$wasm_target" "$@"
