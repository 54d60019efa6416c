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
. "$root/Tests/harness.sh"
out=$root/build/tests/c
strict="$strict -pedantic"
flags="-std=c99 -g -O1 $strict"
libraries="$libraries -Wl,-z,defs"
mkdir -p "$out"

headers() {
  for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    for standard in c99 c11 c17; do
      for header in muster.h muster_jansson.h; do
        echo "#include <$header>" | "$compiler" -x c -std=$standard $strict -fsyntax-only -
        note $? "$header is not $standard for $compiler"
      done
      "$compiler" -std=$standard $strict "$here/header_c99.c" -o "$out/header_c99"
      note $? "header_c99.c as $standard with $compiler"
    done
  done
  for compiler in g++ clang++; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" -std=c++17 $strict "$here/header_cxx17.cpp" -o "$out/header_cxx17"
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
  for name in list_agents invoke_agent invoke_jansson streams team; do
    gcc -std=c99 $strict "$root/bindings/c/examples/$name.c" -L"$build" -lmuster -ljansson -Wl,-rpath,"$build" \
      -o "$out/$name"
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
  MODEL=echo "$out/streams" "$(folder examples)/agents.db" 1000 >"$scratch/streams"
  note $? "streams"
  tail -n 1 "$scratch/streams" | grep -q '^1000 runs ended; [1-9][0-9]* pieces, 45000 bytes of text$'
  note $? "streams follows a thousand runs on one queue"
  MODEL='steps:Guide|book' HELPER_MODEL=reply:Left "$out/team" "$(folder examples)/agents.db" >"$scratch/team"
  note $? "team"
  [ "$(cat "$scratch/team")" = 'book {"call":"2.1"}
[completed] All done.
Guide [completed]: Left' ]
  note $? "team asks an agent, then calls its own tool"
  MODEL=html "$out/invoke_agent" "$(folder examples)/agents.db" >/dev/null
  [ $? -eq 1 ]
  note $? "invoke_agent fails when its model does"
  "$out/list_agents" "$scratch" >/dev/null 2>&1
  [ $? -eq 1 ]
  note $? "list_agents fails on a folder"
}

choose "header functions every_function statuses match agents tasks http misuse misuse_queues open callbacks models network threads queues events tools many small_stack life server \
  conformance host examples command" "$@"
selected header && headers
selected functions && functions
start_mock http
for name in every_function statuses match agents tasks http misuse misuse_queues open callbacks models network threads queues events tools many small_stack life server \
  conformance; do
  selected "$name" || continue
  # libcurl has to find the name server of network.c.
  [ "$name" = network ] && exported=-rdynamic || exported=
  # shellcheck disable=SC2086
  gcc $flags $exported "$here/$name.c" -o "$out/$name" $libraries || { note 1 "$name.c does not build"; continue; }
  if [ "$name" = conformance ]; then
    run "$name" "$out/$name" "$(folder "$name")" "$root"/Tests/conformance/*.json
  else
    run "$name" "$out/$name" "$(folder "$name")"
  fi
done
if selected host; then
  # shellcheck disable=SC2086
  g++ -std=c++17 -g -O1 $strict "$here/host.cpp" -o "$out/host" $libraries
  note $? "host.cpp"
  run host "$out/host" "$(folder host)"
fi
selected examples && examples
if selected command; then
  run command env MUSTER="$build/muster" sh "$here/command.sh" "$(folder command)"
  for name in terminal serve; do
    run $name env MUSTER="$build/muster" python3 "$root/Tests/command/$name.py" "$(folder $name)"
  done
fi

finish
