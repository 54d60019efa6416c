"""Calls and streams that asyncio waits for."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import threading
import time
from typing import Any, Awaitable, Callable, Dict, List, Optional

import pytest
from conftest import ModelServer
from test_processes import finish
from test_streams import WORDS, assert_is_whole, ended, gone, wait_until_gone

import muster

Start = Callable[[str], "subprocess.Popen[str]"]


async def collect(stream: muster.AsyncEventStream) -> List[muster.Event]:
    return [event async for event in stream]


async def until_chunk(stream: muster.AsyncEventStream) -> muster.Event:
    """Reads up to the first piece of the answer."""
    async for event in stream:
        if event.type == "chunk":
            return event
    raise AssertionError("there was no chunk")


async def cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancels an asyncio task and waits until that has happened."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_calls_are_awaited(plane: muster.Plane) -> None:
    """acall gives the answers and raises the errors of call, and ainvoke those of invoke."""
    agent_id = plane.agents.create(name="A")["id"]

    async def main() -> None:
        assert await plane.acall("agents.get", {"agent_id": agent_id}) == plane.agents.get(agent_id)
        assert await plane.acall("agents.delete", agent_id=plane.agents.create(name="B")["id"]) is None
        task = await plane.agents.ainvoke(agent_id, WORDS, title="T", timeout=20)
        assert (task["status"], task["result"], task["title"]) == ("completed", f"echo: {WORDS}", "T")
        with pytest.raises(muster.NotFoundError) as caught:
            await plane.acall("agents.get", agent_id="none")
        with pytest.raises(muster.NotFoundError) as direct:
            plane.agents.get("none")
        assert vars(caught.value) == vars(direct.value) and caught.value.args == direct.value.args
        with pytest.raises(muster.MisuseError):
            await plane.acall("agents.nothing")
        with pytest.raises(TypeError):
            await plane.acall("agents.get", agent_id=object())
        with pytest.raises(ValueError):
            await plane.acall("agents.list\0")
        key: Dict[str, Any] = {"idempotency_key": "k"}
        made = [await plane.acall("agents.create", body={"name": "C"}, context=key, timeout=9) for _ in range(2)]
        assert made[0] == made[1]

    asyncio.run(main())


def test_a_stream_gives_the_events_of_a_run(plane: muster.Plane) -> None:
    """astream and aevents give what stream and events give."""
    agent_id = plane.agents.create(name="A", model_name="slow:50")["id"]

    async def main() -> None:
        stream = plane.agents.astream(agent_id, "hi", id="t")
        events = await collect(stream)
        assert_is_whole(events)
        assert len([event for event in events if event.text]) > 1
        assert await collect(stream) == []
        assert await collect(plane.tasks.aevents("t")) == list(plane.tasks.events("t"))
        for number, event in enumerate(events[:-1]):
            rest = await collect(plane.tasks.aevents("t", after=event.id))
            assert "".join(one.text for one in events[: number + 1] + rest) == events[-1].data["result"]
        with pytest.raises(muster.NotFoundError):
            await collect(plane.agents.astream("none", "hi"))
        with pytest.raises(ValueError):
            plane.astream("agents.list")
        last = (await collect(plane.astream("tasks.events", {"task_id": "t"})))[-1]
        assert last.type == "task_finished"

    asyncio.run(main())


def test_many_streams_at_once(plane: muster.Plane) -> None:
    """Two hundred streams on one loop are each whole and in order, without a thread for each."""
    agent_id = plane.agents.create(name="A")["id"]
    most = 0

    async def read(number: int) -> None:
        nonlocal most
        events = await collect(plane.agents.astream(agent_id, f"{WORDS} {number}"))
        most = max(most, threading.active_count())
        assert_is_whole(events)
        assert events[-1].data["result"] == f"echo: {WORDS} {number}"

    async def main() -> None:
        await asyncio.gather(*(read(number) for number in range(200)))

    before = threading.active_count()
    asyncio.run(main())
    assert most <= before
    assert plane.tasks.list(status="completed")["total"] == 200


def test_loops_come_and_go(plane: muster.Plane) -> None:
    """Each asyncio.run has a loop of its own, and what it needed is gone after it."""
    agent_id = plane.agents.create(name="A")["id"]

    async def main() -> None:
        assert (await plane.agents.ainvoke(agent_id, "hi"))["status"] == "completed"

    asyncio.run(main())
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        asyncio.run(main())
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 5
    loops = [asyncio.new_event_loop() for _ in range(2)]
    for _ in range(3):
        for loop in loops:
            loop.run_until_complete(main())
    for loop in loops:
        loop.close()


def test_loops_in_several_threads(plane: muster.Plane) -> None:
    """Loops of different threads use one plane at the same time."""
    agent_id = plane.agents.create(name="A")["id"]
    failures: List[BaseException] = []

    async def read(number: int) -> None:
        for turn in range(5):
            events = await collect(plane.agents.astream(agent_id, f"{number} {turn}"))
            assert_is_whole(events)
            assert events[-1].data["result"] == f"echo: {number} {turn}"

    async def main(number: int) -> None:
        await asyncio.gather(*(read(number * 10 + one) for one in range(5)))

    def run(number: int) -> None:
        try:
            for _ in range(2):
                asyncio.run(main(number))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert plane.tasks.list(status="completed")["total"] == 200


def test_the_loop_is_not_held_up(plane: muster.Plane) -> None:
    """Other tasks of the loop run while a call waits for a model."""
    agent_id = plane.agents.create(name="A", model_name="hang")["id"]

    async def main() -> None:
        call = asyncio.ensure_future(plane.agents.ainvoke(agent_id, "hi", timeout=0.5))
        turns = 0
        while not call.done():
            turns += 1
            await asyncio.sleep(0.01)
        assert turns > 10
        with pytest.raises(TimeoutError):
            await call

    asyncio.run(main())


@pytest.mark.parametrize("way", ["ainvoke", "astream", "timeout"])
def test_cancelling_the_task_cancels_the_run(plane: muster.Plane, model_server: ModelServer, way: str) -> None:
    """The model's connection is closed, and the task ends stopped."""
    agent_id = plane.agents.create(name="A", model_name="stall:2")["id"]
    before = gone(model_server, "stall:2")
    events: List[muster.Event] = []

    async def read() -> None:
        async for event in plane.agents.astream(agent_id, WORDS, id="t"):
            events.append(event)

    async def wait_for_chunk() -> None:
        async for event in plane.tasks.aevents("t"):
            if event.type == "chunk":
                return

    async def main() -> None:
        work: Awaitable[Any] = (
            read() if way != "ainvoke" else plane.agents.ainvoke(agent_id, WORDS, id="t", llm_model_name="hang:stall")
        )
        task = asyncio.ensure_future(work)
        if way == "timeout":
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(task, 0.7)
            return
        while not plane.tasks.list()["total"]:
            await asyncio.sleep(0.01)
        if way == "astream":
            await wait_for_chunk()
        else:
            while "hang:stall" not in model_server.observed()["models"]:
                await asyncio.sleep(0.01)
        await cancelled(task)

    was_hanging = gone(model_server, "hang:stall")
    asyncio.run(main())
    if way == "ainvoke":
        wait_until_gone(model_server, "hang:stall", was_hanging)
    else:
        wait_until_gone(model_server, "stall:2", before)
    assert (ended(plane, "t")["status"], ended(plane, "t")["is_manually_stopped"]) == ("stopped", True)


