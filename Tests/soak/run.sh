#!/bin/sh
# Builds Tests/c/soak.c into build/tests/c and runs it: submitted calls of every kind and fate, each with exactly one end, and nothing grows.
#
#   SOAK_SECONDS=600 SOAK_RUNS=200000 SOAK_TOLERANCE=2 Tests/soak/run.sh      at least so long and so many runs after a warm-up of half of both, in
#                                        which memory and descriptors stay within so many percent (default: a slice, 20, 30000 and 4)
#
# MUSTER_BUILD: the folder with libmuster.so (default: build). Needs gcc, jansson and sqlite3; the model is a process of its own.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/Tests/harness.sh"
out=$root/build/tests/c
mkdir -p "$out"
: "${SOAK_SECONDS:=20}" "${SOAK_RUNS:=30000}" "${SOAK_TOLERANCE:=4}"
: "${TEST_SECONDS:=$((SOAK_SECONDS * 4 + 600))}"
ulimit -n "$(ulimit -Hn)"
# shellcheck disable=SC2086
gcc -std=gnu11 -g -O1 $strict -I"$root/Tests/servers" "$root/Tests/c/soak.c" -o "$out/soak" $libraries
note $? "soak.c does not build"
# Chunks that threads keep for themselves would count as allocated.
GLIBC_TUNABLES=glibc.malloc.tcache_count=0
export GLIBC_TUNABLES
[ "$failed" -gt 0 ] || run soak "$out/soak" "$(folder soak)" "$SOAK_SECONDS" "$SOAK_RUNS" "$SOAK_TOLERANCE"
finish
