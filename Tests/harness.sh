# Sourced by the scripts that build programs and run them against the library; the caller has set root, the folder of the
# repository. Gives: build (MUSTER_BUILD, default build), a scratch folder that goes with the script, counts, the
# choice of tests, and mock model servers.
build=$(cd "${MUSTER_BUILD:-$root/build}" && pwd) || exit 2
strict="-Wall -Wextra -Werror -I$root/include"
libraries="-L$build -lmuster -ljansson -lsqlite3 -lpthread -Wl,-rpath,$build"
passed=0
failed=0
wanted="  "
scratch=$(mktemp -d) || exit 2

trap 'exec 9>&-; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# choose KNOWN [NAME...]: only these of the known tests are selected; without a name, all.
choose() {
  known=$1
  shift
  for name in "$@"; do
    case " $known " in *" $name "*) ;; *) echo "no test is named $name; there are: $known" >&2; exit 2 ;; esac
  done
  wanted=" $* "
}

selected() { [ "$wanted" = "  " ] || case $wanted in *" $1 "*) ;; *) return 1 ;; esac; }

# note CODE WHAT: counts one check of the script itself.
note() {
  if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $2" >&2; fi
}

# run NAME PROGRAM [ARGUMENT...]: runs a program that ends with "... N passed, M failed" and adds its counts; one that
# dies, or says nothing, counts as a failure. RUN_WITH is a program to run it with, TEST_SECONDS the longest it may take.
run() {
  name=$1
  shift
  # shellcheck disable=SC2086
  timeout "${TEST_SECONDS:-300}" ${RUN_WITH:-} "$@" >"$scratch/$name.out" 9>&-
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

# folder NAME: a new empty folder.
folder() { mktemp -d "$scratch/$1.XXXXXX"; }

# start_mock http|https [OPTION...]: starts a mock model server and puts its address into MODEL_BASE. It ends when its
# standard input closes, so it never outlives the script, which alone keeps descriptor 9.
start_mock() {
  scheme=$1
  shift
  [ -p "$scratch/alive" ] || mkfifo "$scratch/alive"
  python3 "$root/Tests/servers/model_server.py" --port-file "$scratch/$scheme.port" --until-stdin-closes "$@" \
    <"$scratch/alive" >/dev/null 9>&- &
  exec 9>"$scratch/alive"
  for _ in $(seq 100); do
    [ -s "$scratch/$scheme.port" ] && break
    sleep 0.1
  done
  [ -s "$scratch/$scheme.port" ] || { echo "the mock model server did not start within 10 seconds" >&2; exit 2; }
  MODEL_BASE=$scheme://127.0.0.1:$(cat "$scratch/$scheme.port")/v1
  export MODEL_BASE
}

# The last line of a script: what was counted, and whether all was well.
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}
