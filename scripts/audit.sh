#!/usr/bin/env bash
# What is built in from others: its licences, sources and versions (deny.toml), and whether anybody knows of a weakness in it. The databases of
# weaknesses are asked for where they can be reached; where not, the last lines say so. Exit 1 on a finding.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 1

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
deny=$(scripts/fetch-cargo-deny.sh) || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
failed=0 unchecked=()

step "cargo deny check bans licenses sources"
"$deny" --locked check bans licenses sources || failed=1

step "cargo deny check advisories"
if limited 120 "$deny" --locked check advisories > "$work/advisories" 2>&1; then
  cat "$work/advisories"
elif grep -qE '^(error|warning)\[' "$work/advisories"; then
  cat "$work/advisories"
  failed=1
else
  unchecked+=("Cargo.lock, for RustSec's database of advisories can't be had from here")
fi

for folder in end2end benches/load/peer; do
  step "npm audit in $folder"
  (cd "$folder" && limited 60 npm audit --package-lock-only --json --fetch-retries=0 </dev/null) > "$work/npm" 2>/dev/null
  # An answer has its counts; without them nobody answered.
  found=$(node -e 'const counts = JSON.parse(require("fs").readFileSync(process.argv[1])).metadata.vulnerabilities; console.log(counts.total)' "$work/npm" 2>/dev/null)
  if [ -z "$found" ]; then
    unchecked+=("$folder/package-lock.json, for the registry of npm does not answer audits here")
  elif [ "$found" = 0 ]; then
    echo "found 0 vulnerabilities"
  else
    (cd "$folder" && npm audit --package-lock-only </dev/null)
    failed=1
  fi
done

[ ${#unchecked[@]} = 0 ] || printf 'NOT CHECKED for known weaknesses: %s.\n' "${unchecked[@]}"
exit "$failed"
