#!/usr/bin/env bash
# Benchmarks, compared with alternatives on the same machine: scripts/bench.sh
# webhooks|ingest|usage|reconcile|pages|budgets|all.
# Each script in bench/ documents what it measures and its BENCH_ variables.
set -euo pipefail
cd "$(dirname "$0")"
case ${1:-all} in
  all) for one in webhooks ingest usage reconcile pages budgets; do "bench/$one.sh"; done ;;
  webhooks | ingest | usage | reconcile | pages | budgets) exec "bench/$1.sh" ;;
  *) printf 'Unknown benchmark `%s`: use webhooks, ingest, usage, reconcile, pages, budgets or all.\n' "$1" >&2; exit 2 ;;
esac