def test_cancelled_while_it_waits_the_run_may_go_on(plane: muster.Plane) -> None:
    """With on_disconnect="continue", giving up on an event ends neither the run nor the stream."""
    agent_id = plane.agents.create(name="A", model_name="slow:150")["id"]

    async def main() -> None:
        stream = plane.agents.astream(agent_id, "hi", on_disconnect="continue")
        events: List[muster.Event] = []
        missed = 0
        while not events or events[-1].type != "task_finished":
            try:
                events.append(await asyncio.wait_for(stream.__anext__(), 0.02))
            except asyncio.TimeoutError:
                missed += 1
        assert missed > 0
        assert_is_whole(events)

    asyncio.run(main())


def test_following_is_cancelled_without_the_run(plane: muster.Plane) -> None:
    """Cancelling a task that follows a run, or leaving it, leaves the run alone."""
    agent_id = plane.agents.create(name="A", model_name="slow:80")["id"]

    async def main() -> None:
        task = asyncio.ensure_future(collect(plane.agents.astream(agent_id, "hi", id="t")))
        while not plane.tasks.list()["total"]:
            await asyncio.sleep(0.01)
        following = asyncio.ensure_future(collect(plane.tasks.aevents("t")))
        await asyncio.sleep(0.05)
        await cancelled(following)
        await until_chunk(plane.tasks.aevents("t"))
        assert_is_whole(await task)

    asyncio.run(main())


