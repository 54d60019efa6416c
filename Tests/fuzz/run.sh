#!/bin/sh
# Fuzzes the JSON parser (against jansson), muster_call, muster_http and the model wire, whole and streamed, with libFuzzer and the address sanitizer.
#
#   Tests/fuzz/run.sh replay [NAME...]    runs the inputs of Tests/fuzz/corpus: what CI does
#   Tests/fuzz/run.sh SECONDS [NAME...]   fuzzes each target that long; new inputs go to build/fuzz/corpus
#   Tests/fuzz/run.sh keep [NAME...]      takes inputs that cover most of what build/fuzz/corpus covers into the tree
#
# NAME: json, call, http, wire, stream. A finding is left in build/fuzz/findings; run the program named there with it as its argument to see it again.
# FUZZ_BUILD: another folder than build/fuzz.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${FUZZ_BUILD:-$root/build/fuzz}
mode=${1:?replay, keep, or the seconds for each target}
shift
[ $# -gt 0 ] || set -- json call http wire stream
most=300

# SwiftPM takes targets from one manifest only: the package's, with the fuzzers behind it, in a folder that shares the sources.
mkdir -p "$build/findings"
LSAN_OPTIONS="suppressions=$root/Tests/c/lsan.supp:print_suppressions=0"
export LSAN_OPTIONS
for folder in Sources include Tests Benchmarks; do ln -sfn "$root/$folder" "$build/$folder"; done
cat "$root/Package.swift" "$root/Tests/fuzz/targets.swift" >"$build/Package.swift.new"
cmp -s "$build/Package.swift.new" "$build/Package.swift" || cp "$build/Package.swift.new" "$build/Package.swift"

program() {
  case $1 in
    json) echo FuzzJSON ;;
    call) echo FuzzCall ;;
    http) echo FuzzHTTP ;;
    wire) echo FuzzWire ;;
    stream) echo FuzzStream ;;
    *) echo "no target is named $1; there are: json call http wire stream" >&2; exit 2 ;;
  esac
}

for name in "$@"; do
  product=$(program "$name")
  swift build --package-path "$build" --quiet -c release --product "$product" -Xswiftc -enable-testing -Xswiftc -g \
    -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=address -Xswiftc -use-ld=lld
  fuzz=$build/.build/release/$product
  kept=$root/Tests/fuzz/corpus/$name
  new=$build/corpus/$name
  mkdir -p "$kept" "$new"
  dictionary=
  if [ -f "$root/Tests/fuzz/$name.dict" ]; then dictionary=-dict=$root/Tests/fuzz/$name.dict; fi
  common="-timeout=20 -rss_limit_mb=3000 -artifact_prefix=$build/findings/$name- -print_final_stats=1"
  case $mode in
    replay)
      "$fuzz" $common -runs=0 "$kept" >"$build/$name.log" 2>&1 || { cat "$build/$name.log"; exit 1; }
      echo "$name: $(find "$kept" -type f | wc -l) inputs replayed"
      ;;
    keep)
      rm -rf "$build/kept"
      mkdir "$build/kept"
      "$fuzz" $common -set_cover_merge=1 "$build/kept" "$kept" "$new" >"$build/$name.log" 2>&1 || { cat "$build/$name.log"; exit 1; }
      find "$kept" -type f -delete
      # Evenly over the sizes: small inputs alone do not get far.
      find "$build/kept" -type f -size -8k -printf '%s %p\n' | sort -n | cut -d ' ' -f 2 >"$build/kept.list"
      awk -v most=$most -v all="$(wc -l <"$build/kept.list")" 'int(NR * most / all) > int((NR - 1) * most / all) || all <= most' \
        "$build/kept.list" | while read -r file; do mv "$file" "$kept"; done
      echo "$name: $(find "$kept" -type f | wc -l) inputs kept"
      ;;
    *)
      "$fuzz" $common $dictionary -max_len=8192 -max_total_time="$mode" "$new" "$kept" >"$build/$name.log" 2>&1 ||
        { tail -n 60 "$build/$name.log"; exit 1; }
      echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log") inputs in $mode s, no finding"
      ;;
  esac
done
