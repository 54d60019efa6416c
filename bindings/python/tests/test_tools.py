"""Functions of the program that agents call."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import gc
import json
import logging
import os
import subprocess
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
from conftest import ModelServer

import muster

Opener = Callable[..., muster.Plane]
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def tooled(open_plane: Opener) -> muster.Plane:
    """A plane whose agents may call every tool."""
    return open_plane(tools="all")


def run(plane: muster.Plane, model: str, **more: Any) -> Any:
    """The task of an agent on a model of the mock's."""
    agent = plane.agents.create(name="A", model_name=model)
    return plane.agents.invoke(agent["id"], "hi", timeout=30, **more)


def result(plane: muster.Plane, model: str) -> str:
    """What an agent says that is told what a tool returned."""
    task = run(plane, model)
    assert task["status"] == "completed", task
    text: str = task["result"]
    assert text.startswith("The tool said: "), text
    return text[len("The tool said: ") :]


def until(holds: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.005)


def finish(process: "subprocess.Popen[str]", seconds: float = 30) -> List[str]:
    """The lines that a program printed, which must end well."""
    out, errors = process.communicate(timeout=seconds)
    assert (process.returncode, errors) == (0, ""), errors
    return out.splitlines()


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    color: Color


# ---- What the model is told ----


def test_the_model_is_told_of_a_tool(tooled: muster.Plane, model_server: ModelServer) -> None:
    """The request has name, description and schema, as docstring and annotations give them."""

    @tooled.tool
    def weather(city: str, days: int = 3) -> Dict[str, Any]:
        """The weather in a city.

        Args:
            city: Its name.
        """
        return {"city": city, "days": days}

    request = json.loads(run(tooled, "request")["result"])
    assert request["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "The weather in a city.",
                "parameters": tooled.tools.schema("weather"),
            },
        }
    ]
    assert weather("Rome") == {"city": "Rome", "days": 3}


def test_a_tool_is_called(tooled: muster.Plane) -> None:
    """The function gets the arguments of the model, and the model what the function returns."""

    @tooled.tool
    def weather(city: str, days: int = 3) -> Dict[str, Any]:
        return {"city": city, "days": days}

    assert json.loads(result(tooled, 'call:weather:{"city":"Rome","days":2}')) == {"city": "Rome", "days": 2}
    assert json.loads(result(tooled, 'call:weather:{"city":"Bonn"}')) == {"city": "Bonn", "days": 3}


def test_arguments_and_results_are_converted(tooled: muster.Plane) -> None:
    """Dataclasses and enums come and go as such."""

    @tooled.tool
    def move(point: Point) -> Point:
        assert point == Point(1, Color.RED)
        return Point(point.x + 1, point.color)

    assert json.loads(result(tooled, 'call:move:{"point":{"x":1,"color":"red"}}')) == {"x": 2, "color": "red"}


def test_wrong_arguments_do_not_reach_the_function(tooled: muster.Plane) -> None:
    """The model is told what is wrong with its arguments."""
    calls = []

    @tooled.tool
    def square(number: int) -> None:
        calls.append(number)

    for arguments in ('{"number":"x"}', "{}", '{"number":1,"more":2}'):
        assert "number" in result(tooled, f"call:square:{arguments}") or "more" in arguments
    assert calls == []


def test_options(tooled: muster.Plane, caplog: pytest.LogCaptureFixture) -> None:
    """A tool may have another name, description, schema, time-out and limit than the function says."""

    @tooled.tool(
        name="say",
        description="Says.",
        parameters={"type": "object", "properties": {"a": {"type": "array"}}},
        read_only=True,
        idempotent=True,
        result_limit=256,
    )
    def long(a: complex) -> str:
        return "x" * 1000

    @tooled.tool(timeout=0.1)
    def late(call: muster.ToolCall) -> None:
        until(lambda: call.cancelled)

    assert tooled.tools.names() == ["say", "late"]
    assert "were cut off" in result(tooled, 'call:say:{"a":[1]}')
    began = time.monotonic()
    assert "time" in result(tooled, "call:late")
    assert time.monotonic() - began < 10


