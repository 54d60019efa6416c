#!/bin/sh
# Tests the command line program: command.sh FOLDER, an empty folder for stores. MUSTER is the program (default
# build/muster); needs the mock at MODEL_BASE. Ends with "command N passed, M failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
muster=${MUSTER:-$here/../../build/muster}
folder=${1:-$(mktemp -d)}
passed=0
failed=0
unset MUSTER_MODEL MUSTER_MODEL_PROVIDER MUSTER_MODEL_BASE
MUSTER_STORE=$folder/command.db
export MUSTER_STORE

# Runs the program; leaves its output in $out, its errors in $err and its exit code in $code.
try() {
  out=$("$muster" "$@" 2>"$folder/err")
  code=$?
  err=$(cat "$folder/err")
}

# expect CODE WHAT: the last run ended with CODE.
expect() {
  if [ "$code" -eq "$1" ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "FAILED: $2: wanted exit code $1, got $code; $err" >&2
  fi
}

# is WANTED GIVEN WHAT
is() {
  if [ "$1" = "$2" ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    printf 'FAILED: %s: wanted "%s", got "%s"\n' "$3" "$1" "$2" >&2
  fi
}

# has TEXT PATTERN WHAT: a shell pattern.
has() {
  case $1 in
  $2) passed=$((passed + 1)) ;;
  *)
    failed=$((failed + 1))
    printf 'FAILED: %s: "%s" does not match "%s"\n' "$3" "$1" "$2" >&2
    ;;
  esac
}

# field JSON KEY...: a value inside JSON text.
field() {
  printf '%s' "$1" | python3 -c 'import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1:]: value = value[int(key) if key.isdigit() else key]
print(value)' "$2" ${3:+"$3"} ${4:+"$4"}
}

# ---- Usage: nothing is opened, nothing is made ----

try --version
expect 0 "--version"
has "$out" "muster [0-9]*.[0-9]*.[0-9]*" "--version"
for words in "help" "--help" "-h" "agents list --help" "invoke --help"; do
  # shellcheck disable=SC2086
  try $words
  expect 0 "$words"
  has "$out" "Usage: muster*" "$words"
done
for words in "" "agents" "agents lis" "nothing" "--wrong" "agents list --wrong" "agents list extra" \
  "agents list --page" "agents list --page two" "agents list --json=1" "agents create" \
  "agents create --thread x --name n" "invoke" "invoke one" "invoke a b c" "invoke a b --timeout 0" \
  "invoke a b --timeout x" "invoke a b --timeout -1" "call" "call a {} b" "agents create --body [] --name n" \
  "agents create --body { --name n" "--json=x agents list" "--store" "agents -x list"; do
  # shellcheck disable=SC2086
  try $words
  expect 2 "muster $words"
  is "" "$out" "muster $words prints nothing on standard output"
  has "$err" "muster: *" "muster $words says why"
done
[ ! -e "$MUSTER_STORE" ]
is 0 $? "wrong usage makes no store"

# ---- Agents ----

try agents list
expect 0 "list of an empty store"
is "ID  NAME  STATUS  MODEL" "$out" "list of an empty store"
try agents create --name Echo --provider openai_compatible --model echo --api-base "$MODEL_BASE" \
  --instructions "Be brief."
