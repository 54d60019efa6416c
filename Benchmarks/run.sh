#!/usr/bin/env bash
# Builds the benchmarks into build/benchmarks, runs them, and prints one table of ratios against floors of the same run.
#
#   Benchmarks/run.sh           100,000 agents, many rounds (about 10 minutes); fails when a ratio misses its bound
#   Benchmarks/run.sh quick     small counts (about a minute, most of it building); only tells
#   Benchmarks/run.sh [quick] NAME...   some of: read create invoke tool thread turns call load serve streams size
#
# MUSTER_BUILD: the folder with libmuster.so (default: build). BENCH_FOLDER: where stores are made (default: build/benchmarks/stores); it should be on a
# real disk. The store with many agents is kept in it for the next run. `serve` needs nginx, wrk, curl and libmicrohttpd-dev; `streams` 10,100 open files
# for one process, and with libssl-dev and openssl it tells of HTTPS, too.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
here=$root/Benchmarks
library=$(cd "${MUSTER_BUILD:-$root/build}" && pwd)
out=$root/build/benchmarks
stores=${BENCH_FOLDER:-$out/stores}
quick=no
if [ "${1:-}" = quick ]; then quick=yes; shift; fi
wanted=" ${*:-read create invoke tool thread turns call load serve streams size} "
for name in $wanted; do
  case " read create invoke tool thread turns call load serve streams size " in *" $name "*) ;; *) echo "no benchmark is named $name" >&2; exit 2 ;; esac
done
mkdir -p "$out" "$stores"
scratch=$(mktemp -d "$stores/run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

selected() { case $wanted in *" $1 "*) ;; *) return 1 ;; esac; }

build() { # program, further libraries
  gcc -std=gnu11 -O2 -Wall -Wextra -Werror -I"$root/include" -I"$root/Tests/servers" "$here/$1.c" -o "$out/$1" -L"$library" -lmuster -lsqlite3 \
    -lpthread "${@:2}" -Wl,-rpath,"$library"
}

if [ "$quick" = yes ]; then
  agents=10000 pages=200 reads=10 creates="5 3200" invokes="5 50" calls="10 2000" loads=10 lists="3 1" requests="3 512" starts=10
  tools="5 40" threads="4 300" turns="4 1280 3 1000"
  memory="1 5000" cpu="1 200 40" first="3 40" throughput="1 1000 1000"
else
  agents=100000 pages=2000 reads=15 creates="15 12800" invokes="15 150" calls="30 10000" loads=40 lists="10 3" requests="15 1024" starts=40
  tools="15 100" threads="15 1000" turns="15 5120 7 10000"
  memory="3 10000" cpu="3 1000 100" first="9 100" throughput="3 10000 10000"
fi
results=$scratch/results

if selected read; then
  build fill
  build read
  store=$stores/read-$agents.db
  if [ ! -f "$store.ready" ]; then
    rm -f "$store"*
    "$out/fill" "$store" $agents
    touch "$store.ready"
  fi
  "$out/read" "$store" $reads $pages >>"$results"
fi
if selected create; then
  build create
  # shellcheck disable=SC2086
  "$out/create" "$scratch" $creates >>"$results"
fi
if selected invoke; then
  build invoke -lcurl -ljansson
  # shellcheck disable=SC2086
  "$out/invoke" "$scratch" $invokes >>"$results"
fi
if selected tool; then
  build tool -lcurl -ljansson
  # shellcheck disable=SC2086
  "$out/tool" "$scratch" $tools >>"$results"
fi
if selected thread; then
  build thread
  # shellcheck disable=SC2086
  "$out/thread" "$scratch" $threads >>"$results"
fi
if selected turns; then
  # With the flags of the library, and beside it: only the program itself is built. It exports nothing, and has another name.
  flags=$(make -s -C "$root" --eval 'link-flags: ; @echo $(LINK)' link-flags |
    sed 's/-Xlinker --version-script=[^ ]*//; s/-Xlinker -soname -Xlinker [^ ]*//')
  # shellcheck disable=SC2086
  swift build -c release --product turns --package-path "$root" --scratch-path "$root/.build-release" $flags >"$out/turns.log" 2>&1 ||
    { cat "$out/turns.log" >&2; exit 2; }
  # shellcheck disable=SC2086
  "$(find "$root/.build-release/" -path '*release/turns' -type f | head -n 1)" "$scratch" $turns >>"$results"
fi
if selected call; then
  build call
  # shellcheck disable=SC2086
  "$out/call" "$scratch" $calls >>"$results"
