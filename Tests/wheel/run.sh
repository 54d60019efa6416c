#!/bin/sh
# Installs the wheel as a stranger would and uses it: where nothing that it needs is installed, and beside Python's own sqlite3.
# Prints "N passed, M failed".
#
#   Tests/wheel/run.sh [PYTHON...]      interpreters, 3.9 or newer, with venv (default: the one of build/venv)
#
# Needs build/wheel and build/venv: make wheel. The place where nothing is installed is a folder with the interpreter and glibc alone, entered
# with chroot: as root, else in a user namespace.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/Tests/wheel
tools=$root/build/venv/bin
work=$(mktemp -d)
trap 'exec 9>&-; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
unset MUSTER_LIBRARY PYTHONPATH LD_LIBRARY_PATH
passed=0
failed=0

note() {
  if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $2" >&2; fi
}

# Runs a command and counts it; what it printed is shown when it fails.
check() { # what is promised, the command
  promise=$1
  shift
  timeout 120 "$@" >"$work/out" 2>&1
  code=$?
  [ $code -eq 0 ] || cat "$work/out" >&2
  note $code "$promise"
}

set -- "${@:-$tools/python}"
for python in "$@"; do command -v "$python" >/dev/null || { echo "Tests/wheel/run.sh: $python is missing" >&2; exit 2; }; done
if [ "$(id -u)" = 0 ]; then inside=chroot; else inside="unshare --map-root-user --root"; fi

# ---- the file ----

wheel=$(ls "$root"/build/wheel/*.whl)
[ -f "$wheel" ] || { echo "Tests/wheel/run.sh: one wheel is needed in build/wheel: make wheel" >&2; exit 2; }
version=$(sed -n 's/^#define MUSTER_VERSION "\(.*\)"$/\1/p' "$root/include/muster.h")
tag=$(basename "$wheel" .whl | sed 's/.*-none-//')
[ "$(basename "$wheel")" = "libmuster-$version-py3-none-$tag.whl" ]
note $? "the wheel has the version of the header, and is for every Python 3"
"$tools/python" -m auditwheel show "$wheel" 2>&1 | tr '\n' ' ' >"$work/audit"
grep -q "constrains the platform tag to \"$tag\"" "$work/audit"
code=$?
[ $code -eq 0 ] || cat "$work/audit" >&2
note $code "auditwheel finds the tag $tag"
check "RECORD lists every file of the wheel with its hash, and the licences are in" "$tools/python" "$here/contents.py" "$wheel"

# ---- installed ----

mkfifo "$work/open"
"$tools/python" "$root/Tests/servers/model_server.py" --port-file "$work/port" --until-stdin-closes <"$work/open" >"$work/server" &
exec 9>"$work/open"
until [ -s "$work/port" ]; do sleep 0.1; done
base=http://127.0.0.1:$(cat "$work/port")/v1

number=0
for python in "$@"; do
  number=$((number + 1))
  place=$work/$number
  check "an interpreter alone in a folder ($python)" "$python" "$here/make_root.py" "$place"
  check "a fresh environment" "$python" -m venv "$place/venv"
  own=$place/venv/bin/python
  check "pip installs the wheel, and fetches nothing" "$own" -m pip --disable-pip-version-check install --no-index "$wheel"
  check "pip check" "$own" -m pip check
  "$own" -m pip --disable-pip-version-check uninstall --yes pip setuptools >/dev/null 2>&1
  # The programs import each other, and the folder that they see must not have the sources of the package.
  cp "$here"/*.py "$place/tmp/"
  describe="import sys; print('Python', sys.version.split()[0])"
  "$own" -c "$describe"

  # What a type checker sees of the installed package.
  printf 'import muster\nplane = muster.open("a.db")\nplane.agents.list(page="1")\n' >"$work/program.py"
  "$tools/python" -m mypy --strict --python-executable "$own" --cache-dir "$work/mypy" "$work/program.py" >"$work/out" 2>&1
  [ "$(grep -c ': error:' "$work/out")" = 1 ] && grep -q 'program.py:3: error: .*"page"' "$work/out"
  code=$?
  [ $code -eq 0 ] || cat "$work/out" >&2
  note $code "mypy takes the installed package's types"

  # On this machine, whose interpreter has a SQLite.
  for order in first after; do
    check "sqlite3 $order on the same file, nothing is lost" "$own" "$here/share.py" "$work/$number-$order.db" $order
    grep -q '^one SQLite' "$work/out"
    note $? "sqlite3 $order: one SQLite in the process"
  done

  # Where the interpreter and glibc are alone.
  find "$place" -name 'libsqlite3*' -o -name 'libjansson*' -o -name 'libcurl*' | grep -v '/site-packages/muster/' >"$work/found"
  cat "$work/found" >&2
  [ ! -s "$work/found" ]
  note $? "libjansson, libsqlite3 and libcurl are not there"
  ! $inside "$place" /venv/bin/python -c 'import sqlite3' 2>"$work/out" && grep -q 'ImportError: libsqlite3' "$work/out"
  code=$?
  [ $code -eq 0 ] || cat "$work/out" >&2
  note $code "the interpreter's own sqlite3 finds no SQLite"
  check "without libcurl all but a run works" $inside "$place" /venv/bin/python /tmp/use.py /tmp/a.db "$base" no-curl
  grep -q 'libcurl cannot be opened: libcurl.so.4: cannot open shared object file' "$work/out"
  note $? "without libcurl a run says that it is missing"
  curl=$(ldconfig -p 2>/dev/null | sed -n 's/.*libcurl\.so\.4 .*=> //p' | head -n 1)
  check "libcurl is added" "$python" "$here/make_root.py" "$place" "${curl:-/usr/lib/libcurl.so.4}"
  check "create, list and invoke" $inside "$place" /venv/bin/python /tmp/use.py /tmp/b.db "$base" curl
  check "sqlite3 after, there, nothing is lost" $inside "$place" /venv/bin/python /tmp/share.py /tmp/c.db after
  grep -q '^one SQLite /venv/.*/muster/libsqlite3.so.0' "$work/out"
  note $? "there, sqlite3 takes the wheel's SQLite"
done

# ---- a second SQLite ----

# A library whose SQLite has another name, as if it were inside the interpreter: what the README warns of is what happens.
mkdir "$work/second"
for name in libmuster.so.1 libjansson.so.4 libsqlite3.so.0; do
  sed 's/libsqlite3\.so\.0/libsqlite3.so.9/g' "$(dirname "$(find "$work/1/venv" -name libmuster.so.1)")/$name" \
    >"$work/second/$(echo "$name" | sed 's/libsqlite3.so.0/libsqlite3.so.9/')"
done
for order in first after; do
  MUSTER_LIBRARY=$work/second/libmuster.so.1 timeout 120 "$work/1/venv/bin/python" "$here/share.py" "$work/two-$order.db" $order >"$work/out" 2>&1
  code=$?
  [ $code -ne 0 ] && grep -q '^two SQLites' "$work/out" && grep -q '^locks lost$' "$work/out"
  code=$?
  [ $code -eq 0 ] || cat "$work/out" >&2
  note $code "with a second SQLite, $order, the locks are lost: the checks above would see it"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
