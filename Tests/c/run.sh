#!/bin/sh
# Builds the C and C++ tests into build/tests/c, runs them against the shared library, and prints "N passed, M failed".
#
#   Tests/c/run.sh [NAME...]      only the tests with these names: header functions misuse ... host examples command
#
# MUSTER_BUILD: the folder with libmuster.so and the command (default: build). RUN_WITH: a program to run each test
# with, for example "valgrind -q --error-exitcode=9". TEST_SECONDS: the longest that one test may take (default 300).
# Needs gcc, jansson, sqlite3 and Python; clang is used when there is one.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/Tests/c
build=${MUSTER_BUILD:-$root/build}
out=$root/build/tests/c
strict="-Wall -Wextra -pedantic -Werror"
flags="-std=c99 -g -O1 $strict -I$root/include"
libraries="-L$build -lmuster -ljansson -lsqlite3 -lpthread -Wl,-rpath,$build -Wl,-z,defs"
passed=0
failed=0
wanted=" $* "
scratch=$(mktemp -d)
mkdir -p "$out"

trap 'exec 9>&-; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

selected() { [ "$wanted" = "  " ] || case $wanted in *" $1 "*) ;; *) return 1 ;; esac; }

# Counts one check of the script itself: note GOOD WHAT.
note() {
  if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $2" >&2; fi
}

# Runs a program that ends with "... N passed, M failed" and adds its counts; one that dies counts as a failure.
run() {
  name=$1
  shift
  timeout "${TEST_SECONDS:-300}" ${RUN_WITH:-} "$@" >"$scratch/$name.out"
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

folder() { mktemp -d "$scratch/$1.XXXXXX"; }

# The mock ends when its standard input closes, so it never outlives this script.
start_mock() {
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
}

headers() {
  for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    for standard in c99 c11 c17; do
      for header in muster.h muster_jansson.h; do
        echo "#include <$header>" | "$compiler" -x c -std=$standard $strict -fsyntax-only -I"$root/include" -
        note $? "$header is not $standard for $compiler"
      done
      "$compiler" -std=$standard $strict -I"$root/include" "$here/header_c99.c" -o "$out/header_c99"
      note $? "header_c99.c as $standard with $compiler"
    done
  done
  for compiler in g++ clang++; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" -std=c++17 $strict -I"$root/include" "$here/header_cxx17.cpp" -o "$out/header_cxx17"
    note $? "header_cxx17.cpp with $compiler"
  done
  "$out/header_c99"
  note $? "header_c99 ran"
  "$out/header_cxx17"
  note $? "header_cxx17 ran"
}

# The headers, every_function.c and the exports of the library name the same functions.
functions() {
  cat "$root/include/muster.h" "$root/include/muster_jansson.h" | tr '\n' ' ' |
    sed 's|/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/||g' |
    grep -o '\bmuster_[a-z_]*(' | tr -d '(' | sort -u >"$scratch/declared"
  sed -n 's/.*FUNCTION(\(muster_[a-z_]*\)).*/\1/p' "$here/every_function.c" | sort >"$scratch/listed"
  nm -D --defined-only "$build/libmuster.so" | awk '{print $3}' | sed 's/@.*//' | grep -v '^MUSTER_' |
    sort -u >"$scratch/exported"
  diff "$scratch/declared" "$scratch/listed" >&2
  note $? "every_function.c lists what the headers declare"
  diff "$scratch/declared" "$scratch/exported" >&2
  note $? "the library exports what the headers declare and nothing else"
  printf '%s\n' ld-linux-x86-64.so.2 libc.so.6 libjansson.so.4 libm.so.6 libsqlite3.so.0 >"$scratch/allowed"
  readelf -d "$build/libmuster.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort -u >"$scratch/needed"
  diff "$scratch/allowed" "$scratch/needed" >&2
  note $? "the library needs what it may need at load and nothing else"
}

examples() {
  store=$(folder examples)/agents.db
  for name in list_agents invoke_agent invoke_jansson; do
    gcc -std=c99 $strict "$root/bindings/c/examples/$name.c" -I"$root/include" -L"$build" -lmuster -ljansson \
      -Wl,-rpath,"$build" -o "$out/$name"
    note $? "$name.c"
  done
  "$out/list_agents" "$store" >"$scratch/list" && [ "$(wc -l <"$scratch/list")" -eq 3 ]
  note $? "list_agents makes two agents"
  "$out/list_agents" "$store" >"$scratch/again" && diff "$scratch/list" "$scratch/again"
  note $? "list_agents makes them once"
  MODEL=echo "$out/invoke_agent" "$store" >"$scratch/invoke"
  note $? "invoke_agent"
  [ "$(grep -c '  ACTIVE  ' "$scratch/invoke")" -ge 2 ]
  note $? "invoke_agent prints a table of agents"
  [ "$(grep -c '^user  \|^assistant  ' "$scratch/invoke")" -eq 4 ] &&
    grep -q '^\[completed, [1-9][0-9]* tokens\]$' "$scratch/invoke"
  note $? "invoke_agent prints the thread of four messages"
  MODEL=script:red\|blue "$out/invoke_jansson" "$(folder examples)/agents.db" >"$scratch/invoke"
  note $? "invoke_jansson"
  [ "$(tail -n 1 "$scratch/invoke")" = "assistant  blue" ]
  note $? "invoke_jansson continues the thread"
  MODEL=html "$out/invoke_agent" "$(folder examples)/agents.db" >/dev/null
  [ $? -eq 1 ]
  note $? "invoke_agent fails when its model does"
  "$out/list_agents" "$scratch" >/dev/null 2>&1
  [ $? -eq 1 ]
  note $? "list_agents fails on a folder"
}

known="header functions every_function statuses match agents tasks misuse open callbacks models threads small_stack life \
  conformance host examples command"
for name in "$@"; do
  case " $known " in *" $name "*) ;; *) echo "no test is named $name; there are: $known" >&2; exit 2 ;; esac
done
selected header && headers
selected functions && functions
start_mock
for name in every_function statuses match agents tasks misuse open callbacks models threads small_stack life \
  conformance; do
  selected "$name" || continue
  # shellcheck disable=SC2086
  gcc $flags "$here/$name.c" -o "$out/$name" $libraries || { note 1 "$name.c does not build"; continue; }
  if [ "$name" = conformance ]; then
    run "$name" "$out/$name" "$(folder "$name")" "$root"/Tests/conformance/*.json
  else
    run "$name" "$out/$name" "$(folder "$name")"
  fi
done
if selected host; then
  # shellcheck disable=SC2086
  g++ -std=c++17 -g -O1 $strict -I"$root/include" "$here/host.cpp" -o "$out/host" $libraries
  note $? "host.cpp"
  run host "$out/host" "$(folder host)"
fi
selected examples && examples
if selected command; then
  run command env MUSTER="$build/muster" sh "$here/command.sh" "$(folder command)"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
