#!/usr/bin/env bash
# Builds the browser's files: the console's WebAssembly and JavaScript, the style sheet, the files
# of public/, and compressed copies. Writes target/site; with `--release` optimised for size to
# target/site-release, so that a running server's target/site stays unchanged. Quick if nothing has
# changed.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

profile=wasm-dev site="$root/target/site"
case ${1:-} in
  '') ;;
  --release) profile=wasm-release site="$root/target/site-release" ;;
  *) die "usage: scripts/build-site.sh [--release]" ;;
esac
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
name=apex_billing
wasm="${APEX_WASM_TARGET_DIR:-$cache/target-wasm}/$wasm_target/$profile/apex_islands.wasm"

step "cargo build, for the browser ($profile)"
scripts/wasm-cargo.sh build --quiet --profile "$profile" -p apex-islands --features hydrate

install_wasm_bindgen

# By content, not by time: another clone may share the target folder.
bindgen="$site.bindgen"
built="$profile $(wasm-bindgen --version) $(cat "$wasm" src/islands/boot.js scripts/build-site.sh | cksum)"
if [ "$(cat "$bindgen/built" 2>/dev/null)" != "$built" ]; then
  step "wasm-bindgen"
  rm -rf "$bindgen"
  # Function names are two thirds of an unoptimised .wasm; a panic reports its file and line without
  # them.
  # No wasm-opt: Debian 12's (108) exports the wrong table, so no page hydrates, and its output is
  # larger as brotli.
  wasm-bindgen --target web --no-typescript --remove-name-section --remove-producers-section --out-name "$name" --out-dir "$bindgen" "$wasm"
  cat src/islands/boot.js >> "$bindgen/$name.js"
  echo "$built" > "$bindgen/built"
fi

step "style sheet, public files, names with hashes, compressed copies"
node scripts/assets.mjs "$site" "$profile" "$bindgen"
