#!/usr/bin/env bash
# Fetches ClickHouse's engine for the tests into the user's cache, from the wheel `chdb-core`,
# pinned by SHA-256. No smaller package installs without root on every platform.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

case $(uname -s)-$(uname -m) in
  Linux-x86_64) platform=manylinux2014_x86_64 sha256=707e2ec3fe0f7953bac97942eaeb7a1ed1d66b1e56ecef3f0aa2130f61f6e735 ;;
  Linux-aarch64) platform=manylinux2014_aarch64 sha256=46148d3fc1edd6d6f701922be0f18e2aa6e60349e418b430e69bbb87ab6b95a9 ;;
  Darwin-arm64) platform=macosx_11_0_arm64 sha256=bc2d2baedc038ba04be59d97d9ded4f87a3fbe05c3820f93d90e508b1e541ad0 ;;
  Darwin-x86_64) platform=macosx_10_15_x86_64 sha256=0d24d78969f7ab41d5303c148b7cf64880fa017507bbed9c9b8799b29c26723f ;;
  *) die "ClickHouse's engine is not available for this platform: set TEST_CLICKHOUSE_URL to a server for the tests." ;;
esac
target="$cache/chdb-core-$clickhouse_wheel"
[ ! -e "$target/chdb/_chdb.abi3.so" ] || exit 0
python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip

step "fetching ClickHouse's engine, chdb-core $clickhouse_wheel (181 MB, once)"
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
printf 'chdb-core==%s --hash=sha256:%s\n' "$clickhouse_wheel" "$sha256" > "$work/requirements.txt"
python3 -m pip install --quiet --no-deps --require-hashes --only-binary=:all: --no-compile --disable-pip-version-check --root-user-action=ignore \
  --python-version 3.12 --platform "$platform" --target "$work/unpacked" --requirement "$work/requirements.txt" ||
  die "ClickHouse's engine can't be fetched: set TEST_CLICKHOUSE_URL to a server for the tests."
rm -rf "$target"
mv "$work/unpacked" "$target"
