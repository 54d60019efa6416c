#!/bin/sh
# Builds Tests/c/life_*.c into build/tests/c, runs them against the shared library, and prints "N passed, M failed".
#
#   Tests/life/run.sh [NAME...]      only these: fork streams exit guest load memory
#
# MUSTER_BUILD: the folder with libmuster.so (default: build). LIFE=long: 200,000 invokes instead of 5,000 and 300 exits
# of each kind instead of 30. Needs gcc, jansson, sqlite3, Python and the openssl command.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/Tests/harness.sh"
out=$root/build/tests/c
exits=30 invokes=5000 forks=100
[ "${LIFE:-}" = long ] && exits=300 invokes=200000 forks=600
: "${TEST_SECONDS:=600}"
mkdir -p "$out"
choose "fork streams exit guest load memory" "$@"

# life NAME LIBRARIES ARGUMENT...: builds life_NAME.c and runs it.
life() {
  selected "$1" || return 0
  program=life_$1
  linked=$2
  shift 2
  # shellcheck disable=SC2086
  gcc -std=c99 -g -O1 $strict -pedantic "$root/Tests/c/$program.c" -o "$out/$program" $linked ||
    { note 1 "$program.c does not build"; return; }
  run "$program" "$out/$program" "$(folder "$program")" "$@"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$scratch/key.pem" -out "$scratch/certificate.pem" 2>/dev/null || exit 2
CURL_CA_BUNDLE=$scratch/certificate.pem
export CURL_CA_BUNDLE

start_mock http
life fork "$libraries"
life streams "$libraries" "$forks"
life load -ldl "$build/libmuster.so"
life memory "$libraries" "$invokes"
start_mock https --tls-cert "$scratch/certificate.pem" --tls-key "$scratch/key.pem"
life exit "$libraries -ldl" "$exits"
life guest "$libraries"
finish
