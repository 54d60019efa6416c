#!/bin/sh
# Builds the tools of the certificate into build/tests/certificate, runs it, and prints a table; ends with 1 when
# something that was promised did not hold.
#
#   Tests/certificate/run.sh [quick] [PART...]     parts: notices kills effects power neighbours fair syncs
#                                                        unsynced full disk faults
#
# MUSTER_BUILD: the folder with libmuster.so (default: build). Needs gcc, jansson, sqlite3 and Python. Quick takes two
# to three minutes, all of it an hour or more on two idle cores.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/Tests/harness.sh"
here=$root/Tests/certificate
tools=$root/build/tests/certificate
flags="-std=gnu11 -g -O1 $strict"
mkdir -p "$tools"

# shellcheck disable=SC2086
gcc $flags -U_FORTIFY_SOURCE -fPIC -shared "$here/faults.c" -o "$tools/faults.so" &&
  gcc $flags "$here/worker.c" -o "$tools/worker" $libraries &&
  gcc $flags "$here/effects.c" -o "$tools/effects" $libraries &&
  gcc $flags "$here/scenario.c" -o "$tools/scenario" $libraries &&
  gcc $flags "$here/disk.c" -o "$tools/disk" $libraries || exit 2

start_mock http
MUSTER_LIBRARY=$build/libmuster.so.1 PYTHONPATH=$root/bindings/python/src PYTHONDONTWRITEBYTECODE=1 \
  python3 "$here/certificate.py" "$scratch" "$tools" "$@" 9>&-