def test_the_call(tooled: muster.Plane) -> None:
    """A parameter for the call tells which call it is, and for which task."""
    calls: List[muster.ToolCall] = []

    @tooled.tool
    def look(call: muster.ToolCall) -> bool:
        calls.append(call)
        return call.cancelled

    task = run(tooled, "call:look")
    assert task["result"] == "The tool said: false"
    (call,) = calls
    assert (call.task_id, call.agent_id) == (task["id"], task["agent_id"])
    assert call.organization_id == task["organization_id"]
    assert call.name == "look" and call.id and call.idempotency_key == call.id and call.repeat is False
    assert call.cancelled


# ---- Which agents ----


def test_agents_list_their_tools(plane: muster.Plane) -> None:
    """Without tools="all" an agent has the tools that it lists, by name or in its graph."""
    for name in ("one", "two"):
        plane.tool(name=name)(lambda: "here")
    graph = [{"item_id": "two", "type": "tool", "sub_type": "local_tool", "targets": []}]
    bodies: List[Dict[str, Any]] = [{}, {"tools": ["one"]}, {"graph": graph}]
    offered = []
    for body in bodies:
        agent = plane.call("agents.create", body={"name": "A", "model_name": "request", **body})
        request = json.loads(plane.agents.invoke(agent["id"], "hi")["result"])
        offered.append([tool["function"]["name"] for tool in request.get("tools", [])])
    assert offered == [[], ["one"], ["two"]]


def test_a_missing_tool(plane: muster.Plane) -> None:
    """An agent that lists a tool that is not there is refused, and the error names it."""
    agent = plane.agents.create(name="A", tools=["absent"])
    with pytest.raises(muster.APIError, match="absent"):
        plane.agents.invoke(agent["id"], "hi")


# ---- The list ----


def test_tools_are_listed_and_taken_away(tooled: muster.Plane) -> None:
    """A tool is there until it is unregistered, and its name is free again after that."""

    @tooled.tool
    def one() -> str:
        return "first"

    with pytest.raises(muster.MisuseError, match="one"):
        tooled.tool(one)
    assert tooled.tools.names() == list(tooled.tools) == ["one"] and "one" in tooled.tools and len(tooled.tools) == 1
    tooled.tools.unregister("one")
    assert tooled.tools.names() == []
    with pytest.raises(muster.MisuseError, match="one"):
        tooled.tools.unregister("one")
    tooled.tool(name="one")(lambda: "second")
    assert result(tooled, "call:one") == "second"


