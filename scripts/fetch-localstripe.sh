#!/usr/bin/env bash
# localstripe, somebody else's stand-in for Stripe, from PyPI into the user's cache: our lists are paged through against it too.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ -d "$cache/localstripe-$localstripe/localstripe" ] || fetch_python localstripe "$localstripe"
