"""Invoking agents, and the operations on tasks."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, List

import pytest

import muster


def test_an_invoke_gives_the_task(plane: muster.Plane) -> None:
    """The answer is the finished task, with its tokens."""
    agent_id = plane.agents.create(name="A")["id"]
    task = plane.agents.invoke(agent_id, "hello there", title="T", user={"id": "u1", "email": "a@example.org"})
    assert (task["status"], task["result"], task["title"]) == ("completed", "echo: hello there", "T")
    tokens = task["tokens"]
    assert tokens is not None
    assert tokens["total_tokens"] == tokens["prompt_tokens"] + tokens["completion_tokens"] > 0
    user = task["input"]["user"]
    assert user is not None and user["id"] == "u1"


def test_a_thread_of_two_turns_has_four_messages(plane: muster.Plane) -> None:
    """Two turns of one thread are one task with four messages."""
    agent_id = plane.agents.create(name="A", model_name="script:first|second")["id"]
    task = plane.agents.invoke(agent_id, "one")
    again = plane.agents.invoke(agent_id, "two", id=task["id"])
    assert (again["id"], again["result"]) == (task["id"], "second")
    thread = plane.tasks.thread(task["id"])
    assert [(message["role"], message["content"]) for message in thread] == [
        ("user", "one"),
        ("assistant", "first"),
        ("user", "two"),
        ("assistant", "second"),
    ]
    assert [message["id"] for message in thread] == [
        f"{task['id']}_{who}_{turn}" for turn in (1, 2) for who in ("user", "agent")
    ]
    assert plane.tasks.list()["total"] == 1


def test_sub_tasks_stand_in_the_full_thread(plane: muster.Plane) -> None:
    """The full thread has a key for each sub-task."""
    agent_id = plane.agents.create(name="A")["id"]
    parent = plane.agents.invoke(agent_id, "up")
    child = plane.agents.invoke(agent_id, "down", parent_execution_id=parent["id"])
    full = plane.tasks.thread_full(parent["id"])
    assert set(full) == {"root", child["id"]}
    assert [message["content"] for message in full[child["id"]]][-2:] == ["down", "echo: down"]


def test_iteration_takes_filters(plane: muster.Plane) -> None:
    """iter over tasks takes the filters of the list."""
    good = plane.agents.create(name="Good")["id"]
    wrong = plane.agents.create(name="Wrong", model_name="status:400")["id"]
    for agent_id in (good, wrong, good):
        plane.agents.invoke(agent_id, "hi")
    assert len(list(plane.tasks.iter(per_page=1))) == 3
    assert [task["agent_id"] for task in plane.tasks.iter(status="error")] == [wrong]
    assert [task["agent_id"] for task in plane.tasks.iter(per_page=1, agent_id=good)] == [good, good]
    assert len(list(plane.agents.iter_tasks(good, per_page=1))) == 2


def test_a_model_that_fails_is_a_task_that_failed(plane: muster.Plane) -> None:
    """A run that could not be done is an answer, not an exception, and its result names the cause."""
    agent_id = plane.agents.create(name="A", model_name="status:401")["id"]
    task = plane.agents.invoke(agent_id, "hi")
    assert task["status"] == "error" and "401" in (task["result"] or "")


def test_a_passing_failure_is_tried_again(plane: muster.Plane) -> None:
    """A model that is busy for a moment is asked again."""
    agent_id = plane.agents.create(name="A")["id"]
    name = f"flaky:1:503:{agent_id}"
    plane.agents.update(agent_id, deploy=True, model_name=name)
    task = plane.agents.invoke(agent_id, "hi")
    assert (task["status"], task["result"]) == ("completed", "recovered after 1")


def test_time_runs_out(plane: muster.Plane) -> None:
    """A call whose time runs out raises TimeoutError with the task, which is stopped, and the next call works."""
    agent_id = plane.agents.create(name="A", model_name="hang")["id"]
    began = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        plane.agents.invoke(agent_id, "hi", timeout=0.3)
    assert 0.25 < time.monotonic() - began < 2
    failure = caught.value
    assert isinstance(failure, muster.TimeoutError_) and failure.task_id is not None
    task = plane.tasks.get(failure.task_id)
    assert (task["status"], task["internal_status"], task["is_manually_stopped"]) == ("stopped", "timeout", False)
    assert plane.agents.invoke(agent_id, "hi", llm_model_name="fixed")["status"] == "completed"


def test_the_planes_own_limit_holds(store: str, open_plane: Any) -> None:
    """Without a timeout of its own a call has the plane's."""
    plane = open_plane(limits={"call_timeout_ms": 200})
    agent_id = plane.agents.create(name="A", model_name="hang")["id"]
    with pytest.raises(muster.TimeoutError_):
        plane.agents.invoke(agent_id, "hi")
    slow = plane.agents.create(name="B", model_name="slow:500")["id"]
    assert plane.agents.invoke(slow, "hi", timeout=float("inf"))["status"] == "completed"


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_a_timeout_that_is_none_is_refused(plane: muster.Plane, timeout: float) -> None:
    """A timeout below nothing is a ValueError."""
    with pytest.raises(ValueError):
        plane.call("agents.list", timeout=timeout)