def test_a_call_while_the_tool_is_added(tooled: muster.Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that is called before the decorator has returned answers."""
    register = muster._tools._native.register_tool  # type: ignore[attr-defined]
    with ThreadPoolExecutor(1) as pool:
        running = []

        def slowly(*arguments: Any) -> None:
            register(*arguments)
            running.append(pool.submit(result, tooled, "call:early"))
            time.sleep(0.3)

        monkeypatch.setattr(muster._tools._native, "register_tool", slowly)  # type: ignore[attr-defined]
        tooled.tool(name="early", timeout=5)(lambda: "here")
        assert running[0].result(20) == "here"


def test_unregistering_ends_calls(tooled: muster.Plane) -> None:
    """The model is told that the tool is gone while a call of it is under way, and the function sees it."""
    begun, seen = threading.Event(), threading.Event()

    @tooled.tool
    def wait(call: muster.ToolCall) -> None:
        begun.set()
        until(lambda: call.cancelled)
        seen.set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(result, tooled, "call:wait")
        assert begun.wait(10)
        tooled.tools.unregister("wait")
        assert "unregistered" in running.result(10)
    assert seen.wait(10)


@pytest.mark.parametrize(
    "options",
    [{"name": "a b"}, {"name": ""}, {"timeout": 4000}, {"result_limit": 1}, {"parameters": {"type": "array"}}],
)
def test_wrong_options(plane: muster.Plane, options: Dict[str, Any]) -> None:
    """What the library does not take is a MisuseError, and the tool is not there."""
    with pytest.raises(muster.MisuseError):
        plane.tool(**options)(lambda: None)
    assert plane.tools.names() == []


def test_a_plane_elsewhere_has_no_tools() -> None:
    """A tool of a service elsewhere is refused when it is made."""
    with muster.open("http://127.0.0.1:9", api_key="k") as plane:
        with pytest.raises(muster.UnsupportedError):
            plane.tool(name="one")(lambda: None)


def test_a_closed_plane_takes_no_tools(plane: muster.Plane) -> None:
    """A tool of a closed plane is a BadHandleError, whether or not it had tools."""
    plane.close()
    with pytest.raises(muster.BadHandleError):
        plane.tool(name="one")(lambda: None)
    other = muster.open(":memory:")
    other.tool(name="one")(lambda: None)
    other.close()
    with pytest.raises(muster.BadHandleError):
        other.tool(name="two")(lambda: None)
    with pytest.raises(muster.BadHandleError):
        other.tools.unregister("one")


# ---- Failures ----


def test_exceptions_are_told(tooled: muster.Plane, caplog: pytest.LogCaptureFixture) -> None:
    """The model is told the type and the message of an exception, and the log the traceback."""

    @tooled.tool
    def plain() -> None:
        raise ValueError("no such city")

    @tooled.tool
    async def coroutine() -> None:
        raise KeyError("x")

    @tooled.tool
    def silent() -> None:
        raise SystemExit

    with caplog.at_level(logging.ERROR, "muster"):
        assert result(tooled, "call:plain") == "ValueError: no such city"
        assert result(tooled, "call:coroutine") == "KeyError: 'x'"
        assert result(tooled, "call:silent") == "SystemExit"
    assert [record.name for record in caplog.records] == ["muster"] * 3
    assert "plain" in caplog.messages[0] and "ValueError: no such city" in caplog.text and "Traceback" in caplog.text
    assert result(tooled, "call:plain") == "ValueError: no such city", "the threads go on"


def of_bytes() -> Any:
    return b"x"


def of_coroutine() -> Any:
    async def inner() -> None: ...

    return inner()


def of_cycle() -> Any:
    value: List[Any] = []
    value.append(value)
    return value


def of_depth() -> Any:
    value: List[Any] = []
    for _ in range(200):
        value = [value]
    return value


@pytest.mark.parametrize(
    "function, word",
    [
        (of_bytes, "TypeError: JSON has no bytes"),
        (of_coroutine, "async def"),
        (of_cycle, "ValueError"),
        (of_depth, "nested deeper"),
        (lambda: 2**70, "JSONError"),
        (lambda: "\0", "JSONError"),
        (lambda: "\ud800", "Unicode"),
        (lambda: float("inf"), "ValueError"),
    ],
)
def test_results_that_cannot_be_sent(tooled: muster.Plane, function: Callable[[], Any], word: str) -> None:
    """The model is told that an answer is not JSON, and why; nobody waits for the time to run out."""
    tooled.tool(name="odd")(function)
    assert word in result(tooled, "call:odd")


def test_messages_that_cannot_be_sent(tooled: muster.Plane) -> None:
    """What JSON does not have in the message of an exception is replaced."""

    @tooled.tool
    def odd() -> None:
        raise ValueError("a\0b\ud800c")

    assert result(tooled, "call:odd") == "ValueError: a\ufffdb?c"


# ---- Threads and loops ----


def test_calls_of_an_answer_run_at_once(tooled: muster.Plane) -> None:
    """Functions that one answer asks for run at the same time, on threads of the plane."""
    together = threading.Barrier(8)

    @tooled.tool
    def meet(number: int) -> int:
        together.wait(10)
        assert threading.current_thread().name.startswith("muster tool")
        return number

    assert result(tooled, 'call:meet*8:{"number":#}') == " | ".join(map(str, range(1, 9)))


def test_calls_of_several_runs_run_at_once(tooled: muster.Plane) -> None:
    """Functions of several runs run at the same time, whatever the order in which they end."""
    together = threading.Barrier(20)

    @tooled.tool
    def meet() -> str:
        together.wait(20)
        return "met"

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(lambda _: result(tooled, "call:meet"), range(20))) == ["met"] * 20


def test_coroutines_share_a_loop(tooled: muster.Plane) -> None:
    """Coroutine functions run at once on one loop of the plane, and on one thread."""
    seen = set()
    count = 0

    @tooled.tool
    async def meet(number: int) -> int:
        nonlocal count
        seen.add((threading.current_thread().name, id(asyncio.get_running_loop())))
        count += 1
        while count < 8:
            await asyncio.sleep(0.01)
        return number

    assert result(tooled, 'call:meet*8:{"number":#}') == " | ".join(map(str, range(1, 9)))
    assert [name for name, _ in seen] == ["muster tool loop"]


def test_a_loop_of_ones_own(tooled: muster.Plane) -> None:
    """With `loop`, a coroutine function runs there; once that is closed, the model is told."""

    async def main() -> Any:
        here = asyncio.get_running_loop()

        @tooled.tool(loop=here)
        async def where() -> bool:
            await asyncio.sleep(0)
            return asyncio.get_running_loop() is here

        agent = tooled.agents.create(name="A", model_name="call:where")
        return await tooled.agents.ainvoke(agent["id"], "hi")

    assert asyncio.run(main())["result"] == "The tool said: true"
    assert "RuntimeError" in result(tooled, "call:where")


def test_more_calls_than_threads(tooled: muster.Plane) -> None:
    """Calls beyond the threads that there are wait for one, and none is lost."""
    lock = threading.Lock()
    most = now = 0

    @tooled.tool
    def count(number: int) -> int:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return number

    async def main() -> List[Any]:
        agent = tooled.agents.create(name="A", model_name='call:count*8:{"number":#}')
        return await asyncio.gather(*(tooled.agents.ainvoke(agent["id"], "hi") for _ in range(40)))

    tasks = asyncio.run(main())
    assert {task["result"] for task in tasks} == {"The tool said: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8"}
    assert 8 < most <= 64


def test_tools_call_the_plane(tooled: muster.Plane) -> None:
    """A tool may run another agent, in a thread or on a loop."""
    other = tooled.agents.create(name="B", model_name="reply:from B")["id"]

    @tooled.tool
    def ask() -> Any:
        return tooled.agents.invoke(other, "hi")["result"]

    @tooled.tool
    async def aask() -> Any:
        return (await tooled.agents.ainvoke(other, "hi"))["result"]

    assert result(tooled, "call:ask") == result(tooled, "call:aask") == "from B"


# ---- Events ----


def test_events_of_a_stream(tooled: muster.Plane) -> None:
    """A stream tells each call and what came of it, with the id that the function sees."""
    ids = []

    @tooled.tool
    def add(a: int, call: muster.ToolCall) -> int:
        ids.append(call.id)
        if a < 0:
            raise ValueError("negative")
        return a + 1

    agent = tooled.agents.create(name="A")["id"]
    found = []
    for model in ('call:add:{"a":1}', 'call:add:{"a":-1}'):
        for event in tooled.agents.stream(agent, "hi", llm_model_name=model):
            if event.tool is not None:
                found.append((event.type, event.tool))
                assert event.text == ""
    assert found == [
        ("tool_call_request", muster.ToolUse(ids[0], "add", {"a": 1}, False, None, False)),
        ("tool_call_result", muster.ToolUse(ids[0], "add", {"a": 1}, True, 2, False)),
        ("tool_call_request", muster.ToolUse(ids[1], "add", {"a": -1}, False, None, False)),
        ("tool_call_result", muster.ToolUse(ids[1], "add", {"a": -1}, True, "ValueError: negative", True)),
    ]


# ---- Cancelling ----


@pytest.fixture
def patient(tooled: muster.Plane) -> Iterator[Dict[str, Any]]:
    """Two tools that go on until nobody waits for them, and what became of them."""
    seen: Dict[str, Any] = {"plane": tooled, "begun": threading.Semaphore(0), "ended": []}

    @tooled.tool
    def plain(call: muster.ToolCall) -> None:
        seen["begun"].release()
        until(lambda: call.cancelled, 20)
        seen["ended"].append("plain")

    @tooled.tool
    async def coroutine() -> None:
        seen["begun"].release()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            seen["ended"].append("coroutine")
            raise

    yield seen


@pytest.mark.parametrize("name", ["plain", "coroutine"])
def test_cancelling_a_run_cancels_its_tools(patient: Dict[str, Any], name: str) -> None:
    """A function sees that its run was cancelled; a coroutine function is cancelled."""
    plane = patient["plane"]
    ticket = plane.ticket()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, plane, f"call:{name}", ticket=ticket)
        assert patient["begun"].acquire(timeout=10)
        plane.cancel(ticket)
        with pytest.raises(muster.CancelledError):
            running.result(10)
    until(lambda: patient["ended"] == [name])


@pytest.mark.parametrize("name", ["plain", "coroutine"])
def test_stopping_a_task_cancels_its_tools(patient: Dict[str, Any], name: str) -> None:
    """tasks.stop reaches the tools of a task that nobody waits for."""
    plane = patient["plane"]
    agent = plane.agents.create(name="A", model_name=f"call:{name}")
    task = plane.agents.invoke_async(agent["id"], "hi")
    assert patient["begun"].acquire(timeout=10)
    plane.tasks.stop(task["id"])
    until(lambda: patient["ended"] == [name])


@pytest.mark.parametrize("name", ["plain", "coroutine"])
def test_closing_tells_tools_and_waits(patient: Dict[str, Any], name: str) -> None:
    """When close returns, the tools that ran have been told and have returned, and no thread is left."""
    plane = patient["plane"]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, plane, f"call:{name}")
        assert patient["begun"].acquire(timeout=10)
        plane.close()
        assert patient["ended"] == [name]
        assert tool_threads() == []
        with pytest.raises(muster.ClosedError):
            running.result(10)


def test_a_tool_does_not_close_its_plane(tooled: muster.Plane) -> None:
    """Closing from inside of a tool is refused, because that would wait for itself."""

    @tooled.tool
    def plain() -> None:
        tooled.close()

    @tooled.tool
    async def coroutine() -> None:
        tooled.close()

    for name in ("plain", "coroutine"):
        assert "may not close its plane" in result(tooled, f"call:{name}")


def test_a_coroutine_that_is_cancelled_by_others_fails(tooled: muster.Plane) -> None:
    """A coroutine function that ends cancelled although its run goes on is an error, not a call without an answer."""

    @tooled.tool
    async def odd() -> None:
        raise asyncio.CancelledError

    assert result(tooled, "call:odd") == "CancelledError"


def tool_threads() -> List[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("muster tool")]


# ---- Life ----


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_nothing_is_left(open_plane: Opener, model_server: ModelServer) -> None:
    """After 200 calls of each kind on ten planes there are as many threads and descriptors as before."""

    def use() -> None:
        with muster.open(":memory:", tools="all", default_model=model_server.default_model()) as plane:
            plane.tool(name="plain")(lambda number: number)

            async def coroutine(number: int) -> int:
                return number

            plane.tool(coroutine)
            for name in ("plain", "coroutine"):
                for _ in range(5):
                    assert len(result(plane, f'call:{name}*4:{{"number":#}}').split("|")) == 4

    use()
    gc.collect()
    before = threading.active_count(), descriptors()
    for _ in range(10):
        use()
    gc.collect()
    assert (threading.active_count(), descriptors()) == before


def test_a_forgotten_plane_is_closed(model_server: ModelServer) -> None:
    """Tools do not keep a plane that nobody has any more: it is collected, its tools are told, its threads end."""
    ended = threading.Event()
    begun = threading.Event()
    plane: Optional[muster.Plane] = muster.open(
        ":memory:", tools="all", default_model=model_server.default_model("call:wait")
    )
    assert plane is not None

    @plane.tool
    def wait(call: muster.ToolCall) -> None:
        begun.set()
        until(lambda: call.cancelled)
        ended.set()

    @plane.tool
    async def unused() -> None: ...

    plane.agents.invoke_async(plane.agents.create(name="A")["id"], "hi")
    assert begun.wait(10)
    watched = weakref.ref(plane)
    plane = None
    gc.collect()
    assert watched() is None and ended.wait(10)
    until(lambda: tool_threads() == [])


TOOLS = """
import asyncio, signal, threading, warnings
warnings.simplefilter("ignore")  # Of forks.
plane = muster.open(STORE, default_model=MODEL, tools="all")
begun = threading.Event()

@plane.tool
def kind(call: muster.ToolCall):
    begun.set()
    while not call.cancelled:
        time.sleep(0.01)
    print("told", flush=True)

@plane.tool
def deaf():
    begun.set()
    time.sleep(60)

@plane.tool
async def coroutine():
    begun.set()
    try:
        await asyncio.sleep(60)
    finally:
        print("told", flush=True)

@plane.tool
async def blocking():
    begun.set()
    time.sleep(60)

def agent(name):
    return plane.agents.create(name="A", model_name="call:" + name)["id"]
"""


@pytest.mark.parametrize("how", ["invoke_async", "thread"])
@pytest.mark.parametrize("name, told", [("kind", True), ("coroutine", True), ("deaf", False), ("blocking", False)])
def test_the_interpreter_ends_while_a_tool_runs(python: Start, how: str, name: str, told: bool) -> None:
    """A program that ends while a tool runs tells it, does not wait long for one that does not hear, and ends well."""
    if how == "thread":
        start = (
            "def invoke():\n"
            "    try:\n"
            f"        plane.agents.invoke(agent('{name}'), 'hi')\n"
            "    except muster.ClosedError:\n"
            "        pass\n"
            "threading.Thread(target=invoke, daemon=True).start()\n"
        )
    else:
        start = f"plane.agents.invoke_async(agent('{name}'), 'hi')\n"
    began = time.monotonic()
    assert finish(python(TOOLS + start + "assert begun.wait(10)\n")) == ["told"] * told
    assert time.monotonic() - began < 20


def test_threads_of_the_program_end_before_the_tools(python: Start) -> None:
    """Threads that go on behind the end of the main program can still use tools."""
    program = """
def late():
    threading.main_thread().join()
    time.sleep(0.1)
    begun.clear()
    plane.tool(name="quick")(lambda: "quick")
    plane.agents.invoke(agent("quick"), "hi")
    print(plane.tasks.list()["items"][0]["result"])

threading.Thread(target=late).start()
"""
    assert finish(python(TOOLS + program)) == ["The tool said: quick"]


@pytest.mark.parametrize("name", ["kind", "coroutine"])
def test_ctrl_c_reaches_a_tool(python: Start, name: str) -> None:
    """Ctrl-C in a blocking invoke whose tool runs cancels the run, tells the tool, and raises at once."""
    program = f"""
threading.Thread(target=lambda: (begun.wait(10), os.kill(os.getpid(), signal.SIGINT)), daemon=True).start()
began = time.monotonic()
try:
    plane.agents.invoke(agent("{name}"), "hi", id="t")
except KeyboardInterrupt:
    print(time.monotonic() - began < 5)
while not plane.tasks.get("t")["status"] == "stopped":
    time.sleep(0.01)
time.sleep(0.2)
print("closing", flush=True)
plane.close()
"""
    assert sorted(finish(python(TOOLS + program))[:2]) == ["True", "told"]


def test_a_child_does_not_use_tools_of_its_parent(tooled: muster.Plane, store: str) -> None:
    """In a forked child the inherited plane takes no tools, one of its own does, and the parent's go on."""
    tooled.tool(name="one")(lambda: "parent")
    assert result(tooled, "call:one") == "parent"
    model = tooled.agents.get(tooled.agents.list()["items"][0]["id"])
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                tooled.tool(name="two")(lambda: "child")
                seen = "no error"
            except muster.BadHandleError as failure:
                seen = failure.status_name
            tooled.close()
            with muster.open(store, tools="all") as own:
                own.tool(name="one")(lambda: "child")
                seen += " " + own.tools.names()[0]
            os.write(writing, seen.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "FORKED one"
    os.waitpid(child, 0)
    assert model and result(tooled, "call:one") == "parent"


def test_a_forked_child_ends_at_once(python: Start) -> None:
    """A child that ends by itself does not end the tools of its parent, nor wait for them."""
    program = """
plane.agents.invoke_async(agent("kind"), "hi")
assert begun.wait(10)
child = os.fork()
if child == 0:
    sys.exit(0)
print(os.waitpid(child, 0)[1], flush=True)
"""
    assert finish(python(TOOLS + program)) == ["0", "told"]


def test_signals_go_to_the_main_thread(python: Start) -> None:
    """A handler that a program installs runs while tools are under way, and may close the plane."""
    program = """
def close(*_):
    plane.close()
    print("closed", flush=True)

signal.signal(signal.SIGTERM, close)
threading.Thread(target=lambda: (begun.wait(10), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()
try:
    plane.agents.invoke(agent("kind"), "hi")
except muster.ClosedError:
    print("ended")
"""
    assert finish(python(TOOLS + program)) == ["told", "closed", "ended"]

