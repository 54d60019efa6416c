#!/bin/sh
# The C and C++ tests on a library built with the address or the thread sanitizer, or on the release library under valgrind.
#
#   Tests/c/sanitize.sh asan|tsan|valgrind [NAME...]
#
# NAME: as for Tests/c/run.sh; without one, all that make sense. MUSTER_SCRATCH: where SwiftPM builds (default: .build-asan, .build-tsan).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
tool=${1:?asan, tsan or valgrind}
shift
cd "$root"

# What the library does at a call is the point here. Left out: the checks of files (header, functions), small_stack (instrumented code needs more stack
# than is promised) and the command (a program of its own, without the sanitizer).
everything="every_function statuses match agents tasks http misuse misuse_queues open callbacks models network threads queues events many life server conformance host examples"
[ $# -gt 0 ] || set -- $everything

# Builds the library with a sanitizer, and compilers that build the tests with the same one: it comes with Swift's clang.
build() {
  sanitizer=$1
  out=$root/build/$tool
  toolchain=$(dirname "$(readlink -f "$(command -v swiftc)")")
  mkdir -p "$out/bin" build/static
  ln -sf "$(gcc -print-file-name=libstdc++.a)" build/static/libstdc++.a
  scratch=${MUSTER_SCRATCH:-$root/.build-$tool}
  swift build --quiet -c release --product muster --scratch-path "$scratch" --sanitize "$sanitizer" -Xswiftc -g \
    -Xswiftc -static-stdlib -Xswiftc -use-ld=lld -Xswiftc "-L$root/build/static" \
    -Xswiftc -Xclang-linker -Xswiftc -static-libgcc \
    -Xlinker "--version-script=$root/Sources/MusterABI/muster.map" -Xlinker -soname -Xlinker libmuster.so.1 \
    -Xlinker -z -Xlinker nodelete -Xlinker -z -Xlinker now
  cp "$scratch/release/libmuster.so" "$out/libmuster.so.1"
  ln -sf libmuster.so.1 "$out/libmuster.so"
  # The thread sanitizer of this toolchain wants libdispatch and blocks.
  swift_libraries=$(readlink -f "$toolchain/../lib/swift/linux")
  options="-fsanitize=$sanitizer -fuse-ld=lld -Wno-pedantic -Wno-unused-command-line-argument"
  if [ "$sanitizer" = thread ]; then options="$options -L$swift_libraries -ldispatch -lBlocksRuntime -Wl,-rpath,$swift_libraries"; fi
  for pair in gcc:clang g++:clang++; do
    printf '#!/bin/sh\nexec %s/%s "$@" %s\n' "$toolchain" "${pair#*:}" "$options" >"$out/bin/${pair%:*}"
    chmod +x "$out/bin/${pair%:*}"
  done
  if [ -x "$toolchain/llvm-symbolizer" ]; then export ASAN_SYMBOLIZER_PATH="$toolchain/llvm-symbolizer"; fi
}

case $tool in
  asan)
    build address
    export ASAN_OPTIONS="detect_stack_use_after_return=0:abort_on_error=0:exitcode=9"
    export LSAN_OPTIONS="suppressions=$root/Tests/c/lsan.supp:print_suppressions=0"
    ;;
  tsan)
    build thread
    export TSAN_OPTIONS="suppressions=$root/Tests/c/tsan.supp:exitcode=9:halt_on_error=0:die_after_fork=0"
    ;;
  valgrind)
    # The library as it is linked, before it is stripped: the suppressions name functions. Its debugging sections are more than valgrind can read.
    make library
    out=$root/build/valgrind
    mkdir -p "$out"
    strip --strip-debug "${MUSTER_SCRATCH:-$root/.build-release}/release/libmuster.so" -o "$out/libmuster.so.1"
    ln -sf libmuster.so.1 "$out/libmuster.so"
    RUN_WITH="valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite"
    RUN_WITH="$RUN_WITH --num-callers=20 --suppressions=$root/Tests/c/valgrind.supp"
    export RUN_WITH TEST_WITHOUT_FORKS=1
    MUSTER_BUILD=$out TEST_SECONDS=1200 exec Tests/c/run.sh "$@"
    ;;
  *) echo "asan, tsan or valgrind" >&2; exit 2 ;;
esac
PATH=$out/bin:$PATH MUSTER_BUILD=$out TEST_SECONDS=1200 Tests/c/run.sh "$@"
