#!/usr/bin/env bash
# Removes build output of all of this user's clones, and stops the tests' database server, which
# outlives the tests.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

target="${CARGO_TARGET_DIR:-$cache/target}"
for cluster in "/dev/shm/apex-billing-tests-$(id -u)" "$target/tmp/postgres"; do
  [ -d "$cluster" ] || continue
  step "stopping the tests' PostgreSQL in $cluster"
  if pid=$(head -n 1 "$cluster/data/postmaster.pid" 2>/dev/null); then kill -QUIT "$pid" 2>/dev/null || true; fi
  rm -rf "$cluster"
done
step "removing target/site, target/site-release, $target and $cache/target-wasm"
rm -rf target/site target/site.* target/site-release target/site-release.* "$target" "${APEX_WASM_TARGET_DIR:-$cache/target-wasm}"
