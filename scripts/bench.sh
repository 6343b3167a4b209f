#!/usr/bin/env bash
# How fast it is, beside others doing the same on the same machine in turns: scripts/bench.sh webhooks|ingest|usage|reconcile|all.
# Each of the scripts in bench/ says what it measures and which BENCH_ variables it takes.
set -euo pipefail
cd "$(dirname "$0")"
case ${1:-all} in
  all) for one in webhooks ingest usage reconcile; do "bench/$one.sh"; done ;;
  webhooks | ingest | usage | reconcile) exec "bench/$1.sh" ;;
  *) printf 'There is no benchmark `%s`: webhooks, ingest, usage, reconcile or all.\n' "$1" >&2; exit 2 ;;
esac