@pytest.mark.parametrize("way", ["aclose", "block", "forgotten"])
@pytest.mark.parametrize("choice", [None, "cancel"])
def test_left_early(plane: muster.Plane, model_server: ModelServer, way: str, choice: Any) -> None:
    """A run whose stream is left goes on, or ends with it if on_disconnect says so."""
    model = "stall:3" if choice else "slow:60"
    agent_id = plane.agents.create(name="A", model_name=model)["id"]
    before = gone(model_server, model)

    async def main() -> str:
        stream: Optional[muster.AsyncEventStream] = plane.agents.astream(agent_id, WORDS, on_disconnect=choice)
        assert stream is not None
        if way == "block":
            async with stream:
                event = await until_chunk(stream)
        else:
            event = await until_chunk(stream)
            if way == "aclose":
                await stream.aclose()
                await stream.aclose()
        if way != "forgotten":
            assert await collect(stream) == []
        stream = None
        gc.collect()
        # Others are not disturbed by what still comes.
        assert_is_whole(await collect(plane.agents.astream(agent_id, "hi", llm_model_name="slow:40")))
        return event.task_id

    task = ended(plane, asyncio.run(main()))
    assert task["status"] == ("stopped" if choice else "completed")
    if choice:
        wait_until_gone(model_server, model, before)


def test_closing_wakes_who_waits(plane: muster.Plane) -> None:
    """aclose ends the loop of another asyncio task, and two tasks cannot read one stream."""
    agent_id = plane.agents.create(name="A", model_name="stall")["id"]

    async def main() -> None:
        stream = plane.agents.astream(agent_id, WORDS, on_disconnect="cancel")
        reading = asyncio.ensure_future(collect(stream))
        followed = plane.tasks.aevents((await until_chunk(plane.agents.astream(agent_id, WORDS))).task_id)
        await until_chunk(followed)
        with pytest.raises(RuntimeError):
            await asyncio.gather(followed.__anext__(), followed.__anext__())
        await stream.aclose()
        assert (await asyncio.wait_for(reading, 20))[-1].type != "task_finished"

    asyncio.run(main())


def test_cancelled_by_its_ticket(plane: muster.Plane) -> None:
    """Plane.cancel ends a stream with its last event and the error, and an awaited call with the error."""
    agent_id = plane.agents.create(name="A", model_name="stall")["id"]

    async def main() -> None:
        stream = plane.agents.astream(agent_id, WORDS)
        events = [await until_chunk(stream)]
        plane.cancel(stream.ticket)
        with pytest.raises(muster.CancelledError) as caught:
            async for event in stream:
                events.append(event)
        assert events[-1].data["status"] == "stopped" and caught.value.task_id == events[-1].task_id
        assert await collect(stream) == []
        ticket = plane.ticket()
        call = asyncio.ensure_future(plane.agents.ainvoke(agent_id, WORDS, ticket=ticket, llm_model_name="hang"))
        await asyncio.sleep(0.1)
        plane.cancel(ticket)
        with pytest.raises(muster.CancelledError):
            await call

    asyncio.run(main())


@pytest.mark.parametrize("from_thread", [False, True])
def test_a_closed_plane_ends_every_waiter(open_plane: Callable[..., muster.Plane], from_thread: bool) -> None:
    """Calls and streams of several loops raise ClosedError when the plane is closed, and the loops let go of it."""
    plane = open_plane()
    agent_id = plane.agents.create(name="A", model_name="hang")["id"]
    before = len(os.listdir("/proc/self/fd"))
    waiting = threading.Semaphore(0)
    failures: List[BaseException] = []

    async def main(closes: bool) -> None:
        works: List[Awaitable[Any]] = [plane.agents.ainvoke(agent_id, "hi") for _ in range(3)]
        works += [collect(plane.agents.astream(agent_id, "hi")) for _ in range(3)]
        tasks = [asyncio.ensure_future(work) for work in works]
        while plane.tasks.list(status="executing")["total"] < 6:
            await asyncio.sleep(0.01)
        waiting.release()
        if closes:
            plane.close()
        for outcome in await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20):
            assert isinstance(outcome, muster.ClosedError), outcome
        with pytest.raises(muster.BadHandleError):
            await plane.acall("agents.list")
        with pytest.raises(muster.BadHandleError):
            plane.agents.astream(agent_id, "hi")
        await asyncio.sleep(0)

    def run() -> None:
        try:
            asyncio.run(main(False))
        except BaseException as failure:
            failures.append(failure)

    if from_thread:
        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert waiting.acquire(timeout=20)
        plane.close()
        for thread in threads:
            thread.join(30)
    else:
        asyncio.run(main(True))
    gc.collect()
    assert failures == [] and len(os.listdir("/proc/self/fd")) <= before


def test_a_loop_lets_go_of_a_closed_plane(model_server: ModelServer) -> None:
    """One loop and many planes, closed or forgotten: nothing of them stays with the loop."""

    async def main() -> None:
        before: Optional[int] = None
        for number in range(30):
            plane: Optional[muster.Plane] = muster.open(":memory:", default_model=model_server.default_model())
            assert plane is not None
            await plane.acall("agents.list")
            if number % 2:
                plane.close()
            plane = None
            gc.collect()
            await asyncio.sleep(0)
            before = before or len(os.listdir("/proc/self/fd"))
        assert before is not None and len(os.listdir("/proc/self/fd")) <= before

    asyncio.run(main())