expect 0 "create"
is 36 ${#out} "create prints the id"
echo_id=$out
try --json call agents.get "{\"agent_id\":\"$echo_id\"}"
expect 0 "get"
is "Echo openai_compatible echo $MODEL_BASE Be brief." "$(field "$out" name) $(field "$out" model_provider) \
$(field "$out" model_name) $(field "$out" llm_api_base) $(field "$out" instructions general)" "what create made"
try agents create --name=Second --body '{"name":"First","description":"d","instructions":{"goal":["g"]}}' \
  --json --instructions=i
expect 0 "create with a body"
is "Second d g i" "$(field "$out" name) $(field "$out" description) $(field "$out" instructions goal 0) \
$(field "$out" instructions general)" "options go over the body"
try agents create --name "Ünïcode 東京 agent with a name that is much too long for the table of a terminal"
expect 0 "create with a long name"
try agents create --name "$(printf 'two\nlines \033[31mred')"
expect 0 "create with control characters"
try agents list
expect 0 "list"
is 5 "$(printf '%s\n' "$out" | wc -l)" "a line for each agent and the heading"
has "$out" "*$echo_id  Echo *" "the table has the id and the name"
has "$out" "*…*" "a long name is cut"
is "" "$(printf '%s' "$out" | tr -d '\n' | tr -cd '\000-\037')" "control characters do not reach the table"
longest=$(printf '%s\n' "$out" | python3 -c 'import sys, unicodedata
wide = lambda c: 2 if unicodedata.east_asian_width(c) in "WF" else 1
print(max(sum(map(wide, line.rstrip("\n"))) for line in sys.stdin))')
[ "$longest" -le 80 ]
is 0 $? "the table fits 80 columns, not $longest"
try agents list --page 2 --per-page 3 --json
is "1 4 2" "$(field "$out" items | python3 -c 'import ast, sys; print(len(ast.literal_eval(sys.stdin.read())))') \
$(field "$out" total) $(field "$out" total_pages)" "paging"
try agents list --per-page 51
expect 1 "a page that is too long"
has "$err" "muster: *per_page*" "a page that is too long"
try --store "$folder" agents list
expect 1 "a folder as store"
has "$err" "muster: *" "a folder as store"

# ---- Invoke ----

try invoke "$echo_id" "hello there"
expect 0 "invoke by id"
is "echo: hello there" "$out" "invoke by id"
is "" "$err" "invoke by id says nothing on standard error"
try invoke Echo "by name" --thread talk --json
expect 0 "invoke by name"
is "talk completed echo: by name" "$(field "$out" id) $(field "$out" status) $(field "$out" result)" "invoke by name"
try invoke Echo again --thread=talk --version draft --timeout 30.5
expect 0 "invoke again"
try call tasks.thread '{"task_id":"talk"}'
expect 0 "call"
is "echo: again" "$(field "$out" 3 content)" "the thread has four messages"
try invoke Echo -- --dashes
is "echo: --dashes" "$out" "text that begins with dashes"
try invoke Nobody hello
expect 1 "an unknown agent"
has "$err" "muster: *Nobody*" "an unknown agent is named"
"$muster" agents create --name Second >/dev/null
try invoke Second hello
expect 1 "a name of two agents"
has "$err" "muster: 2 agents *" "a name of two agents"
try agents create --name Broken --provider openai_compatible --model status:401 --api-base "$MODEL_BASE"
try invoke Broken hello
expect 3 "a task that did not complete"
has "$err" "muster: task * ended error: *" "a task that did not complete"
try invoke Broken hello --json
expect 3 "a task that did not complete, as JSON"
is error "$(field "$out" status)" "a task that did not complete, as JSON"
try agents create --name Slow --provider openai_compatible --model hang --api-base "$MODEL_BASE"
try invoke Slow hello --timeout 0.3
expect 3 "a time-out"
try invoke Echo ""
expect 1 "an empty text"
MUSTER_MODEL_PROVIDER=openai_compatible MUSTER_MODEL=reply:environment MUSTER_MODEL_BASE=$MODEL_BASE
export MUSTER_MODEL_PROVIDER MUSTER_MODEL MUSTER_MODEL_BASE
"$muster" agents create --name Default >/dev/null
try invoke Default hello
is environment "$out" "the model of the environment"
out=$(cd "$folder" && unset MUSTER_STORE && "$muster" agents create --name Here && ls agents.db)
has "$out" "*agents.db" "the default store is agents.db"

# ---- Agents: changing ----

try agents get Echo
expect 0 "get by name"
has "$out" "*id  *$echo_id*name  *Echo*version  *2*" "get shows the agent"
try agents update Echo --name Echo2 --body '{"description":"d"}' --json
expect 0 "update"
is "Echo2 d Be brief. True" "$(field "$out" name) $(field "$out" description) $(field "$out" instructions general) \
$(field "$out" has_pending_changes)" "what update changed"
printf '{"instructions":{"goal":["g"]}}' >"$folder/body.json"
try agents update Echo2 --name Echo --instructions "Be briefer." --body "@$folder/body.json" --deploy --json
expect 0 "update with a file and a deploy"
is "Be briefer. g False" "$(field "$out" instructions general) $(field "$out" instructions goal 0) \
$(field "$out" has_pending_changes)" "what update changed and deployed"
try agents update Echo --instructions "Be brief." --json
is "Be brief. g" "$(field "$out" instructions general) $(field "$out" instructions goal 0)" "the other instructions are kept"
try agents deploy Echo
expect 0 "deploy"
has "$out" "*version  *4*" "deploy shows the new version"
try agents update Echo
expect 2 "update without anything to change"
try agents update Echo --body @/no/such/file
expect 1 "a body from a file that is not there"
template=$("$muster" agents export Echo)
is 36 ${#template} "export prints the id of the template"
try agents import "$template" --name Twin
expect 0 "import"
is 36 ${#out} "import prints the id of the agent"
try agents get Twin --json
is "Be brief. echo $template" "$(field "$out" instructions general) $(field "$out" model_name) $(field "$out" origin_template)" \
  "what import made"
try agents delete Twin
expect 0 "delete"
is "" "$out" "delete prints nothing"
try agents get Twin
expect 1 "an agent that was deleted"

# ---- Tasks ----

try tasks list --agent Echo
expect 0 "tasks of an agent"
has "$out" "ID *STATUS *AGE *AGENT *RESULT*talk *completed*echo: again*" "the table of tasks"
try tasks list --status completed --per-page 1 --json
is completed "$(field "$out" items 0 status)" "tasks in a status"
try tasks get talk
has "$out" "*agent  *$echo_id*status  *completed*input  *again*result  *echo: again*" "a task"
try tasks get nothing
expect 1 "a task that is not there"
try tasks thread talk
has "$out" "user *by name*assistant *echo: by name*user *again*assistant *echo: again*" "a thread"
try tasks thread talk --full --json
has "$out" '{"root":*' "a full thread"
try tasks replay talk
expect 0 "replay"
has "$out" "identical: * turns, * records, * of them compared" "nothing else comes of a task than what is recorded"
try tasks replay talk --json
is True "$(field "$out" is_identical)" "the verdict of a replay"
python3 - "$MUSTER_STORE" <<'PYTHON'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
    store.execute("""UPDATE journal SET commands = '[{"wait":{"milliseconds":7}}]'
        WHERE key = (SELECT key << 28 | 1 FROM tasks WHERE id = 'talk')""")
PYTHON
try tasks replay talk
expect 4 "replay of a task of which something else comes now"
has "$out" 'record 1 of turn 1 differs*recorded: *"milliseconds":7*made now: *ask_model*not identical: *' "the difference is shown"
python3 - "$MUSTER_STORE" <<'PYTHON'
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as store:
    store.execute("""UPDATE journal SET commands = '[{"ask_model":{"attempt":1}}]'
        WHERE key = (SELECT key << 28 | 1 FROM tasks WHERE id = 'talk')""")
PYTHON
try tasks fork talk 2 --input "another way"
expect 0 "fork"
is "echo: another way" "$out" "the answer of a fork"
try tasks fork talk 1 --model script:other --instructions "Be long." --json
expect 0 "fork"
has "$out" '*"type":"task_finished"*"result":"other"*"forked_from":{"task_id":"talk","event":1}*' "a fork with another model"
is True "$(python3 -c 'import sys; print(all("task_created" not in line for line in sys.argv[1].splitlines()))' "$out")" \
  "what the other task had is not printed again"
try tasks fork talk 2
expect 1 "a further turn without an input"
try tasks fork talk
expect 2 "a fork without an event"
try tasks replay nothing
expect 1 "replay of a task that is not there"
try tasks stop talk --json
is completed "$(field "$out" status)" "a task that has ended is not stopped"
out=$(printf 'from a pipe' | "$muster" invoke Echo - --thread piped)
is "echo: from a pipe" "$out" "text from standard input"
try tasks delete piped
expect 0 "delete a task"
try tasks get piped
expect 1 "a task that was deleted"
for words in "tasks prune" "tasks prune --older-than soon" "tasks prune --older-than -1d" "tasks prune --older-than 9999999999999d"; do
  # shellcheck disable=SC2086
  try $words
  expect 2 "$words"
done
try tasks prune --older-than 1h
is "0 tasks removed" "$out" "nothing is old enough"
sleep 1.1
try tasks prune --older-than 0s --agent Broken
is "2 tasks removed" "$out" "the tasks of an agent"
try tasks prune --older-than 0s --json
expect 0 "prune"
try tasks list --status completed --json
is 0 "$(field "$out" total)" "what ended is removed"
try store check
expect 0 "the store is whole"
has "$out" "ok: * agents, 0 tasks, 0 records, *" "the store is whole"

# ---- Ctrl-C ----

# From Python, because a plain script starts its background jobs with SIGINT ignored.
python3 - "$muster" <<'PYTHON'
import json, os, signal, subprocess, sys, time
muster = sys.argv[1]
def interrupt(ignored=False):
    start = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)
    words = [muster, "invoke", "Slow", "hello", "--thread", "ctrl-c"] + (["--timeout", "2"] if ignored else [])
    running = subprocess.Popen(words, preexec_fn=start, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(200):
        time.sleep(0.05)
        listed = subprocess.run([muster, "call", "tasks.list", '{"status":"executing"}'], stdout=subprocess.PIPE)
        if json.loads(listed.stdout)["total"] > 0:
            break
    time.sleep(0.2)
    begin = time.monotonic()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    return running.returncode, time.monotonic() - begin, err.decode()
code, seconds, err = interrupt()
assert code == 130, (code, err)
assert seconds < 1, seconds
assert err.startswith("muster: "), err
task = json.loads(subprocess.run([muster, "call", "tasks.get", '{"task_id":"ctrl-c"}'], stdout=subprocess.PIPE).stdout)
assert task["status"] == "stopped" and task["is_manually_stopped"] is True, task
code, seconds, err = interrupt(ignored=True)
assert code == 3 and seconds > 0.5, (code, seconds, err)
PYTHON
is 0 $? "Ctrl-C cancels the invoke, its task ends stopped, and an ignored SIGINT stays ignored"

"$muster" agents list >/dev/full 2>"$folder/err"
code=$?
err=$(cat "$folder/err")
expect 1 "a full disk"
has "$err" "muster: cannot write: *" "a full disk"

printf '%-16s %d passed, %d failed\n' command "$passed" "$failed"
[ "$failed" -eq 0 ]
