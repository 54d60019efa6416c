"""The command on a terminal: tables that fit, colours, the spinner, Ctrl-C; completions in the shells that are there; and
tasks that wait for people.

    terminal.py FOLDER      an empty folder for stores; needs the mock at MODEL_BASE
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unicodedata

import tasks
from checks import MUSTER, answer, check, environment, finish, lines, muster, on_terminal, plain

folder = sys.argv[1]
base = os.environ["MODEL_BASE"]
env = environment(MUSTER_STORE=os.path.join(folder, "terminal.db"))


def make(name: str, model: str) -> str:
    words = ["agents", "create", "--name", name, "--provider", "openai_compatible", "--model", model, "--api-base", base]
    return str(answer(*words, env=env)["id"])


def width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


make("Echo", "echo")
make("Slow", "hang")
make("Ünïcode 東京 agent with a name that is much too long for the table of a terminal", "echo")
make("Sad\x1b[31mred", "status:401")
answer("invoke", "Echo", "hello", "--thread", "talk", env=env)
muster("invoke", "Sad\x1b[31mred", "hello", "--thread", "sad", env=env)

# ---- Tables and colours ----

for columns in (40, 60, 80, 120):
    for words in (["agents", "list"], ["tasks", "list"]):
        code, sent = on_terminal(*words, env=env, columns=columns)
        check(code == 0, f"{words} on {columns} columns", sent)
        widest = max(width(plain(line)) for line in lines(sent))
        check(widest <= columns, f"the table of {words} fits {columns} columns", widest)
code, sent = on_terminal("tasks", "list", env=env)
check("\x1b[32mcompleted\x1b[0m" in sent, "a status has a colour on a terminal", sent)
check("\x1b[1mID\x1b[0m" in sent, "headings are bold on a terminal", sent)
code, sent = on_terminal("agents", "list", env=env)
check("\x1b[31mred" not in sent, "what an agent is called does not change colours", sent)
for what, other in (("NO_COLOR", dict(env, NO_COLOR="1")), ("TERM=dumb", dict(env, TERM="dumb"))):
    code, sent = on_terminal("tasks", "list", env=other)
    check("\x1b" not in sent, f"no colours with {what}", sent)
code, sent = on_terminal("tasks", "list", env=dict(env, NO_COLOR=""))
check("\x1b[32m" in sent, "an empty NO_COLOR means nothing")
check("\x1b" not in muster("tasks", "list", env=env).stdout, "no colours without a terminal")

# ---- The spinner ----

seen = []
code, sent = on_terminal("invoke", "Echo", "hello", env=env)
check(code == 0 and "echo: hello" in sent, "invoke on a terminal", sent)
check(" tokens, " in sent and "thread " in sent, "tokens and time are told at the end", sent)


def interrupt(text: str, terminal: int) -> None:
    if "Slow 0.5 s" in text and not seen:
        seen.append(True)
        os.write(terminal, b"\x03")


code, sent = on_terminal("invoke", "Slow", "hello", "--thread", "slow", env=env, when=interrupt)
check(code == 130, "Ctrl-C on a terminal", code, sent)
check(bool(seen), "the spinner shows the time that has passed", sent)
check(sent.rstrip().rsplit("\x1b[K", 1)[-1].startswith("muster: "), "the spinner is taken away", sent)
check(answer("tasks", "get", "slow", env=env)["status"] == "stopped", "Ctrl-C stops the task")
ran = muster("invoke", "Echo", "hello", env=env)
check(ran.stderr == "" and ran.stdout == "echo: hello\n", "no spinner without a terminal", ran.stderr)

# ---- Completions ----

BASH = """
source <("$MUSTER" completions bash)
COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _muster; printf '%%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
autoload -Uz compinit; compinit -u -D
source <("$MUSTER" completions zsh)
_describe() { print -l -- ${candidates%%%%:*} }
_files() { print -- files }
compadd() { shift; print -l -- "$@" }
words=(%s); CURRENT=$#words; _muster
"""
FISH = """
"$MUSTER" completions fish | source
complete -C '%s' | string replace -r '\\t.*' ''
"""


def complete(shell: str, line: str) -> "set[str]":
    """What the shell offers at the end of a line."""
    words = " ".join(f"'{word}'" for word in line.split(" "))
    script = {"bash": BASH % words, "zsh": ZSH % words, "fish": FISH % line}[shell]
    arguments = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    ran = subprocess.run(
        [shell, *arguments, "-c", script], env=dict(env, MUSTER=MUSTER, HOME=folder), cwd=folder, capture_output=True, text=True, timeout=60
    )
    check(ran.stderr == "", f"{shell} takes the completions", ran.stderr)
    return set(ran.stdout.split())


for shell in ("bash", "zsh", "fish"):
    if not shutil.which(shell):
        continue
    found = complete(shell, "muster ")
    check({"agents", "invoke", "tasks", "serve", "doctor"} <= found, f"{shell} offers commands", found)
    found = complete(shell, "muster agents ")
    check({"list", "get", "import"} <= found and "thread" not in found, f"{shell} offers the commands of a group", found)
    found = complete(shell, "muster --store x tasks list --")
    check({"--status", "--json"} <= found and "--deploy" not in found, f"{shell} offers options", found)
    found = complete(shell, "muster tasks list --status ")
    check({"executing", "completed"} <= found and "--json" not in found, f"{shell} offers values", found)
    found = complete(shell, "muster completions ")
    check({"bash", "zsh", "fish"} <= found, f"{shell} offers operands", found)

# ---- Tasks that wait for people ----

tasks.run(folder, base)

finish("terminal")
