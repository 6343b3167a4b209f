#!/usr/bin/env bash
# Builds Rust's standard library for the browser from Debian's rust-web-src, because Debian's
# rustc-web lacks it. Needs root, takes a minute, once per machine. Usage: wasm-std.sh [folder],
# default: where /usr/bin/rustc looks.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

lib=${1:-$(/usr/bin/rustc --print target-libdir --target "$wasm_target")}
source=$(readlink -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust")/library
[ -d "$source" ] || die "The sources of Rust's standard library are missing; run this first: apt-get install rust-web-src"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$source" "$work/library"
cd "$work/library"
# The Rust project builds its standard library with RUSTC_BOOTSTRAP and force-unstable-if-unmarked.
env -u RUSTC -u RUSTUP_TOOLCHAIN -u CARGO_BUILD_TARGET PATH=/usr/bin:/bin \
  RUSTC_BOOTSTRAP=1 __CARGO_DEFAULT_LIB_METADATA=debianwasm CARGO_PROFILE_DIST_DEBUG=0 CARGO_TARGET_DIR="$work/target" \
  RUSTFLAGS="-Zforce-unstable-if-unmarked -Cembed-bitcode=yes --remap-path-prefix=$work/library=/rustc/library" \
  /usr/bin/cargo build --quiet -p sysroot --profile dist --target "$wasm_target"
rm "$work/target/$wasm_target/dist/deps"/libsysroot-*.rlib
mkdir -p "$lib"
rm -f "$lib"/*.rlib
# libcore last: once it is there, the set is complete.
find "$work/target/$wasm_target/dist/deps" -name '*.rlib' ! -name 'libcore-*' -exec cp {} "$lib"/ \;
cp "$work/target/$wasm_target/dist/deps"/libcore-*.rlib "$lib"/
