#!/usr/bin/env bash
# Schemathesis, which asks a running server everything that the API's document allows, from PyPI into the user's cache.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

target="$cache/schemathesis-$schemathesis"
[ ! -x "$target/bin/st" ] || exit 0
python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip
step "fetching schemathesis $schemathesis (once)"
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --only-binary=:all: --disable-pip-version-check --root-user-action=ignore --target "$work/unpacked" \
  "schemathesis==$schemathesis" || die "Schemathesis can't be fetched from PyPI."
rm -rf "$target"
mv "$work/unpacked" "$target"
