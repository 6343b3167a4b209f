#!/usr/bin/env bash
# Runs every check, cheapest first, and prints counts at the end: `test.sh [unit|e2e]`, by default
# both and the lints. A failed test doesn't stop later ones; failed lints do.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 1

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}" SQLX_OFFLINE=true
part=${1:-all}
passed=0 failed=0 report=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

note() { report="$report$1"$'\n'; }

finish() {
  printf '\n%s' "$report"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}

# must WHAT COMMAND...: if it fails, later checks are meaningless.
must() {
  local what=$1; shift
  if "$@"; then note "ok      $what"; else note "FAILED  $what"; failed=$((failed + 1)); finish; fi
}

# counted WHAT STATUS PASSED FAILED: a runner that fails without a failed test counts as one
# failure.
counted() {
  local what=$1 status=$2 good=${3:-0} bad=${4:-0}
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$bad" = 0 ]; then note "ok      $what: $good passed"; else note "FAILED  $what: $good passed, $bad failed"; fi
  passed=$((passed + good)) failed=$((failed + bad))
}

# sum PATTERN FILE: adds the numbers before a word.
sum() { { grep -Eo "$1" "$2" || true; } | awk '{ total += $1 } END { print total + 0 }'; }

rust_tests() {
  local status log="$work/rust.log"
  if have cargo-nextest; then
    step "cargo nextest run"
    cargo nextest run --workspace --no-fail-fast 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    # "Summary [ 3.2s] 40 tests run: 38 passed (1 slow), 1 failed, 1 timed out, 2 skipped"
    grep -E 'Summary \[.*tests? run:' "$log" | tail -n 1 | sed 's/.*run://' > "$work/rust.summary"
    counted "unit and integration tests" "$status" "$(sum '[0-9]+ passed' "$work/rust.summary")" "$(sum '[0-9]+ (failed|timed out|exec failed)' "$work/rust.summary")"
  else
    step "cargo test"
    cargo test --workspace --no-fail-fast 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    # "test result: ok. 40 passed; 0 failed; 0 ignored; ...", one line per binary
    grep '^test result:' "$log" > "$work/rust.summary"
    counted "unit and integration tests" "$status" "$(sum '[0-9]+ passed' "$work/rust.summary")" "$(sum '[0-9]+ failed' "$work/rust.summary")"
  fi
}

# Alert rules fire when they should, and only then; each rule counts as one test.
alert_tests() {
  local status rules=deploy/prometheus
  step "promtool test rules"
  promtool check config "$rules/prometheus.yml" && promtool test rules "$rules/alerts_test.yml"
  status=$?
  counted "alert rules" "$status" "$([ "$status" != 0 ] || grep -c '^        alertname:\|promql_expr_test:' "$rules/alerts_test.yml")"
}

audit() {
  local status
  scripts/audit.sh
  status=$?
  counted "dependencies" "$status" "$([ "$status" != 0 ] || echo 1)"
}

api_tests() {
  local status
  step "redocly lint"
  # Without telemetry.
  "$CARGO_TARGET_DIR/debug/apex-billing" openapi > "$work/openapi.json" &&
    (cd end2end && REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --no-install redocly lint "$work/openapi.json" </dev/null)
  status=$?
  counted "OpenAPI document" "$status" "$([ "$status" != 0 ] || echo 1)"
  step "schemathesis"
  scripts/api-check.sh
  status=$?
  # Exit status: how many of the four had findings; above four, it could not run.
  counted "API against its OpenAPI document" "$status" "$([ "$status" -gt 4 ] || echo $((4 - status)))" "$([ "$status" -gt 4 ] || echo "$status")"
}

# playwright WHAT NAME ARGUMENT...: one run of the browser tests, with its own folder and counts.
playwright() {
  local what=$1 name=$2 status counts; shift 2
  step "playwright test, $what"
  # All settings but the reporters are in end2end/playwright.config.
  mkdir "$work/$name"
  (cd end2end && APEX_E2E_DIR="$work/$name" PLAYWRIGHT_JSON_OUTPUT_NAME="$work/$name.json" npx --no-install playwright test "$@" --reporter=list,json </dev/null)
  status=$?
  counts=$(node -e 'const { expected, flaky, unexpected } = JSON.parse(require("fs").readFileSync(process.argv[1])).stats; console.log(expected + flaky, unexpected)' "$work/$name.json" 2>/dev/null)
  # shellcheck disable=SC2086
  counted "$what" "$status" $counts
}

browser_tests() {
  playwright "browser tests" end2end
  # The release's browser files, through the main journeys.
  must "the optimised client" scripts/build-site.sh --release
  APEX_E2E_SITE="$root/target/site-release" playwright "browser tests, optimised client" optimised tests/main.spec.ts
}

case $part in
  all)
    must "set-up" scripts/setup.sh --test
    must "format" make --no-print-directory format-check
    must "lints of both targets, checked queries, build" make --no-print-directory compile
    audit
    alert_tests
    rust_tests
    api_tests
    browser_tests
    ;;
  unit)
    [ -n "${TEST_CLICKHOUSE_URL:-}" ] || must "ClickHouse's engine" scripts/fetch-clickhouse.sh
    must "localstripe" scripts/fetch-localstripe.sh
    rust_tests
    ;;
  e2e)
    must "set-up" scripts/setup.sh --test
    must "build" make --no-print-directory build
    browser_tests
    ;;
  *) die "usage: scripts/test.sh [unit|e2e]" ;;
esac
finish
