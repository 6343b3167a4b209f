#!/usr/bin/env bash
# Fetches localstripe, an independent Stripe stand-in, from PyPI into the user's cache: tests also
# read our lists from it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ -d "$cache/localstripe-$localstripe/localstripe" ] || fetch_python localstripe "$localstripe"
