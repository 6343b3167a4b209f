# Shared by the benchmarks in this folder: source it after ../lib.sh, don't run it. Provides a
# folder on a disk (`work`), a private PostgreSQL with fsync on, and servers; all are removed at the
# end.
#
#   BENCH_SERVER=FILE          use this server (of any profile) instead of building one
#   BENCH_DRIVER=FILE          the same for the driver
#   BENCH_PERF=FOLDER          record our servers with `perf record` while they are measured
#   BENCH_DIR=/var/tmp         folder of the databases: a disk, not memory

PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}" SQLX_OFFLINE=true

[ "$(uname)" = Linux ] || die "The benchmark reads CPU times from Linux's /proc."
programs=$(find_postgres) || die "PostgreSQL is missing: run scripts/setup.sh."
psql=psql
[ ! -x "$programs/psql" ] || psql="$programs/psql"
have "$psql" || die "psql is missing: apt-get install postgresql-client"
have node || die "Node is missing: run scripts/setup.sh."

# built KIND NAME COMMAND...: runs cargo and prints the program's path.
built() {
  local kind=$1 name=$2; shift 2
  "$@" --message-format=json-render-diagnostics | node -e '
    const [kind, name] = process.argv.slice(1);
    for (const line of require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean)) {
      const { target, executable } = JSON.parse(line);
      if (executable && target.kind.includes(kind) && target.name === name) console.log(executable);
    }' "$kind" "$name"
}
# build [DRIVER]: sets server, and driver if one is named.
build() {
  driver=${BENCH_DRIVER:-}
  { [ -z "${1:-}" ] || [ -n "$driver" ]; } && [ -n "${BENCH_SERVER:-}" ] || step "cargo build --release"
  [ -z "${1:-}" ] || driver=${driver:-$(built bench "$1" cargo build --release --bench "$1")}
  server=${BENCH_SERVER:-$(built bin apex-billing cargo build --release --bin apex-billing)}
  [ -z "${1:-}" ] || [ -x "$driver" ] || die "cargo built no driver."
  [ -x "$server" ] || die "cargo built no server."
}

pid= engine=
stop_server() {
  [ -n "$pid" ] || return 0
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  pid=
}
finish() {
  local status=$?
  trap - EXIT
  stop_server
  if [ -n "$engine" ]; then kill "$engine" 2>/dev/null || true; wait "$engine" 2>/dev/null || true; fi
  [ ! -e "$data/postmaster.pid" ] || as_postgres "$programs/pg_ctl" -D "$data" -m immediate -s stop >/dev/null 2>&1 || true
  rm -rf "$work"
  exit "$status"
}

# open_work [OPTIONS]: creates the folder and the private PostgreSQL, started with further options.
# Sets work, data, postgres (the postmaster).
open_work() {
  work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/apex-bench.XXXXXX")
  case $(stat -f -c %T "$work") in
    tmpfs | ramfs) rmdir "$work"; die "${BENCH_DIR:-/var/tmp} is in memory: name a folder on a disk with BENCH_DIR." ;;
  esac
  chmod 711 "$work"
  mkdir -m 755 "$work/pg" "$work/run"
  become_postgres "$work/pg"
  data="$work/pg/data"
  trap finish EXIT
  trap 'exit 130' INT TERM
  step "a private PostgreSQL $(postgres_major "$programs"), fsync on"
  # PostgreSQL's default settings, with the sizes of a small server, so that no checkpoint falls
  # into the measurement of only one side.
  as_postgres "$programs/initdb" -D "$data" -U postgres -A trust -E UTF8 --no-locale >/dev/null
  as_postgres "$programs/pg_ctl" -D "$data" -l "$work/pg/log" -w -s \
    -o "-c listen_addresses='' -c unix_socket_directories='$work/pg' -c shared_buffers=${BENCH_BUFFERS:-512MB} -c max_wal_size=4GB -c checkpoint_timeout=30min ${1:-}" start </dev/null ||
    die "$(tail -n 3 "$work/pg/log")"
  postgres=$(head -n 1 "$data/postmaster.pid")
  [ "$(sql postgres 'SHOW fsync') $(sql postgres 'SHOW synchronous_commit')" = "on on" ] || die "PostgreSQL runs without fsync."
  # Servers run in a folder without .env, and with an empty environment.
  cp Leptos.toml "$work/run/"
}
url() { echo "postgres://postgres@localhost/$1?host=$work/pg"; }
sql() { "$psql" "$(url "$1")" --quiet --no-psqlrc --tuples-only --no-align --set ON_ERROR_STOP=1 --command "$2"; }

# start_program SIDE SETTINGS... -- PROGRAM...: sets pid and address.
start_program() {
  local side=$1 log="$work/run/$1.log" waited=0 settings=(); shift
  : > "$log"
  while [ "$1" != -- ]; do settings+=("$1"); shift; done
  shift
  # `exec`, so that the pid is the server's own.
  (cd "$work/run" && exec env -i PATH="$PATH" RUST_LOG=warn LEPTOS_SITE_ADDR=127.0.0.1:0 METRICS_ADDR=127.0.0.1:0 ${settings[@]+"${settings[@]}"} "$@") >> "$log" 2>&1 &
  pid=$!
  until address=$(sed -n 's|^Serving http://||p' "$log") && [ -n "$address" ]; do
    kill -0 "$pid" 2>/dev/null || die "The server ($side) has ended: $(tail -n 5 "$log")"
    waited=$((waited + 1))
    [ "$waited" -lt 600 ] || die "The server ($side) has not started: $(tail -n 5 "$log")"
    sleep 0.1
  done
}

# start_recording NAME, stop_recording
recorder=
start_recording() {
  [ -n "${BENCH_PERF:-}" ] || return 0
  mkdir -p "$BENCH_PERF"
  # By the clock: a virtual machine may have no cycle counters.
  perf record --quiet --event cpu-clock --freq 999 -g --pid "$pid" --output "$BENCH_PERF/$1.data" >/dev/null 2>&1 &
  recorder=$!
}
stop_recording() {
  [ -n "$recorder" ] || return 0
  kill "$recorder" 2>/dev/null || true
  wait "$recorder" || true
  recorder=
}

# rows DATABASE WHAT EXPECTED QUERY
rows() {
  local found
  found=$(sql "$1" "$4")
  [ "$found" = "$3" ] || die "$1: $found $2, expected $3."
}
