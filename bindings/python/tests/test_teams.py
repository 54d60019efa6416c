"""Agents that start other agents, also across processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import Any, Callable, Dict, List

import pytest
from conftest import SOURCE, ModelServer

import muster

Opener = Callable[..., muster.Plane]


def item(agent: Dict[str, Any], *targets: Dict[str, Any]) -> Dict[str, Any]:
    """A place in the graph of a leader."""
    return {"item_id": agent["id"], "type": "agent", "targets": [target["id"] for target in targets]}


def ends(plane: muster.Plane, task_id: str) -> Any:
    deadline = time.monotonic() + 20
    while (task := plane.tasks.get(task_id))["status"] in ("pending", "executing"):
        assert time.monotonic() < deadline, task
        time.sleep(0.01)
    return task


def test_a_router_asks_an_agent_as_a_tool(open_plane: Opener) -> None:
    plane = open_plane()
    ann = plane.agents.create(name="Ann Adder", model_name="echo", description="adds numbers")
    leader = plane.agents.create(name="L", model_name='call:Ann_Adder:{"task":"add 1 and 2"}', graph=[item(ann)])
    task = plane.agents.invoke(leader["id"], "1 and 2?", timeout=30)
    assert task["status"] == "completed"
    assert task["result"].startswith("The tool said: ") and "add 1 and 2" in task["result"]
    (below,) = task["sub_executions"]
    assert task["finished_sub_executions"] == [below]
    assert plane.tasks.get(below)["parent_execution"] == task["id"]
    assert plane.tasks.get(below)["triggering_agent_id"] == leader["id"]
    thread = plane.tasks.thread_full(task["id"])
    assert [message["role"] for message in thread["root"]] == ["user", "tool", "assistant"]
    assert [message["role"] for message in thread[below]] == ["user", "assistant"]
    entries = plane.tasks.activity(task["id"])["messages"]
    assert [entry.get("agent_id") for entry in entries] == [None, ann["id"], None]


def test_who_streams_hears_that_an_agent_is_started(open_plane: Opener) -> None:
    plane = open_plane()
    ann = plane.agents.create(name="ann", model_name="echo")
    leader = plane.agents.create(name="L", model_name='call:ann:{"task":"add"}', graph=[item(ann)])
    events = list(plane.agents.stream(leader["id"], "go", timeout=30))
    (trigger,) = [event for event in events if event.type == "sub_agent_trigger"]
    assert trigger.data["agent_id"] == ann["id"] and trigger.data["query"] == "add"
    again = list(plane.tasks.events(events[0].task_id))
    assert [event.id for event in again if event.type == "sub_agent_trigger"] == [trigger.id]


@pytest.mark.parametrize(("end", "last"), [("finish-with-last", "bob"), ("return-to-start", "L")])
def test_agents_of_a_sequence_work_one_after_another(open_plane: Opener, end: str, last: str) -> None:
    plane = open_plane()
    ann = plane.agents.create(name="ann", model_name="echo")
    bob = plane.agents.create(name="bob", model_name="echo")
    leader = plane.agents.create(
        name="L",
        model_name="echo",
        graph=[item(bob), item(ann, bob)],
        delegation_type="sequence",
        delegation_end_strategy=end,
    )
    task = plane.agents.invoke(leader["id"], "start", timeout=30)
    assert task["status"] == "completed" and "start" in task["result"]
    agents = [plane.tasks.get(below)["agent_id"] for below in task["sub_executions"]]
    assert agents == [ann["id"], bob["id"]]
    assert ("The agents that worked on this" in task["result"]) == (last == "L")


def test_limits_hold_for_all_together(open_plane: Opener, model_server: ModelServer) -> None:
    plane = open_plane()
    ann = plane.agents.create(name="ann", model_name='loop:ann:{"task":"on"}')
    plane.agents.update(ann["id"], graph=[item(ann)])
    plane.agents.deploy(ann["id"])
    before = model_server.observed()["requests"]
    task = plane.agents.invoke(ann["id"], "go", timeout=30, limits={"model_calls": 12, "depth": 4})
    assert (task["status"], task["internal_status"]) == ("failed", "limit_model_calls")
    assert model_server.observed()["requests"] - before <= 12


KILLED = textwrap.dedent(
    """
    import muster, sys, time
    store, base = sys.argv[1:]
    plane = muster.open(store, default_model={"provider": "openai_compatible", "name": "echo", "api_base": base})
    ann = plane.agents.create(name="ann", model_name="slow:60000")
    leader = plane.agents.create(
        name="L", model_name='call:ann:{"task":"add"}',
        graph=[{"item_id": ann["id"], "type": "agent", "targets": []}])
    plane.agents.invoke_async(leader["id"], "go", id="t")
    while not plane.tasks.get("t")["sub_executions"]:
        time.sleep(0.01)
    print(ann["id"], flush=True)
    time.sleep(60)
    """
)


def test_both_tasks_go_on_after_their_process_was_killed(
    store: str, open_plane: Opener, model_server: ModelServer
) -> None:
    """Neither is lost, and the agent is not started again."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, store, model_server.base],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert process.stdout is not None
    ann = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    plane = open_plane()
    assert plane.tasks.get("t")["status"] == "pending"
    (below,) = plane.tasks.get("t")["sub_executions"]
    assert plane.tasks.get(below)["status"] == "pending"
    # Both would wait a minute for the model: the agent's task is stopped, and its leader told so.
    plane.resume()
    plane.tasks.stop(below)
    task = ends(plane, "t")
    assert task["status"] == "completed"
    assert task["result"].startswith("The tool said: The agent did not finish: stopped")
    assert task["sub_executions"] == [below]
    assert plane.tasks.get(below)["agent_id"] == ann


def test_who_stops_a_task_stops_what_it_has_started(open_plane: Opener) -> None:
    plane = open_plane()
    ann = plane.agents.create(name="ann", model_name="slow:60000")
    leader = plane.agents.create(name="L", model_name='call:ann:{"task":"add"}', graph=[item(ann)])
    task_id = plane.agents.invoke_async(leader["id"], "go")["id"]
    deadline = time.monotonic() + 20
    below: List[str] = []
    while not below:
        assert time.monotonic() < deadline
        below = plane.tasks.get(task_id)["sub_executions"]
    plane.tasks.stop(task_id)
    assert ends(plane, task_id)["status"] == "stopped"
    assert ends(plane, below[0])["status"] == "stopped"


def test_an_agent_that_is_not_there_is_told_before_anything_begins(open_plane: Opener) -> None:
    plane = open_plane()
    missing = {"item_id": "nobody", "type": "agent", "targets": []}
    leader = plane.agents.create(name="L", model_name="echo", graph=[missing])
    with pytest.raises(muster.MusterError, match="nobody"):
        plane.agents.invoke(leader["id"], "go")
