"""Streams of events: their order, their ends, how they are left, and what interrupts them."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Callable, Dict, List

import pytest
from conftest import ModelServer
from test_processes import finish

import muster
from muster._events import Item

Start = Callable[[str], "subprocess.Popen[str]"]
WORDS = "one two three four five"


def ended(plane: muster.Plane, task_id: str) -> muster.types.AgentExecution:
    """The task, once it has ended."""
    deadline = time.monotonic() + 20
    while True:
        task = plane.tasks.get(task_id)
        if task["status"] not in ("pending", "executing"):
            return task
        assert time.monotonic() < deadline, "the task does not end"
        time.sleep(0.01)


def gone(model_server: ModelServer, model: str) -> int:
    """How many clients left the mock while it answered for a model."""
    return sum(one["model"] == model for one in model_server.observed()["disconnects"])


def wait_until_gone(model_server: ModelServer, model: str, before: int) -> None:
    """Waits until one client more has left."""
    deadline = time.monotonic() + 20
    while gone(model_server, model) == before:
        assert time.monotonic() < deadline, "the model's connection is not closed"
        time.sleep(0.01)


def assert_is_whole(events: List[muster.Event], status: str = "completed") -> None:
    """The documented order, and that the pieces are the result."""
    types = [event.type for event in events]
    assert types[:2] == ["task_created", "task_updated"] and types[-1] == "task_finished"
    assert set(types[2:-1]) <= {"chunk"}
    assert [event.data["status"] for event in (events[0], events[1], events[-1])] == ["pending", "executing", status]
    assert "".join(event.text for event in events) == events[-1].data["result"]
    assert len({event.id for event in events}) == len(events)
    assert [event.sequence for event in events] == sorted(event.sequence for event in events)
    assert len({(event.task_id, event.organization_id) for event in events}) == 1


def test_a_stream_gives_the_events_of_a_run(plane: muster.Plane) -> None:
    """The events come in the documented order, the pieces are the result, and then the stream ends for good."""
    agent = plane.agents.create(name="A", model_name="slow:20")
    stream = plane.agents.stream(agent["id"], WORDS, title="T", llm_model_name="echo")
    events = list(stream)
    assert_is_whole(events)
    assert events[-1].data["result"] == f"echo: {WORDS}" and events[0].data["title"] == "T"
    assert events[0].organization_id == agent["organization_id"]
    assert events[-1].data == plane.tasks.get(events[0].task_id)
    assert list(stream) == []


def test_pieces_come_while_the_model_answers(plane: muster.Plane) -> None:
    """A slow answer is read in several pieces, long before its end."""
    agent_id = plane.agents.create(name="A", model_name="slow:100")["id"]
    texts = [event.text for event in plane.agents.stream(agent_id, "hi") if event.type == "chunk"]
    assert len(texts) > 1 and "".join(texts) == "answered after 100 ms"


def test_an_event_is_a_small_typed_thing() -> None:
    """An event has the fields of the envelope, its text is that of a chunk, and types from the future pass through."""
    assert [field.name for field in dataclasses.fields(muster.Event)] == [
        *("type", "task_id", "organization_id", "time", "id", "data", "sequence")
    ]
    item = Item(False, 7, {"type": "plan_updated", "task_id": "t", "data": {"enabled": True}, "new": 1}, None)
    assert item.event() == muster.Event("plan_updated", "t", "", "", "", {"enabled": True}, 7)
    assert muster.Event("chunk", "t", "o", "", "", "abc", 1).text == "abc"
    assert muster.Event("think", "t", "o", "", "", "abc", 1).text == ""
    assert not hasattr(muster.Event("chunk", "t", "o", "", "", "abc", 1), "__dict__")


def test_a_stream_takes_what_invoke_takes(plane: muster.Plane) -> None:
    """Thread, version and further fields reach the run; a second turn of a thread is a stream of its own."""
    agent_id = plane.agents.create(name="A", model_name="script:first|second")["id"]
    first = list(plane.agents.stream(agent_id, "one", id="t", payload_extension={"a": 1}))
    second = list(plane.agents.stream(agent_id, "two", id="t", version="draft"))
    assert [events[-1].data["result"] for events in (first, second)] == ["first", "second"]
    assert first[0].data["payload_extension"] == {"a": 1} and second[0].task_id == "t"
    assert second[0].sequence > first[-1].sequence
    with pytest.raises(muster.NotFoundError):
        list(plane.agents.stream("none", "hi"))
    with pytest.raises(muster.ValidationError) as caught:
        list(plane.stream("agents.invoke_stream", agent_id=agent_id, body={"input": {}}))
    assert caught.value.detail[0]["loc"] == ["body", "input", "text"]


def test_a_stream_of_a_failing_model_is_whole(plane: muster.Plane) -> None:
    """A run that fails is no exception: the last event has the task."""
    agent_id = plane.agents.create(name="A", model_name="status:400")["id"]
    events = list(plane.agents.stream(agent_id, "hi"))
    assert [event.type for event in events] == ["task_created", "task_updated", "task_finished"]
    assert events[-1].data["status"] == "error"


def test_a_run_begun_with_invoke_async_can_be_followed(plane: muster.Plane) -> None:
    """invoke_async gives the pending task at once, and its events can be read, then and later, from any of them on."""
    agent_id = plane.agents.create(name="A", model_name="slow:50")["id"]
    task = plane.agents.invoke_async(agent_id, "hi")
    assert (task["status"], task["result"]) == ("pending", None)
    events = list(plane.tasks.events(task["id"]))
    assert_is_whole(events)
    assert_is_whole(list(plane.tasks.events(task["id"])))
    for number, event in enumerate(events[:-1]):
        rest = list(plane.tasks.events(task["id"], after=event.id))
        assert "".join(one.text for one in events[: number + 1] + rest) == events[-1].data["result"]
        assert rest[-1] == events[-1]
    assert list(plane.tasks.events(task["id"], after=events[-1].id))[-1].type == "task_finished"
    with pytest.raises(muster.NotFoundError):
        list(plane.tasks.events("none"))


def test_an_answer_that_breaks_off(plane: muster.Plane) -> None:
    """A model whose answer breaks off is asked again: the pieces behind the last task_updated are the result."""
    agent_id = plane.agents.create(name="A")["id"]
    events = list(plane.agents.stream(agent_id, WORDS, llm_model_name=f"break:2:{agent_id}"))
    last = max(number for number, event in enumerate(events) if event.type == "task_updated")
    assert [event.type for event in events].count("task_updated") > 1
    assert "".join(event.text for event in events[last:]) == events[-1].data["result"] == f"echo: {WORDS}"
    events = list(plane.agents.stream(agent_id, WORDS, llm_model_name="break:2"))
    assert events[-1].type == "task_finished" and events[-1].data["status"] == "error"


def test_left_early_the_run_goes_on(plane: muster.Plane) -> None:
    """Closing a stream, or leaving its block, leaves the run alone."""
    agent_id = plane.agents.create(name="A", model_name="slow:60")["id"]
    with plane.agents.stream(agent_id, "hi") as stream:
        task_id = next(stream).task_id
    assert list(stream) == []
    stream.close()
    assert ended(plane, task_id)["result"] == "answered after 60 ms"


@pytest.mark.parametrize("forgotten", [False, True])
def test_left_early_the_run_is_cancelled(plane: muster.Plane, model_server: ModelServer, forgotten: bool) -> None:
    """With on_disconnect="cancel" the run ends with its reader, also when that is merely forgotten."""
    agent_id = plane.agents.create(name="A", model_name="stall:2")["id"]
    before = gone(model_server, "stall:2")
    stream = plane.agents.stream(agent_id, WORDS, on_disconnect="cancel")
    for event in stream:
        if event.type == "chunk":
            break
    if forgotten:
        del stream
        gc.collect()
    else:
        stream.close()
    wait_until_gone(model_server, "stall:2", before)
    task = ended(plane, event.task_id)
    assert (task["status"], task["is_manually_stopped"]) == ("stopped", True)


def test_cancelled_by_its_ticket(plane: muster.Plane, model_server: ModelServer) -> None:
    """A cancelled run closes the model's connection; its last event has the text so far, then the error comes."""
    agent_id = plane.agents.create(name="A", model_name="stall:3")["id"]
    before = gone(model_server, "stall:3")
    events: List[muster.Event] = []
    stream = plane.agents.stream(agent_id, WORDS)
    with pytest.raises(muster.CancelledError) as caught:
        for event in stream:
            events.append(event)
            if "".join(one.text for one in events) == "echo: one two ":
                plane.cancel(stream.ticket)
    assert_is_whole(events, "stopped")
    assert caught.value.task_id == events[0].task_id
    wait_until_gone(model_server, "stall:3", before)
    assert list(stream) == []


