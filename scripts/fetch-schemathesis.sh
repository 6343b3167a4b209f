#!/usr/bin/env bash
# Fetches Schemathesis, which tests a server against its OpenAPI document, from PyPI into the user's
# cache.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ -x "$cache/schemathesis-$schemathesis/bin/st" ] || fetch_python schemathesis "$schemathesis" --only-binary=:all:
