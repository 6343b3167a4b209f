#!/usr/bin/env bash
# Schemathesis, which asks a running server everything that the API's document allows, from PyPI into the user's cache.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ -x "$cache/schemathesis-$schemathesis/bin/st" ] || fetch_python schemathesis "$schemathesis" --only-binary=:all:
