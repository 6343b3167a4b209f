#!/usr/bin/env bash
# Checks dependencies: licences, sources and banned crates with cargo deny, npm vulnerabilities with
# the npm registry. `--advisories` also checks advisories of crates, whose database cargo deny
# fetches with git: run it regularly and before a release.
set -uo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 1

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
checks=(bans licenses sources)
case ${1:-} in
  '') ;;
  --advisories) checks=(all) ;;
  *) die "usage: scripts/audit.sh [--advisories]" ;;
esac

if [ "$(cargo deny --version 2>/dev/null)" != "cargo-deny $cargo_deny" ]; then
  step "cargo install cargo-deny $cargo_deny (some minutes, once)"
  # Unoptimised: it takes seconds either way.
  cargo install --quiet --locked --debug "cargo-deny@$cargo_deny" || die "cargo-deny can't be installed."
fi
step "cargo deny check ${checks[*]}"
cargo deny --log-level error --locked check --hide-inclusion-graph "${checks[@]}" || exit 1

# npm_audit FOLDER: checks its lock file. Registries without advisories, as many mirrors, give no
# result; the script reports that.
npm_audit() {
  local found
  step "npm audit in $1"
  found=$(cd "$1" && npm audit --audit=true --json --audit-level=high --package-lock-only </dev/null 2>/dev/null)
  node -e '
    const report = JSON.parse(require("fs").readFileSync(0, "utf8") || "{}");
    const counts = report.metadata?.vulnerabilities;
    if (!counts) {
      console.log(`    NOT CHECKED: the registry has no advisories to ask for (${report.message ?? report.error?.summary ?? "no answer"})`.replace(/https?:\S+/g, "it"));
      process.exit(0);
    }
    console.log(`    ${JSON.stringify(counts)}`);
    for (const [name, { severity, range }] of Object.entries(report.vulnerabilities ?? {})) console.log(`    ${severity}: ${name} ${range}`);
    process.exit(counts.high + counts.critical > 0 ? 1 : 0);' <<< "$found"
}
npm_audit end2end && npm_audit benches/load/peer && npm_audit benches/load/nextjs
