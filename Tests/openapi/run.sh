#!/usr/bin/env bash
# The REST service against its own description: openapi-spec-validator accepts the document, and schemathesis finds no
# answer that is not in it. The requests are the same in each run.
#
#   Tests/openapi/run.sh [PYTHON]     default build/venv/bin/python; EXAMPLES (5) requests for each operation and phase
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${1:-$root/build/venv/bin/python}
scratch=$(mktemp -d)
mkfifo "$scratch/alive"
trap 'exec 9>&-; wait; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

"$python" "$root/Tests/openapi/serve.py" "$scratch" <"$scratch/alive" &
exec 9>"$scratch/alive"
for _ in $(seq 300); do [ -e "$scratch/url" ] && break; sleep 0.1; done
url=$(cat "$scratch/url")

"$python" -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' \
  "$url/openapi.json" >"$scratch/openapi.json"
"$python" -m openapi_spec_validator "$scratch/openapi.json"
# Routes of our own are in one table.
"$python" - "$scratch/openapi.json" "$root/bindings/c/README.md" <<'END'
import json, sys
document, table = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
for path, item in document["paths"].items():
    for method, operation in item.items():
        row = f"| `{method.upper()} {path}` | `{operation['operationId']}` |"
        assert (row in table) == operation.get("x-muster-extension", False), row
END
cd "$scratch"
test_service() { # CONFIGURATION OPTION...
  local configuration=$1
  shift
  "$python" -m schemathesis.cli --config-file "$root/Tests/openapi/$configuration" run "$url/openapi.json" \
    --header "x-api-key: $(cat key)" --max-examples "${EXAMPLES:-5}" "$@" </dev/null 9>&-
}
# Made-up ids mostly lead nowhere: the second run is on things that are there.
test_service schemathesis.toml
export AGENT RUNNER TASK TEMPLATE
AGENT=$(cat agent) RUNNER=$(cat runner) TASK=$(cat task) TEMPLATE=$(cat template)
test_service there.toml --phases coverage,fuzzing --exclude-method DELETE --include-path-regex '_id}'