def test_time_runs_out(plane: muster.Plane) -> None:
    """A run whose time runs out gives its last event, and then raises TimeoutError."""
    agent_id = plane.agents.create(name="A", model_name="stall:1")["id"]
    events: List[muster.Event] = []
    with pytest.raises(TimeoutError):
        for event in plane.agents.stream(agent_id, WORDS, timeout=0.3):
            events.append(event)
    assert_is_whole(events, "stopped")
    with pytest.raises(ValueError):
        plane.agents.stream(agent_id, WORDS, timeout=-1)


def test_no_limit_of_time(open_plane: Callable[..., muster.Plane]) -> None:
    """math.inf is no limit, whatever that of the plane is."""
    plane = open_plane(limits={"run_timeout_ms": 1})
    agent_id = plane.agents.create(name="A", model_name="slow:50")["id"]
    assert_is_whole(list(plane.agents.stream(agent_id, "hi", timeout=float("inf"))))


def test_a_closed_plane_ends_its_streams(open_plane: Callable[..., muster.Plane]) -> None:
    """Whoever waits for an event when the plane is closed gets ClosedError."""
    plane = open_plane()
    agent_id = plane.agents.create(name="A", model_name="stall")["id"]
    stream = plane.agents.stream(agent_id, WORDS)
    followed = plane.tasks.events(next(stream).task_id)
    seen: List[List[muster.Event]] = [[], []]

    def read(number: int, events: muster.EventStream) -> None:
        try:
            for event in events:
                seen[number].append(event)
        except muster.ClosedError:
            closed.release()

    closed = threading.Semaphore(0)
    for number, events in enumerate((stream, followed)):
        threading.Thread(target=read, args=(number, events), daemon=True).start()
    deadline = time.monotonic() + 20
    while not all(any(event.text for event in events) for events in seen):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    plane.close()
    assert closed.acquire(timeout=20) and closed.acquire(timeout=20)
    assert [events[-1].type for events in seen] == ["chunk", "chunk"]
    # The run is put aside, and is gone on with by who resumes.
    assert open_plane().tasks.get(seen[0][0].task_id)["status"] == "pending"
    with pytest.raises(muster.BadHandleError):
        plane.agents.stream(agent_id, WORDS)


