#!/bin/sh
# Builds Tests/c/life_*.c into build/tests/c, runs them against the shared library, and prints "N passed, M failed".
#
#   Tests/life/run.sh [NAME...]      only these: fork exit guest load memory
#
# MUSTER_BUILD: the folder with libmuster.so (default: build). LIFE=long: 200,000 invokes instead of 5,000 and 300 exits
# of each kind instead of 30. Needs gcc, jansson, sqlite3, Python and the openssl command.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${MUSTER_BUILD:-$root/build}
out=$root/build/tests/c
flags="-std=c99 -g -O1 -Wall -Wextra -pedantic -Werror -I$root/include"
libraries="-L$build -lmuster -ljansson -lsqlite3 -lpthread -Wl,-rpath,$build"
exits=30 invokes=5000
[ "${LIFE:-}" = long ] && exits=300 invokes=200000
passed=0 failed=0
scratch=$(mktemp -d)
mkdir -p "$out"

trap 'exec 9>&-; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

for name in "$@"; do
  case " fork exit guest load memory " in
    *" $name "*) ;;
    *) echo "no test is named $name; there are: fork exit guest load memory" >&2; exit 2 ;;
  esac
done
wanted=" $* "
selected() { [ "$wanted" = "  " ] || case $wanted in *" $1 "*) ;; *) return 1 ;; esac; }

# run NAME LIBRARIES ARGUMENT...: a program that dies, or that says nothing, counts as a failure.
run() {
  name=life_$1
  linked=$2
  shift 2
  folder=$(mktemp -d "$scratch/$name.XXXXXX")
  # shellcheck disable=SC2086
  if ! gcc $flags "$root/Tests/c/$name.c" -o "$out/$name" $linked; then
    failed=$((failed + 1))
    return
  fi
  timeout "${TEST_SECONDS:-600}" "$out/$name" "$folder" "$@" >"$scratch/$name.out"
  code=$?
  cat "$scratch/$name.out"
  counts=$(sed -n 's/.* \([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' "$scratch/$name.out" | tail -n 1)
  good=${counts% *}
  bad=${counts#* }
  passed=$((passed + ${good:-0}))
  failed=$((failed + ${bad:-0}))
  if [ -z "$counts" ] || { [ "$code" -ne 0 ] && [ "${bad:-0}" -eq 0 ]; }; then
    failed=$((failed + 1))
    echo "FAILED: $name ended with code $code" >&2
  fi
}

# The mocks end when their standard input closes, so they never outlive this script.
mock() {
  name=$1
  shift
  python3 "$root/Tests/servers/model_server.py" --port-file "$scratch/$name" --until-stdin-closes "$@" \
    <"$scratch/alive" >/dev/null &
}
mkfifo "$scratch/alive"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$scratch/key.pem" -out "$scratch/certificate.pem" 2>/dev/null || exit 2
mock http
mock https --tls-cert "$scratch/certificate.pem" --tls-key "$scratch/key.pem"
exec 9>"$scratch/alive"
for _ in $(seq 100); do
  [ -s "$scratch/http" ] && [ -s "$scratch/https" ] && break
  sleep 0.1
done
CURL_CA_BUNDLE=$scratch/certificate.pem
export CURL_CA_BUNDLE

MODEL_BASE=http://127.0.0.1:$(cat "$scratch/http")/v1
export MODEL_BASE
selected fork && run fork "$libraries"
selected load && run load -ldl "$build/libmuster.so"
selected memory && run memory "$libraries" "$invokes"
MODEL_BASE=https://127.0.0.1:$(cat "$scratch/https")/v1
selected exit && run exit "$libraries -ldl" "$exits"
selected guest && run guest "$libraries"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
