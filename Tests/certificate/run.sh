#!/bin/sh
# Builds the tools of the certificate into build/tests/certificate, runs it, and prints a table; ends with 1 when
# something that was promised did not hold.
#
#   Tests/certificate/run.sh [quick] [PART...]     parts: notices kills power neighbours fair syncs unsynced full faults
#
# MUSTER_BUILD: the folder with libmuster.so (default: build). Needs gcc, jansson, sqlite3 and Python. Quick takes one
# to two minutes, all of it about an hour on two idle cores.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/Tests/certificate
build=$(cd "${MUSTER_BUILD:-$root/build}" && pwd) || exit 2
tools=$root/build/tests/certificate
strict="-std=gnu11 -g -O1 -Wall -Wextra -Werror -I$root/include"
libraries="-L$build -lmuster -ljansson -lsqlite3 -lpthread -Wl,-rpath,$build"
scratch=$(mktemp -d)
mkdir -p "$tools"

trap 'exec 9>&-; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# shellcheck disable=SC2086
gcc $strict -U_FORTIFY_SOURCE -fPIC -shared "$here/faults.c" -o "$tools/faults.so" &&
  gcc $strict "$here/worker.c" -o "$tools/worker" $libraries &&
  gcc $strict "$here/scenario.c" -o "$tools/scenario" $libraries || exit 2

# The mock ends when its standard input closes, so it never outlives this script.
mkfifo "$scratch/alive"
python3 "$root/Tests/servers/model_server.py" --port-file "$scratch/port" --until-stdin-closes \
  <"$scratch/alive" >/dev/null &
exec 9>"$scratch/alive"
for _ in $(seq 100); do
  [ -s "$scratch/port" ] && break
  sleep 0.1
done
MODEL_BASE=http://127.0.0.1:$(cat "$scratch/port")/v1
export MODEL_BASE

MUSTER_LIBRARY=$build/libmuster.so.1 PYTHONPATH=$root/bindings/python/src PYTHONDONTWRITEBYTECODE=1 \
  python3 "$here/certificate.py" "$scratch" "$tools" "$@" 9>&-