def test_another_thread_closes_a_stream(plane: muster.Plane) -> None:
    """Closing a stream wakes the thread that waits for it, be it the main thread or another."""
    agent_id = plane.agents.create(name="A", model_name="stall")["id"]
    for is_main in (True, False):
        stream = plane.agents.stream(agent_id, WORDS)
        events: List[muster.Event] = []
        read = threading.Thread(target=events.extend, args=(stream,))
        timer = threading.Timer(0.3, stream.close)
        timer.start()
        if is_main:
            events.extend(stream)
        else:
            read.start()
            read.join(20)
        timer.join()
        assert events and events[-1].type != "task_finished"


def test_a_stream_keeps_its_plane(open_plane: Callable[..., Any], model_server: ModelServer) -> None:
    """A plane that nobody else holds is not collected while its events are read."""
    stream = muster.open(":memory:", default_model=model_server.default_model("slow:30")).agents
    agent_id = stream.create(name="A")["id"]
    events = stream.stream(agent_id, "hi")
    del stream
    gc.collect()
    assert_is_whole(list(events))


def test_forgotten_streams_cost_nothing(plane: muster.Plane) -> None:
    """Streams that nobody reads to their end are collected with their queues and descriptors."""
    agent_id = plane.agents.create(name="A")["id"]
    list(plane.agents.stream(agent_id, "hi"))
    before = len(os.listdir("/proc/self/fd"))
    for task in [next(plane.agents.stream(agent_id, "hi")) for _ in range(200)]:
        ended(plane, task.task_id)
    gc.collect()
    # What is left are some connections that can be used again.
    assert len(os.listdir("/proc/self/fd")) < before + 50


