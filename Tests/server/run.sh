#!/usr/bin/env bash
# The server in trouble, as a process of its own: slow, broken and many clients, stops, kills and full disks under load;
# two servers that count the requests of a key together, and two that give answers again; streams, as curl reads them.
#
#   Tests/server/run.sh [NAME...]     only these tests of trouble.py
#
# MUSTER_BUILD: the folder with libmuster.so (default: build). Needs Python 3.10 and openssl.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/Tests/harness.sh"
start_mock http
TEST_SECONDS=${TEST_SECONDS:-300} run trouble python3 "$root/Tests/server/trouble.py" "$build/libmuster.so" "$(folder server)" "$@"
[ $# -gt 0 ] || TEST_SECONDS=120 run rates python3 "$root/Tests/server/rates.py" "$build/libmuster.so" "$(folder rates)"
[ $# -gt 0 ] || TEST_SECONDS=120 run streams python3 "$root/Tests/server/streams.py" "$build/libmuster.so" "$(folder streams)"
[ $# -gt 0 ] || TEST_SECONDS=120 run kept python3 "$root/Tests/server/kept.py" "$build/libmuster.so" "$(folder kept)"
finish