fi
if selected load; then
  # The program finds everything with dlopen, so that nothing is loaded before it measures.
  gcc -std=gnu11 -O2 -Wall -Wextra -Werror -I"$root/include" "$here/load.c" -o "$out/load"
  gcc -O2 -shared -fPIC "$here/empty.c" -o "$out/libempty-c.so" -Wl,-z,now -Wl,--no-as-needed -ljansson -lsqlite3 -lm
  "$out/load" "$scratch" $loads "$library/libmuster.so.1" "$out/libempty-c.so" >>"$results"
fi
if selected serve; then
  if command -v nginx >/dev/null && command -v wrk >/dev/null; then
    build serve_list -ljansson
    # shellcheck disable=SC2086
    "$out/serve_list" "$scratch" $lists >>"$results"
  elif [ "$quick" = yes ]; then
    echo "nginx (nginx-light) or wrk is not installed: GET /v1/agents is not measured" >&2
  else
    echo "please install nginx-light and wrk" >&2
    exit 2
  fi
  build serve_invoke -ljansson
  # shellcheck disable=SC2086
  "$out/serve_invoke" "$scratch" $requests >>"$results"
  build serve_ready -ljansson
  build serve_ready_ours
  gcc -std=gnu11 -O2 -Wall -Wextra -Werror "$here/serve_ready_empty.c" -o "$out/serve_ready_empty" -lmicrohttpd
  "$out/serve_ready" "$scratch" $starts "$out/serve_ready_ours" "$out/serve_ready_empty" >>"$results"
fi
if selected streams; then
  tls=() certificate=()
  if echo '#include <openssl/ssl.h>' | gcc -E - >/dev/null 2>&1; then
    tls=(-DSTREAM_MODEL_TLS -lssl -lcrypto)
    certificate=("$scratch/certificate.pem" "$scratch/key.pem")
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
      -addext subjectAltName=IP:127.0.0.1 -keyout "${certificate[1]}" -out "${certificate[0]}" 2>/dev/null
  else
    echo "libssl-dev is not installed: streams over HTTPS are not measured" >&2
  fi
  ulimit -n "$(ulimit -Hn)"
  # shellcheck disable=SC2086
  for name in memory cpu first throughput; do
    build "streams_$name" -lcurl -ljansson "${tls[@]}"
    more=()
    [ $name != cpu ] || more=("${certificate[@]}")
    "$out/streams_$name" "$scratch" ${!name} "${more[@]}" >>"$results"
    rm -f "$scratch"/*.db*
  done
fi
if selected size; then
  # The Makefile's flags, with another name and other exports.
  flags=$(make -s -C "$root" --eval 'link-flags: ; @echo $(LINK)' link-flags)
  printf '{ global: empty_*; local: *; };\n' >"$out/empty.map"
  flags=${flags//$root\/Sources\/MusterABI\/muster.map/$out/empty.map}
  flags=${flags//libmuster.so.1/libempty.so.1}
  # shellcheck disable=SC2086
  swift build -c release --product empty --package-path "$here/empty" --scratch-path "$out/empty" $flags >"$out/empty.log" 2>&1 ||
    { cat "$out/empty.log" >&2; exit 2; }
  cp "$(find "$out/empty/" -path '*release*' -name libempty.so -type f | head -n 1)" "$out/libempty-swift.so"
  strip -s "$out/libempty-swift.so"
  whole=$(stat -L -c %s "$library/libmuster.so.1")
  empty=$(stat -c %s "$out/libempty-swift.so")
fi

failed=0
if [ -s "$results" ]; then
  echo "| figure | ours | floor | ratio: least | median | greatest | bound |"
  echo "| --- | --: | --: | --: | --: | --: | --: |"
  awk -F'|' '{
    bound = $8 + 0
    printf "| %s | %s %s | %s %s | %s | %s%s | %s | %s |\n", $1, $3, $2, $4, $2, $5, $6,
      (bound > 0 && $6 > bound) ? " missed" : "", $7, (bound > 0) ? $8 : "-"
  }' "$results"
  awk -F'|' '$8 > 0 && $6 > $8 { missed = 1 } END { exit missed }' "$results" || failed=1
fi
if selected size; then
  own=$((whole - empty))
  awk -v whole="$whole" -v empty="$empty" -v own="$own" 'BEGIN {
    printf "\nlibrary %.2f MB, empty Swift library %.2f MB: our own code %.2f MB (bound 2.60)\n", whole / 1e6, empty / 1e6, own / 1e6 }'
  if [ "$own" -gt 2600000 ]; then failed=1; fi
fi
[ "$quick" = yes ] || [ "$failed" -eq 0 ]
