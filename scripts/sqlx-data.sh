#!/usr/bin/env bash
# Writes .sqlx/, the query metadata for offline builds. `--check` only compares.
# Uses a temporary PostgreSQL with the migrations; needs only cargo.
# Usage: sqlx-data.sh [--check] [cargo command that compiles everything] (default: check
# --all-targets)
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$root"

check=false
if [ "${1:-}" = --check ]; then check=true; shift; fi
[ $# -gt 0 ] || set -- check --all-targets
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"

# All inputs of the result; if they are unchanged, the check is skipped.
inputs() { rustc --version; echo "$@"; { find Cargo.toml Cargo.lock migrations src tests benches .sqlx -type f 2>/dev/null || true; } | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cksum; }
stamp="$CARGO_TARGET_DIR/sqlx-data.$(printf %s "$root" | cksum | cut -d' ' -f1)"
if $check && [ "$(inputs "$@" | cksum)" = "$(cat "$stamp" 2>/dev/null)" ]; then
  step "cargo $*, with the queries checked: unchanged since the last success"
  exit
fi

programs=$(find_postgres) || die "PostgreSQL is missing: run scripts/setup.sh."
psql=psql
[ ! -x "$programs/psql" ] || psql="$programs/psql"
have "$psql" || die "psql is missing: apt-get install postgresql-client"

# Short, because a socket's path may have 103 bytes; in memory if possible.
memory=/tmp
[ ! -w /dev/shm ] || memory=/dev/shm
work=$(mktemp -d "$memory/apex-sqlx.XXXXXX")
data="$work/data"

become_postgres "$work"

finish() {
  # Touching lib.rs makes sqlx check all queries; the old time is restored so that other builds see
  # no change.
  [ ! -e "$work/time" ] || touch -r "$work/time" src/lib.rs
  [ ! -e "$data/postmaster.pid" ] || as_postgres "$programs/pg_ctl" -D "$data" -m immediate -s stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

step "a temporary PostgreSQL with the migrations"
as_postgres "$programs/initdb" -D "$data" -U app -A trust -E UTF8 --no-locale --no-sync >/dev/null
as_postgres "$programs/pg_ctl" -D "$data" -l "$work/log" -w -s -o "-c listen_addresses='' -c fsync=off -c unix_socket_directories='$work'" start </dev/null ||
  die "$(tail -n 3 "$work/log")"
url="postgres://app@localhost/postgres?host=$work"
for migration in migrations/*.up.sql; do
  "$psql" "$url" --quiet --no-psqlrc --set ON_ERROR_STOP=1 --single-transaction --file "$migration" >/dev/null
done

step "cargo $*, with the queries checked"
mkdir "$work/queries"
touch -r src/lib.rs "$work/time"
touch src/lib.rs
DATABASE_URL="$url" SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$work/queries" cargo "$@" || exit 1

if $check; then
  differences=$(diff -rq "$work/queries" .sqlx 2>&1 || true)
  [ -z "$differences" ] || die "$differences
.sqlx is not what the migrations and the queries say: run \`make sqlx-data\` and commit it."
  inputs "$@" | cksum > "$stamp"
else
  rm -rf .sqlx
  mkdir .sqlx
  [ -z "$(ls "$work/queries")" ] || cp "$work/queries"/*.json .sqlx/
  chmod 644 .sqlx/* 2>/dev/null || true
  echo "$(ls .sqlx | wc -l | tr -d ' ') queries in .sqlx"
fi