def test_a_stream_collected_by_the_log(plane: muster.Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream whose last reference goes while a log line is written is closed all the same, and nothing is printed."""
    failures: List[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", failures.append)
    agent_id = plane.agents.create(name="A", model_name="stall")["id"]
    held = [plane.agents.stream(agent_id, WORDS, on_disconnect="cancel")]
    task_id = next(held[0]).task_id
    muster.open(":memory:", log=lambda *_: held.clear()).close()
    assert held == []
    assert ended(plane, task_id)["status"] == "stopped"
    assert failures == []


def test_only_operations_that_give_events(plane: muster.Plane) -> None:
    """An operation with an answer is refused by name; call gives the events of others as a list, when all have come."""
    with pytest.raises(ValueError, match="agents.list does not give events"):
        plane.stream("agents.list")
    agent_id = plane.agents.create(name="A")["id"]
    whole = plane.call("agents.invoke_stream", agent_id=agent_id, body={"input": {"text": "hi"}})
    followed = list(plane.tasks.events(whole[0]["task_id"]))
    assert whole[-1]["data"] == followed[-1].data
    assert [event["id"] for event in plane.call("tasks.events", task_id=whole[0]["task_id"])] == [
        event.id for event in followed
    ]


def test_a_repetition_gives_the_same_run(plane: muster.Plane) -> None:
    """With an idempotency key a second stream follows the run of the first."""
    agent_id = plane.agents.create(name="A")["id"]
    args: Dict[str, Any] = {
        "agent_id": agent_id,
        "body": {"input": {"text": WORDS}},
        "context": {"idempotency_key": "k"},
    }
    first, second = (list(plane.stream("agents.invoke_stream", args, timeout=20)) for _ in range(2))
    assert_is_whole(second)
    assert first[-1] == second[-1] and plane.tasks.list()["total"] == 1


STREAMING = """
plane = muster.open(STORE, default_model=MODEL)
agent = plane.agents.create(name='A', model_name='stall:4')
for event in plane.agents.stream(agent['id'], 'one two three four five six', id='t'):
    if event.text:
        print('reading', flush=True)
"""


@pytest.mark.parametrize("choice, status", [("", "stopped True"), (", on_disconnect='continue'", "executing False")])
def test_ctrl_c_ends_a_waiting_stream(python: Start, choice: str, status: str) -> None:
    """SIGINT during a wait raises KeyboardInterrupt at once; the run is stopped unless it was told to go on."""
    lines = STREAMING.replace(", id='t'", ", id='t'" + choice).strip().splitlines()
    lines[2:] = ["try:"] + ["    " + line for line in lines[2:]]
    process = python(
        "\n".join(lines) + "\nexcept KeyboardInterrupt:\n"
        "    print(time.time())\n"
        "task = plane.tasks.get('t')\n"
        "print(task['status'], task['is_manually_stopped'])\n"
        "plane.close()\n"
    )
    assert process.stdout is not None and process.stdout.readline() == "reading\n"
    time.sleep(0.5)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    *_, raised, last = finish(process)
    assert float(raised) - sent < 1 and last == status


def test_the_interpreter_ends_with_streams_in_flight(python: Start) -> None:
    """A program that ends while its threads read streams ends cleanly, and so do its tasks."""
    program = STREAMING.split("for event")[0] + (
        "import threading\n"
        "def read(stream):\n"
        "    for event in stream:\n"
        "        if event.text:\n"
        "            reading.release()\n"
        "reading = threading.Semaphore(0)\n"
        "streams = [plane.agents.stream(agent['id'], 'one two three four five six') for _ in range(8)]\n"
        "for stream in streams[:4]:\n"
        "    threading.Thread(target=read, args=(stream,), daemon=True).start()\n"
        "for _ in range(4):\n"
        "    assert reading.acquire(timeout=20)\n"
    )
    for ending in ("", "plane.close()\n", "del stream, streams, plane\n"):
        process = python(program + ending)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0 and "Fatal" not in errors
    finish(python("assert muster.open(STORE).tasks.list(status='executing')['total'] == 0"))


def test_a_forked_child_does_not_read_an_inherited_stream(
    plane: muster.Plane, store: str, model_server: ModelServer
) -> None:
    """In a child an inherited stream raises, one of its own works, and the parent's goes on."""
    agent_id = plane.agents.create(name="A", model_name="slow:100")["id"]
    stream = plane.agents.stream(agent_id, "hi")
    events = [next(stream)]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                next(stream)
                seen = "no error"
            except muster.BadHandleError as failure:
                seen = failure.status_name
            stream.close()
            with muster.open(store, default_model=model_server.default_model()) as own:
                seen += " " + list(own.agents.stream(agent_id, "hi", llm_model_name="fixed"))[-1].data["status"]
            os.write(writing, seen.encode())
        finally:
            os._exit(0)
    os.close(writing)
    events.extend(stream)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "FORKED completed"
    os.waitpid(child, 0)
    assert_is_whole(events)
