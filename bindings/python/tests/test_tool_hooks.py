"""Functions around the calls of tools."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Callable, List, Tuple

import pytest

import muster

Opener = Callable[..., muster.Plane]


class Watch:
    """Hooks that note what they hear."""

    def __init__(self) -> None:
        self.heard: List[Tuple[Any, ...]] = []

    def before(self, call: muster.ToolCall, arguments: Any) -> None:
        self.heard.append(("before", call.name, dict(arguments)))
        arguments["n"] = 99

    def after(self, call: muster.ToolCall, arguments: Any, result: Any) -> str:
        self.heard.append(("after", call.name, arguments, result))
        return "something else"

    def on_error(self, call: muster.ToolCall, arguments: Any, error: BaseException) -> None:
        self.heard.append(("error", call.name, arguments, f"{type(error).__name__}: {error}"))

    async def before_later(self, call: muster.ToolCall, arguments: Any) -> None:
        await asyncio.sleep(0)
        self.before(call, arguments)

    async def after_later(self, call: muster.ToolCall, arguments: Any, result: Any) -> None:
        await asyncio.sleep(0)
        self.after(call, arguments, result)

    async def on_error_later(self, call: muster.ToolCall, arguments: Any, error: BaseException) -> None:
        await asyncio.sleep(0)
        self.on_error(call, arguments, error)


def add(plane: muster.Plane, is_async: bool, **hooks: Any) -> None:
    """Registers a tool that fails for negative numbers, and for 0 returns what JSON has not."""

    def double(n: int) -> Any:
        """Doubles."""
        if n < 0:
            raise ValueError("too small")
        return object() if n == 0 else 2 * n

    async def double_later(n: int) -> Any:
        """Doubles."""
        return double(n)

    plane.tool(name="double", **hooks)(double_later if is_async else double)


def told(plane: muster.Plane, n: int) -> str:
    """What the model is told of a call."""
    agent = plane.agents.create(name="A", model_name=f'call:double:{{"n":{n}}}')
    text: str = plane.agents.invoke(agent["id"], "hi", timeout=30)["result"]
    return text[len("The tool said: ") :]


@pytest.fixture
def plane(open_plane: Opener) -> muster.Plane:
    return open_plane(tools="all")


@pytest.mark.parametrize("kind", ["plain", "async", "async with plain hooks"])
def test_they_watch_each_call(plane: muster.Plane, kind: str) -> None:
    watch = Watch()
    hooks = (
        {"before": watch.before_later, "after": watch.after_later, "on_error": watch.on_error_later}
        if kind == "async"
        else {"before": watch.before, "after": watch.after, "on_error": watch.on_error}
    )
    add(plane, kind != "plain", **hooks)
    assert told(plane, 4) == "8"
    assert watch.heard == [("before", "double", {"n": 4}), ("after", "double", {"n": 4}, 8)]
    watch.heard.clear()
    assert told(plane, -1) == "ValueError: too small"
    assert watch.heard == [
        ("before", "double", {"n": -1}),
        ("error", "double", {"n": -1}, "ValueError: too small"),
    ]
    watch.heard.clear()
    assert told(plane, 0).startswith("TypeError: ")
    assert [each[0] for each in watch.heard] == ["before", "error"]


@pytest.mark.parametrize("is_async", [False, True])
def test_what_before_raises_keeps_the_tool_from_being_called(plane: muster.Plane, is_async: bool) -> None:
    watch = Watch()

    def refuse(call: muster.ToolCall, arguments: Any) -> None:
        raise PermissionError("not today")

    add(plane, is_async, before=refuse, after=watch.after, on_error=watch.on_error)
    assert told(plane, 4) == "PermissionError: not today"
    assert watch.heard == [("error", "double", {"n": 4}, "PermissionError: not today")]


@pytest.mark.parametrize("is_async", [False, True])
def test_what_the_others_raise_changes_nothing(
    plane: muster.Plane, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*what: Any) -> None:
        raise RuntimeError("the hook is broken")

    add(plane, is_async, after=fail, on_error=fail)
    with caplog.at_level(logging.ERROR, "muster"):
        assert told(plane, 4) == "8"
        assert told(plane, -1) == "ValueError: too small"
    assert [each.message for each in caplog.records].count("a hook of the tool double failed") == 2


def test_what_cannot_be_a_hook_is_refused(plane: muster.Plane) -> None:
    watch = Watch()
    for hooks in ({"before": 3}, {"before": watch.before_later}, {"before": watch.after}, {"after": watch.before}):
        with pytest.raises(TypeError, match="double"):
            add(plane, False, **hooks)
    assert len(plane.tools) == 0
