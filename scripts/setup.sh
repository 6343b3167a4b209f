#!/usr/bin/env bash
# Installs what the build needs; `--test` also what the tests need, `--browser` only what the
# browser tests need. Skips what is installed, and writes nothing into the repository.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

with_tests=false with_browser=false
case ${1:-} in
  '') ;;
  --test) with_tests=true with_browser=true ;;
  --browser) with_browser=true ;;
  *) die "usage: scripts/setup.sh [--test|--browser]" ;;
esac
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"

have cargo && have rustc || die "Rust is missing: install it with rustup and run this again."
rust_version=$(rustc --version | cut -d' ' -f2)
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
[ "$(printf '%s\n' "$rust_wanted" "${rust_version%%-*}" | sort -V | head -n 1)" = "$rust_wanted" ] ||
  die "Rust $rust_version is older than the $rust_wanted that this project needs: run \`rustup update\`."

packages=()
have cc || packages+=(gcc libc6-dev)
have node || packages+=(nodejs)
if $with_browser; then
  have npm || packages+=(npm)
  [ "$(uname)" != Linux ] || have chromium || packages+=(chromium)
fi
if $with_tests; then
  have pdftotext && have pdftoppm || packages+=(poppler-utils)
  have qpdf || packages+=(qpdf)
  have promtool || packages+=(prometheus)
fi
[ ${#packages[@]} = 0 ] || apt_install "${packages[@]}"

wasm_done="wasm32 target"
if ! wasm=$(wasm_rust); then
  if have rustup; then
    step "rustup target add $wasm_target"
    limited 180 rustup --quiet target add "$wasm_target" </dev/null >/dev/null 2>&1 || echo "    not available here"
  fi
  if ! wasm=$(wasm_rust); then
    # Some machines reach Debian's mirrors, but not Rust's: use Debian's newest Rust for the
    # browser's side.
    have apt-get || die "The Rust target $wasm_target is missing: run \`rustup target add $wasm_target\`."
    if ! has_wasm_std /usr/bin/rustc || ! [ -x /usr/bin/cargo ]; then
      apt_install rustc-web cargo-web rust-web-src rust-web-clippy
      step "building Rust's standard library for $wasm_target (a minute, once)"
      if [ "$(id -u)" = 0 ]; then scripts/wasm-std.sh; else sudo HOME="$HOME" scripts/wasm-std.sh; fi
    fi
    wasm_linker >/dev/null || apt_install lld-19
    wasm=$(wasm_rust) || die "Rust still has no standard library for $wasm_target after the set-up; see the messages above."
  fi
fi
[ "$wasm" = default ] || wasm_done="$wasm_done by Debian's Rust"
if $with_tests && [ "$wasm" = debian ] && ! [ -x /usr/bin/cargo-clippy ]; then apt_install rust-web-clippy; fi

postgres_done="PostgreSQL at DATABASE_URL"
if postgres=$(find_postgres); then
  postgres_done="PostgreSQL in $postgres"
elif [ -z "${DATABASE_URL:-}" ] || $with_browser; then
  scripts/fetch-postgres.sh
  postgres_done="PostgreSQL in $(find_postgres)"
fi

if $with_tests && [ -z "${TEST_CLICKHOUSE_URL:-}" ]; then scripts/fetch-clickhouse.sh; fi

if $with_tests; then scripts/fetch-schemathesis.sh; fi

if $with_tests; then scripts/fetch-localstripe.sh; fi

if $with_browser && [ -f end2end/package.json ]; then
  # npm records in node_modules what it installed: if that is newer than the lock file, nothing has
  # changed.
  if ! [ end2end/node_modules/.package-lock.json -nt end2end/package-lock.json ]; then
    step "npm ci in end2end"
    (cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --no-audit --no-fund </dev/null)
  fi
fi

echo "Ready: Rust $rust_version, $wasm_done, $postgres_done."