def test_a_stream_keeps_its_plane(model_server: ModelServer) -> None:
    """A plane that nobody else holds is not collected while it is waited for."""

    async def main() -> None:
        agents = muster.open(":memory:", default_model=model_server.default_model("slow:30")).agents
        agent_id = agents.create(name="A")["id"]
        call = asyncio.ensure_future(agents.ainvoke(agent_id, "hi"))
        stream = agents.astream(agent_id, "hi")
        await asyncio.sleep(0)
        del agents
        gc.collect()
        assert_is_whole(await collect(stream))
        assert (await call)["status"] == "completed"

    asyncio.run(main())


def test_a_loop_that_cannot_watch_descriptors() -> None:
    """A loop without add_reader is refused with an error that says so."""

    class Loop(asyncio.SelectorEventLoop):
        def add_reader(self, *_: Any) -> None:
            raise NotImplementedError

    class SelfPipe(Loop):
        def _add_reader(self, *arguments: Any) -> Any:
            return super()._add_reader(*arguments)  # type: ignore[misc]

    loop = SelfPipe()
    try:
        with muster.open(":memory:") as plane:
            with pytest.raises(muster.UnsupportedError, match="SelfPipe has no add_reader"):
                loop.run_until_complete(plane.acall("agents.list"))
            with pytest.raises(RuntimeError):
                plane.astream("tasks.events", task_id="t")
    finally:
        loop.close()


STREAMING = """
import asyncio
plane = muster.open(STORE, default_model=MODEL)
agent = plane.agents.create(name='A', model_name='stall:4')
async def read(number):
    async for event in plane.agents.astream(agent['id'], 'one two three four five six', id=f't{number}'):
        if event.text:
            print('reading', flush=True)
async def main():
    await asyncio.gather(*(read(number) for number in range(8)))
"""


def test_ctrl_c_ends_a_loop(python: Start) -> None:
    """SIGINT ends asyncio.run at once, and stops the runs that it waited for."""
    process = python(
        STREAMING + "try:\n    asyncio.run(main())\nexcept KeyboardInterrupt:\n    print(time.time())\n"
        "while plane.tasks.list(status='stopped')['total'] < 8:\n    time.sleep(0.01)\n"
        "plane.close()\n"
    )
    assert process.stdout is not None
    for _ in range(8):
        assert process.stdout.readline() == "reading\n"
    sent = time.time()
    process.send_signal(signal.SIGINT)
    lines = finish(process)
    assert float(lines[-1]) - sent < 2


@pytest.mark.parametrize("ending", ["", "plane.close()", "del plane", "os.fork() or os._exit(0); os.wait()"])
def test_the_interpreter_ends_with_streams_in_flight(python: Start, ending: str) -> None:
    """A program that ends while loops read streams ends cleanly, whether the loops ended or not."""
    process = python(
        STREAMING + "import threading\n"
        "threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()\n"
        "loop = asyncio.new_event_loop()\n"
        "tasks = [loop.create_task(read(number)) for number in range(10, 14)]\n"
        "loop.run_until_complete(asyncio.sleep(0.5))\n" + ending + "\n"
    )
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Fatal" not in errors and "MusterError" not in errors


def test_a_forked_child_does_not_use_an_inherited_loop(plane: muster.Plane, model_server: ModelServer) -> None:
    """In a child the inherited plane raises in a loop, a plane and a loop of its own work, and the parent's go on."""
    agent_id = plane.agents.create(name="A", model_name="slow:100")["id"]

    async def inherited() -> str:
        try:
            await plane.acall("agents.list")
        except muster.BadHandleError as failure:
            return failure.status_name
        return "no error"

    async def own() -> str:
        with muster.open(":memory:", default_model=model_server.default_model()) as other:
            task = await other.agents.ainvoke(other.agents.create(name="B")["id"], "hi")
            return str(task["status"])

    async def main() -> None:
        stream = plane.agents.astream(agent_id, "hi")
        events = [await stream.__anext__()]
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                asyncio.events._set_running_loop(None)
                seen = asyncio.new_event_loop().run_until_complete(inherited())
                os.write(writing, f"{seen} {asyncio.new_event_loop().run_until_complete(own())}".encode())
            finally:
                os._exit(0)
        os.close(writing)
        events += await collect(stream)
        with os.fdopen(reading) as pipe:
            assert pipe.read() == "FORKED completed"
        os.waitpid(child, 0)
        assert_is_whole(events)

    asyncio.run(main())
