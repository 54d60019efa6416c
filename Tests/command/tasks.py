"""Tasks that call tools and wait for people: decisions, what is shown of them, and how their events are printed. The
program has no tools of its own: they are those of a host that has the same store open."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any, Dict

from checks import MUSTER, answer, check, environment, muster, on_terminal, plain, wait_for

os.environ["MUSTER_LIBRARY"] = os.path.join(os.path.dirname(MUSTER), "libmuster.so.1")
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bindings/python/src")
sys.path.insert(0, SOURCE)
import muster as library  # noqa: E402


def pay(n: int = 0) -> str:
    """Pays."""
    return f"paid {n}"


def gated(**gate: str) -> Dict[str, Any]:
    """A place in a graph for the tool, of which each call needs a person."""
    options = {"enabled": True, **gate}
    return {"item_id": "pay", "type": "tool", "sub_type": "local_tool", "targets": [], "settings": {"hitl_options": options}}


# A host that dies in a call of its tool.
DIES = """
import os, sys, time
import muster
store, base, agent = sys.argv[1:]
plane = muster.open(store, default_model={"provider": "openai_compatible", "name": "echo", "api_base": base})
@plane.tool
def pay(n: int = 0) -> str:
    os._exit(7)
plane.agents.invoke_async(agent, "go", id="begun")
time.sleep(20)
"""


class Tasks:
    """A store with a host, its agents, and the checks on them."""

    def __init__(self, folder: str, base: str) -> None:
        self.base = base
        self.store = os.path.join(folder, "tasks.db")
        self.env = environment(MUSTER_STORE=self.store)
        model = {"provider": "openai_compatible", "name": "echo", "api_base": base}
        self.host = library.open(self.store, default_model=model)
        self.host.tool(pay)
        self.key = self.host.call("keys.create", body={"name": "tests"})["key"]
        self.server = self.host.serve(rate_limit="off", allow_network=["loopback"])
        make = self.host.agents.create
        gate = gated(title="May I pay?", description="It costs money.")
        self.payer = make(name="Payer", model_name='saycall:pay:{"n":3}', graph=[gate])["id"]
        below = {"item_id": self.payer, "type": "agent", "targets": []}
        self.leader = make(name="Leader", model_name='saycall:Payer:{"task":"pay 3"}', graph=[below])["id"]
        self.free = make(name="Free", model_name='saycall:pay:{"n":3}', tools=["pay"])["id"]
        self.untitled = make(name="Untitled", model_name="call:pay*2:{}", graph=[gated()])["id"]

    def ends(self, task: str) -> Any:
        """The task once it has ended, or waits again."""
        self.host.resume()
        wait_for(f"the end of {task}", lambda: self.host.tasks.get(task)["status"] not in ("pending", "executing"))
        return self.host.tasks.get(task)

    def check_decisions(self) -> None:
        host, env = self.host, self.env
        host.agents.invoke(self.payer, "go", id="approved")
        ran = muster("tasks", "approve", "approved", "--user", "ann", env=env)
        check(ran.returncode == 0, "approve", ran.stderr)
        check(ran.stdout == "task approved is pending: it goes on in a program that has its tools\n", "what approve prints", ran.stdout)
        check(self.ends("approved")["result"] == "The tool said: paid 3", "the call is made once it is approved", host.tasks.get("approved"))
        ran = muster("tasks", "approve", "approved", env=env)
        check(ran.returncode == 1 and "does not wait for this decision" in ran.stderr, "nothing is asked any more", ran.stderr)

        host.agents.invoke(self.payer, "go", id="rejected")
        task = answer("tasks", "reject", "rejected", "--comment", "too dear", env=env)
        check((task["id"], task["status"]) == ("rejected", "pending"), "reject as JSON", task)
        check(
            self.ends("rejected")["result"] == "The tool said: A person declined this call: too dear",
            "the model is told that a call was declined",
            host.tasks.get("rejected"),
        )

        task = host.agents.invoke(self.untitled, "go", id="two")
        first = task["hitl_request"]["request_id"]
        ran = muster("tasks", "approve", "two", "--decision", "done", env=env)
        check(ran.returncode == 1 and "may pay be called?" in ran.stderr, "a decision that does not fit", ran.stderr)
        ran = muster("tasks", "approve", "two", "--request", "other", env=env)
        check(ran.returncode == 1, "a request that is none", ran.stderr)
        ran = muster("tasks", "approve", "two", "--decision", "proceed", "--request", first, env=env)
        check(ran.returncode == 0, "a request that is named", ran.stderr)
        task = self.ends("two")
        check(task["status"] == "paused" and task["hitl_request"]["request_id"] != first, "the next call is asked about", task)
        ran = muster("tasks", "approve", "two", "--decision=give_up", env=env)
        check(ran.returncode == 0 and ran.stdout == "task two ended failed: A person ended the run.\n", "giving up", ran.stdout, ran.stderr)

        ran = muster("tasks", "approve", "approved", "--decision", "perhaps", env=env)
        check(ran.returncode == 2 and "not_done" in ran.stderr, "a decision that is none", ran.stderr)
        ran = muster("tasks", "reject", "approved", "--decision", "done", env=env)
        check(ran.returncode == 2, "reject has no decision", ran.stderr)
        ran = muster("tasks", "reject", "nothing", env=env)
        check(ran.returncode == 1, "a task that is not there", ran.stderr)
        ran = muster("help", "tasks", "approve", env=env)
        check("--request ID" in ran.stdout and "--decision WHAT" in ran.stdout, "the help of approve", ran.stdout)

    def check_outcomes(self) -> None:
        host, env = self.host, self.env
        words = [sys.executable, "-c", DIES, self.store, self.base, self.free]
        died = subprocess.run(words, env=dict(os.environ, PYTHONPATH=SOURCE), timeout=60)
        check(died.returncode == 7 and self.ends("begun")["status"] == "paused", "a host died in a call", died)
        shown = muster("tasks", "get", "begun", env=env).stdout
        answers = [f"muster tasks approve begun --decision {word}\n" for word in ("done", "not_done")]
        words = ["what became of the call of pay?", "outcome: ", *answers, "muster tasks reject begun\n"]
        check(all(word in shown for word in words), "what a person is asked of a call that was begun", shown)
        ran = muster("tasks", "approve", "begun", env=env)
        check(ran.returncode == 1 and "approve begun --decision done or not_done" in ran.stderr, "a decision is needed", ran.stderr)
        answer("tasks", "approve", "begun", "--decision", "done", "--comment", "receipt 7", env=env)
        check(self.ends("begun")["result"] == "The tool said: receipt 7", "the call is taken as made", host.tasks.get("begun"))

    def check_what_waits(self) -> None:
        host, env = self.host, self.env
        host.agents.invoke(self.payer, "go", id="it's mine")
        shown = muster("tasks", "get", "it's mine", env=env).stdout
        request = host.tasks.get("it's mine")["hitl_request"]["request_id"]
        answers = "muster tasks approve 'it'\\''s mine'", "muster tasks reject 'it'\\''s mine'"
        words = ["paused", "May I pay?", "It costs money.", "approval: ", 'pay {"n":3}', request, *answers]
        check(all(word in shown for word in words), "what a paused task waits for", shown)
        host.agents.invoke(self.leader, "go", id="above")
        (below,) = host.tasks.get("above")["sub_executions"]
        asked = "task {0} waits for a person: May I pay? (muster tasks approve {0})"
        shown = muster("tasks", "get", "above", env=env).stdout
        check(asked.format(below) in shown and f"sub-tasks  {below}\n" in shown, "a task whose sub-task waits", shown)
        host.tasks.approve(below)
        self.ends(below)
        shown = muster("tasks", "get", "above", env=env).stdout
        check(f"sub-tasks  {below} (ended)\n" in shown, "sub-tasks that have ended", shown)

        remote = environment(MUSTER_BASE_URL=self.server.url, MUSTER_API_KEY=self.key)
        ran = muster("invoke", "Payer", "go", "--thread", "remote", env=remote)
        check(ran.returncode == 3 and ran.stdout == "", "an invoke that waits for a person", ran.stdout)
        check(ran.stderr == f"muster: {asked.format('remote')}\n", "what it waits for", ran.stderr)
        ran = muster("invoke", "Leader", "go", "--thread", "far", env=remote)
        (below,) = host.tasks.get("far")["sub_executions"]
        check(ran.returncode == 3 and ran.stderr == f"muster: {asked.format(below)}\n", "a sub-task that waits", ran.stderr)
        ran = muster("tasks", "approve", "remote", env=remote)
        check(ran.stdout == "task remote goes on\n", "a server goes on by itself", ran.stdout, ran.stderr)

        host.agents.invoke(self.payer, "go", id="watched")
        words = [MUSTER, "tasks", "watch", "watched"]
        watch = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert watch.stderr
        line = watch.stderr.readline()
        check(line == f"muster: {asked.format('watched')}\n", "watch says that a task waits", line)
        time.sleep(1.2)
        host.tasks.approve("watched")
        out, err = watch.communicate(timeout=20)
        check(watch.returncode == 0 and out.endswith("\nThe tool said: paid 3\n"), "and follows it on", out)
        check(err == "", "it says so once", err)

    def check_calls_of_tools(self) -> None:
        host, env = self.host, self.env
        host.agents.invoke(self.free, "go", id="free")
        ran = muster("tasks", "watch", "free", env=env)
        check(ran.stdout == "I ask pay. \nThe tool said: paid 3\n" and ran.stderr == "", "calls end the line", ran)
        code, sent = on_terminal("tasks", "watch", "free", env=env)
        told = "I ask pay. \n[pay {\"n\":3}]\n[pay: paid 3]\nThe tool said: paid 3\n"
        check(code == 0 and told in plain(sent).replace("\r", ""), "calls are told on a terminal", sent)
        check('\x1b[2m[pay {"n":3}]\x1b[0m' in sent, "and are faint there", sent)
        check("broke off" not in sent, "an answer behind a call did not break off", sent)
        host.agents.invoke(self.leader, "go", id="asks")
        (below,) = host.tasks.get("asks")["sub_executions"]
        host.tasks.reject(below, comment="no" * 200)
        self.ends("asks")
        sent = plain(on_terminal("tasks", "watch", "asks", env=env)[1])
        check(f"I ask Payer. \r\n[agent {self.payer}: pay 3]\r\n" in sent and "broke off" not in sent, "an agent that is started", sent)
        sent = plain(on_terminal("tasks", "watch", below, env=env)[1])
        check("…]\r\n" in sent and "broke off" not in sent, "long answers are cut", sent)
        host.agents.create(name="Breaks", model_name="break:2:command")
        model = dict(env, MUSTER_MODEL_PROVIDER="openai_compatible", MUSTER_MODEL_BASE=self.base)
        code, sent = on_terminal("invoke", "Breaks", "one two three four", "--stream", env=model)
        check(code == 0 and sent.count("broke off and begins anew") == 1, "an answer that did break off", sent)

    def check_forks_through_a_server(self) -> None:
        host = self.host
        remote = environment(MUSTER_BASE_URL=self.server.url, MUSTER_API_KEY=self.key)
        host.agents.create(name="Slow", model_name="slow:100")
        answer("invoke", "Slow", "hello", "--thread", "old", env=remote)
        ran = muster("tasks", "fork", "old", "2", "--input", "and now", env=remote)
        check(ran.returncode == 0 and ran.stdout == "answered after 100 ms\n", "a fork is waited for", ran.stdout, ran.stderr)
        task = answer("tasks", "fork", "old", "2", "--input", "and now", env=remote)
        check(task["status"] == "completed" and task["forked_from"]["task_id"] == "old", "a fork as JSON", task)
        code, sent = on_terminal("tasks", "fork", "old", "2", "--input", "and now", env=remote)
        check(code == 0 and "\r\ntask " in "\r\n" + sent and "thread " in sent, "the id of the fork is told", sent)
        host.agents.invoke(self.free, "go", id="open")
        ran = muster("tasks", "fork", "open", "4", "--input", "again", "--model", "status:401", env=remote)
        check(ran.returncode == 3 and " ended error: " in ran.stderr, "a fork that fails", ran.stderr)
        host.agents.invoke(self.payer, "go", id="asking")
        self.host.tasks.approve("asking")
        self.ends("asking")
        ran = muster("tasks", "fork", "asking", "1", env=remote)
        check(ran.returncode == 3 and "waits for a person: May I pay?" in ran.stderr, "a fork that waits", ran.stderr)
        server = host.serve(rate_limit="off", allow_network=["loopback"])
        words = [MUSTER, "tasks", "fork", "old", "2", "--input", "hello", "--model", "hang"]
        fork = subprocess.Popen(
            words, env=dict(remote, MUSTER_BASE_URL=server.url), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running = lambda: host.tasks.list(status="executing")["items"]  # noqa: E731
        wait_for("the fork", lambda: bool(running()))
        server.stop()
        said = fork.communicate(timeout=20)[1]
        check(fork.returncode == 1 and f"task {running()[0]['id']} was made" in said, "a fork whose server goes away", said)
        before = host.tasks.list()["total"]
        for words in (["tasks", "watch", "old"], ["invoke", "Slow", "hello", "--stream"]):
            ran = muster(*words, env=remote)
            check(ran.returncode == 2 and "needs a store" in ran.stderr, f"{words} through a server", ran.stderr)
        check(host.tasks.list()["total"] == before, "and nothing is done")


def run(folder: str, base: str) -> None:
    """Makes the checks on a store in the folder."""
    tasks = Tasks(folder, base)
    try:
        tasks.check_decisions()
        tasks.check_outcomes()
        tasks.check_what_waits()
        tasks.check_calls_of_tools()
        tasks.check_forks_through_a_server()
    finally:
        tasks.host.close()
