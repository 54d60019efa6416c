"""Idempotency keys hold when the process is killed between effect and answer."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from typing import Any, Callable, Dict

import muster

CREATE = """
plane = muster.open(STORE)
print("open", flush=True)
for number in range(1, 1000000):
    agent = plane.call("agents.create", body={"name": f"A{number}"}, context={"idempotency_key": f"k{number}"})
    print(number, agent["id"], flush=True)
"""

INVOKE = """
plane = muster.open(STORE, default_model=MODEL)
agent = plane.agents.create(name="A", model_name="slow:60000", model_provider="openai_compatible", llm_api_base=MODEL_BASE)
print(agent["id"], flush=True)
plane.call("agents.invoke", agent_id=agent["id"], body={"input": {"text": "x"}}, context={"idempotency_key": "k"})
"""


def create(plane: muster.Plane, number: int) -> Dict[str, Any]:
    made: Dict[str, Any] = plane.call(
        "agents.create", body={"name": f"A{number}"}, context={"idempotency_key": f"k{number}"}
    )
    return made


def test_killed_while_creating(python: Callable[..., "subprocess.Popen[str]"], store: str) -> None:
    """After each kill, every key that was acknowledged gives its agent again, and the one that was under way gives one agent."""
    known: Dict[int, str] = {}
    for _ in range(6):
        process = python(CREATE)
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        time.sleep(random.uniform(0.02, 0.3))
        process.kill()
        for line in process.stdout.read().splitlines():
            if len(line.split()) == 2:
                number, agent_id = line.split()
                assert known.setdefault(int(number), agent_id) == agent_id
        process.wait()
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()
    with muster.open(store) as plane:
        last = max(known, default=0) + 2
        ids = [create(plane, number)["id"] for number in range(1, last + 1)]
        assert all(ids[number - 1] == agent_id for number, agent_id in known.items())
        assert len(set(ids)) == last
        assert plane.agents.list()["total"] == last


def test_killed_while_invoking(python: Callable[..., "subprocess.Popen[str]"], store: str) -> None:
    """The repetition of an invoke whose process was killed gives the task that it left, and runs nothing again."""
    process = python(INVOKE)
    assert process.stdout is not None and process.stderr is not None
    agent_id = process.stdout.readline().strip()
    with muster.open(store) as plane:
        while plane.tasks.list()["total"] == 0:
            time.sleep(0.01)
        arguments = {"agent_id": agent_id, "body": {"input": {"text": "x"}}, "context": {"idempotency_key": "k"}}
        try:
            plane.call("agents.invoke", arguments)
            raise AssertionError("the first call still runs")
        except muster.APIError as error:
            assert error.http_status == 409
        process.kill()
        process.wait()
        first = plane.call("agents.invoke", arguments)
        assert first["status"] == "error" and first["internal_status"] == "interrupted"
        assert plane.call("agents.invoke", arguments) == first
        assert [task["id"] for task in plane.tasks.list()["items"]] == [first["id"]]
    process.stdout.close()
    process.stderr.close()


def test_many_threads(plane: muster.Plane) -> None:
    """64 requests at once with one key make one agent and get one answer."""
    headers = {"x-api-key": plane.call("keys.create", body={"name": "k"})["key"], "Idempotency-Key": "one"}
    answers = []

    def send() -> None:
        answers.append(plane.http("POST", "/v1/agents", headers, '{"name":"A"}'))

    threads = [threading.Thread(target=send) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert plane.agents.list()["total"] == 1
