"""`muster serve`: its first start, its signals, what it prints and logs; and the commands that care for a store under load.

    serve.py FOLDER      an empty folder for stores; needs the mock at MODEL_BASE
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any, Dict, List, Optional, Tuple

from checks import MUSTER, answer, check, environment, finish, muster, wait_for

folder = sys.argv[1]
base = os.environ["MODEL_BASE"]
store = os.path.join(folder, "serve.db")
env = environment(MUSTER_STORE=store)
key_file = os.path.join(folder, "key")


class Server:
    """A running `muster serve`."""

    def __init__(self, *words: str, environment: Dict[str, str] = env) -> None:
        command = [MUSTER, "serve", "--listen", "127.0.0.1:0", "--json", *words]
        self.errors: List[str] = []
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout and self.process.stderr
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr or []))
        self.reader.start()
        line = self.process.stdout.readline()
        self.said: Dict[str, Any] = json.loads(line) if line else {}

    def get(self, path: str, key: Optional[str] = None) -> Tuple[int, bytes]:
        request = urllib.request.Request(self.said["url"] + path, headers={"x-api-key": key} if key else {})
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self, number: int = signal.SIGTERM, seconds: float = 20) -> int:
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.reader.join()
        return code


# ---- The first start, and the second ----

server = Server("--key-file", key_file)
key = server.said["key"]
check(key.startswith("muster_"), "the first start shows the key", server.said)
check(open(key_file).read() == key + "\n", "the key is in the file")
check(stat.S_IMODE(os.stat(key_file).st_mode) == 0o600, "only its owner can read the key's file")
check(sorted(os.listdir(folder))[:1] == ["key"] and len([n for n in os.listdir(folder) if n.startswith("key")]) == 1, "one file")
check(server.get("/v1/agents", key)[0] == 200, "the key is good")
check(server.get("/v1/agents")[0] == 401, "without the key nothing goes")
check(server.get("/health")[0] == 200, "/health needs no key")
check(server.stop() == 0, "SIGTERM ends it with success")
requests = [json.loads(line) for line in server.errors if line.startswith("{")]
check([line["status"] for line in requests] == [200, 401, 200], "a line for each request", server.errors)
check(not any(key in line for line in server.errors), "the log does not hold the key")
server = Server("--key-file", key_file)
check("key" not in server.said, "a later start shows no key", server.said)
check(open(key_file).read() == key + "\n", "a later start leaves the file alone")
check(server.get("/v1/agents", key)[0] == 200, "the key is still good")

# ---- Through the server ----

remote = environment(MUSTER_BASE_URL=server.said["url"], MUSTER_API_KEY=key)
ran = muster("agents", "list", "--json", env=remote)
check(ran.returncode == 0 and json.loads(ran.stdout)["total"] == 0, "the command through the server", ran.stderr)
ran = muster("agents", "list", env=dict(remote, MUSTER_API_KEY="wrong"))
check(ran.returncode == 1 and "API key" in ran.stderr, "a wrong key", ran.stderr)
ran = muster("store", "check", env=remote)
check(ran.returncode == 1, "what touches the machine does not go through a server", ran.stderr)
ran = muster("serve", env=remote)
check(ran.returncode == 2, "a server is not served", ran.stderr)
check(server.stop(signal.SIGINT) == 0, "SIGINT ends it with success")

# ---- Keys ----

made = answer("keys", "create", "--name", "reader", "--read-only", "--expires", "1d", env=env)
check(made["read_only"] and made["expires_at"], "a key with limits", made)
server = Server("--rate-limit", "off")
check(server.get("/v1/agents", made["key"])[0] == 200, "a new key is good at once")
answer_text = muster("keys", "revoke", made["id"], env=env)
check(answer_text.returncode == 0 and server.get("/v1/agents", made["key"])[0] == 401, "a revoked key is refused at once")
check(muster("keys", "update", made["id"], "--read-only", "--read-write", env=env).returncode == 2, "contradicting options")

# ---- Signals while a request is under way ----

agent = answer(
    "agents", "create", "--name", "Slow", "--provider", "openai_compatible", "--model", "hang", "--api-base", base, env=env
)["id"]
server.stop()


def invoke(server: Server) -> threading.Thread:
    body = json.dumps({"input": {"text": "hello"}}).encode()
    request = urllib.request.Request(
        f"{server.said['url']}/v1/agents/{agent}/invoke", data=body, headers={"x-api-key": key}, method="POST"
    )

    def run() -> None:
        try:
            urllib.request.urlopen(request, timeout=60).read()
        except OSError:
            pass

    thread = threading.Thread(target=run)
    thread.start()
    wait_for("the run", lambda: answer("tasks", "list", "--status", "executing", env=env)["total"] > 0)
    return thread


allow = ["--allow-network", "loopback"]
server = Server("--stop-timeout", "1", *allow)
thread = invoke(server)
begin = time.monotonic()
check(server.stop() == 0, "it stops while a request hangs")
check(0.5 < time.monotonic() - begin < 15, "requests have the time that was given", time.monotonic() - begin)
thread.join()
check(answer("tasks", "list", "--status", "executing", env=env)["total"] == 0, "no run is left behind")
server = Server("--stop-timeout", "60", *allow)
thread = invoke(server)
server.process.send_signal(signal.SIGTERM)
time.sleep(0.5)
check(server.process.poll() is None, "it waits for the request")
begin = time.monotonic()
check(server.stop() == 128 + signal.SIGTERM, "a second signal ends it at once")
check(time.monotonic() - begin < 5, "a second signal ends it at once")
thread.join()
ignoring = subprocess.Popen(
    [MUSTER, "serve", "--listen", "127.0.0.1:0"],
    env=env,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
    preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
)
assert ignoring.stdout
ignoring.stdout.readline()
ignoring.send_signal(signal.SIGHUP)
time.sleep(0.5)
check(ignoring.poll() is None, "a SIGHUP that it was told to ignore stays ignored")
ignoring.send_signal(signal.SIGTERM)
check(ignoring.wait(20) == 0, "and SIGTERM does not")

# ---- Limits and prices ----

answer(*"agents create --name Meter --provider openai_compatible --model echo --api-base".split(), base, env=env)
dear = ["--price", "echo=1000000,999999.5"]
server = Server("--limit", "cost=0.5", "--limit=model_calls=3", *dear, "--price", "a=b=0,0", *allow)
remote = environment(MUSTER_BASE_URL=server.said["url"], MUSTER_API_KEY=key)
ran = muster("invoke", "Meter", "hello", "--json", env=remote)
check(ran.returncode == 3 and json.loads(ran.stdout)["internal_status"] == "limit_cost", "a server's limit", ran.stdout, ran.stderr)
ran = muster("invoke", "Meter", "hello", "--limit", "cost=1000", env=remote)
check(ran.returncode == 0, "a caller's own limit counts", ran.stderr)
ran = muster("invoke", "Meter", "hello", *dear, env=remote)
check(ran.returncode == 2, "a server has prices of its own", ran.stderr)
server.stop()
ran = muster("invoke", "Meter", "hello", "--limit", "output_tokens=1", "--json", env=env)
check(ran.returncode == 3 and json.loads(ran.stdout)["internal_status"] == "limit_output_tokens", "a limit of invoke", ran.stdout, ran.stderr)
ran = muster("invoke", "Meter", "hello", "--limit", "cost=0.5", *dear, env=env)
check(ran.returncode == 3 and "ended failed" in ran.stderr, "a limit of cost with a price", ran.stderr)
ran = muster("invoke", "Meter", "hello", "--limit", "cost=0.5", env=env)
check(ran.returncode == 1 and "price" in ran.stderr, "a limit of cost without a price", ran.stderr)
for words in ("--limit tokens=1", "--limit seconds", "--limit seconds=1.5", "--limit cost=x", "--price echo=1", "--price 1,2", "--price echo=1,-2"):
    for start in (["serve"], ["invoke", "Meter", "hello"]):
        ran = muster(*start, *words.split(), env=env)
        check(ran.returncode == 2, f"{start[0]} {words}", ran.stderr)
ran = muster("serve", "--limit", "model_calls=0", env=env)
check(ran.returncode == 1 and "limits.model_calls" in ran.stderr, "a limit out of its range", ran.stderr)

# ---- What cannot be served ----

for words in (["--listen", "nowhere"], ["--listen", "127.0.0.1:99999"], ["--tls-cert", "/no/such/file"]):
    ran = muster("serve", *words, env=env)
    check(ran.returncode == 1 and ran.stderr.startswith("muster: "), f"serve {words}", ran.stderr)
fresh = environment(MUSTER_STORE=os.path.join(folder, "fresh.db"))
ran = muster("serve", "--key-file", "/no/such/folder/key", env=fresh)
check(ran.returncode == 1 and "muster_" not in ran.stdout, "a key file that cannot be written: no key is made", ran.stderr)
check(answer("keys", "list", env=fresh)["total"] == 0, "no key is made in vain")

# ---- Care under load ----

server = Server("--rate-limit", "off")
ending = threading.Event()
made_agents = 0


def load() -> None:
    global made_agents
    while not ending.is_set():
        body = json.dumps({"name": "Loaded"}).encode()
        request = urllib.request.Request(server.said["url"] + "/v1/agents", data=body, headers={"x-api-key": key}, method="POST")
        urllib.request.urlopen(request, timeout=20).read()
        made_agents += 1


threads = [threading.Thread(target=load) for _ in range(4)]
for thread in threads:
    thread.start()
for number in range(3):
    copy = os.path.join(folder, f"copy{number}.db")
    before = made_agents
    ran = muster("store", "backup", copy, env=env)
    check(ran.returncode == 0, "a copy under load", ran.stderr)
    check(stat.S_IMODE(os.stat(copy).st_mode) == 0o600, "only its owner can read the copy")
    ran = muster("--store", copy, "store", "check", env=env)
    check(ran.returncode == 0 and ran.stdout.startswith("ok: "), "the copy is whole", ran.stdout, ran.stderr)
    total = answer("agents", "list", env=dict(env, MUSTER_STORE=copy))["total"]
    check(total >= before, "what was acknowledged before is in the copy", total, before)
    ran = muster("store", "check", env=env)
    check(ran.returncode == 0, "the store is whole under load", ran.stdout, ran.stderr)
ending.set()
for thread in threads:
    thread.join()
check(made_agents > 0, "there was a load")
check(server.stop() == 0, "it stops after the load")
ran = muster("store", "backup", copy, env=env)
check(ran.returncode == 1 and "exists" in ran.stderr, "a file that is there is refused", ran.stderr)
check(not [name for name in os.listdir(folder) if name.startswith("copy0.db-0")], "no partial copy is left")
sqlite3.connect(copy, isolation_level=None).execute("DELETE FROM counts")
ran = muster("--store", copy, "store", "check", env=env)
check(ran.returncode == 4 and "count that is not kept" in ran.stdout, "damage is told by its own exit code", ran.stdout)

# ---- doctor ----

ran = muster("doctor", "--json", env=dict(env, MUSTER_MODEL_BASE=base, OPENAI_API_KEY="a-secret-key"))
found = json.loads(ran.stdout)
states = {item["name"]: item["state"] for item in found["checks"]}
check(ran.returncode == 0 and found["ok"], "doctor is content", found)
check(states["libcurl"] == "ok" and states["store"] == "ok" and states["model address"] == "ok", "what doctor looks at", states)
check("a-secret-key" not in ran.stdout, "doctor does not show the key")
ran = muster("doctor", env=dict(env, MUSTER_MODEL_BASE="http://127.0.0.1:9/v1"))
check(ran.returncode == 1 and "refused" in ran.stdout, "doctor finds a model that nobody serves", ran.stdout)
text_file = os.path.join(folder, "text")
open(text_file, "w").write("no store" * 100)
ran = muster("doctor", "--store", text_file, env=env)
check(ran.returncode == 1 and "not a Muster store" in ran.stdout, "doctor finds what is no store", ran.stdout)
ran = muster("doctor", "--store", os.path.join(folder, "none.db"), env=env)
check(ran.returncode == 0 and not os.path.exists(os.path.join(folder, "none.db")), "doctor makes no store", ran.stdout)

finish("serve")