def in_background(plane: muster.Plane, agent_id: str, **fields: Any) -> Dict[str, Any]:
    """Invokes on another thread and waits until the task is executing."""
    state: Dict[str, Any] = {}

    def run() -> None:
        try:
            state["task"] = plane.agents.invoke(agent_id, "hi", **fields)
        except muster.MusterError as failure:
            state["failure"] = failure

    state["thread"] = threading.Thread(target=run)
    state["thread"].start()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        running = plane.tasks.list(status="executing")["items"]
        if running:
            state["id"] = running[0]["id"]
            return state
        time.sleep(0.01)
    raise AssertionError("the task did not start")


def test_a_person_stops_a_task(plane: muster.Plane) -> None:
    """tasks.stop from another thread ends the run; the waiting invoke gives the stopped task."""
    agent_id = plane.agents.create(name="A", model_name="hang")["id"]
    state = in_background(plane, agent_id)
    stopped = plane.tasks.stop(state["id"])
    state["thread"].join(5)
    assert not state["thread"].is_alive()
    assert (stopped["status"], stopped["is_manually_stopped"]) == ("stopped", True)
    assert state["task"]["status"] == "stopped" and state["task"]["id"] == state["id"]
    assert plane.tasks.stop(state["id"]) == plane.tasks.get(state["id"])


def test_a_ticket_cancels_a_call(plane: muster.Plane) -> None:
    """cancel ends the call that carries the ticket, and a ticket that was cancelled before ends its call at once."""
    agent_id = plane.agents.create(name="A", model_name="hang")["id"]
    ticket = plane.ticket()
    state = in_background(plane, agent_id, ticket=ticket)
    plane.cancel(ticket)
    state["thread"].join(5)
    failure = state["failure"]
    assert isinstance(failure, muster.CancelledError) and failure.task_id == state["id"]
    task = plane.tasks.get(state["id"])
    assert (task["status"], task["is_manually_stopped"]) == ("stopped", True)
    plane.cancel(ticket)
    early = plane.ticket()
    plane.cancel(early)
    with pytest.raises(muster.CancelledError):
        plane.agents.invoke(agent_id, "hi", ticket=early)
    with pytest.raises(muster.CancelledError):
        other = plane.ticket()
        plane.cancel(other)
        body = {"input": {"text": "hi"}}
        plane.call("agents.invoke", {"agent_id": agent_id, "body": body, "context": {"ticket": other}})


def test_deleting_ends_a_running_task(plane: muster.Plane) -> None:
    """tasks.delete stops a running task first; then it is gone."""
    agent_id = plane.agents.create(name="A", model_name="hang")["id"]
    state = in_background(plane, agent_id)
    plane.tasks.delete(state["id"])
    state["thread"].join(5)
    assert not state["thread"].is_alive()
    with pytest.raises(muster.NotFoundError):
        plane.tasks.get(state["id"])


def test_turns_of_a_thread_wait_for_each_other(plane: muster.Plane) -> None:
    """Two invokes of one thread at once run one after the other."""
    agent_id = plane.agents.create(name="A", model_name="slow:200")["id"]
    threads: List[threading.Thread] = []
    for text in ("one", "two"):
        threads.append(threading.Thread(target=plane.agents.invoke, args=(agent_id, text), kwargs={"id": "same"}))
        threads[-1].start()
    for thread in threads:
        thread.join(20)
    messages = plane.tasks.thread("same")
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2
    assert {message["content"] for message in messages if message["role"] == "user"} == {"one", "two"}


def test_a_task_is_run_again_from_its_journal(plane: muster.Plane) -> None:
    agent = plane.agents.create(name="A")
    task = plane.agents.invoke(agent["id"], "hi")
    replay = plane.tasks.replay(task["id"])
    assert replay["is_identical"] and replay["difference"] is None and replay["problem"] is None
    assert [event["data"] for event in replay["events"]] == [event.data for event in plane.tasks.events(task["id"])]


def test_a_task_goes_on_from_an_event_of_another_one(plane: muster.Plane) -> None:
    agent = plane.agents.create(name="A", instructions={"general": "Be brief."})
    task = plane.agents.invoke(agent["id"], "one")
    further = plane.tasks.fork(task["id"], "two", event=2)
    assert further["forked_from"] == {"task_id": task["id"], "event": 2}
    assert list(plane.tasks.events(further["id"]))[-1].data["result"] == "echo: two"
    same = plane.tasks.fork(task["id"], event="1", llm_model_name="script:other", instructions="Be long.")
    assert list(plane.tasks.events(same["id"]))[-1].data["result"] == "other"
    assert plane.tasks.get(task["id"]) == task
    with pytest.raises(muster.ValidationError):
        plane.tasks.fork(task["id"], event=2)
