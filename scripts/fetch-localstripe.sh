#!/usr/bin/env bash
# localstripe, somebody else's stand-in for Stripe, from PyPI into the user's cache: our lists are paged through against it too.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

target="$cache/localstripe-$localstripe"
[ ! -d "$target/localstripe" ] || exit 0
python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip
step "fetching localstripe $localstripe (once)"
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$work/unpacked" "localstripe==$localstripe" ||
  die "localstripe can't be fetched from PyPI."
rm -rf "$target"
mv "$work/unpacked" "$target"
