"""Runs that go on after their process was killed, and calls of tools that people decide on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Tuple

import pytest
from conftest import SOURCE, ModelServer

import muster

Opener = Callable[..., muster.Plane]

KILLED = textwrap.dedent(
    """
    import muster, os, sys, time
    store, base, model, options, journal = sys.argv[1:]
    plane = muster.open(store, default_model={"provider": "openai_compatible", "name": "echo", "api_base": base}, tools="all")

    def pay(n: int = 0) -> str:
        "Pays."
        with open(journal, "a") as file:
            file.write("paid\\n")
        print("paying", flush=True)
        time.sleep(60)
        return "late"

    options = eval(options)
    if options.pop("probed", False):
        options["probe"] = lambda: None
    plane.tool(**options)(pay)
    agent = plane.agents.create(name="A", model_name=model)
    plane.agents.invoke_async(agent["id"], "go", id="t")
    time.sleep(60)
    """
)


def killed(store: str, server: ModelServer, model: str, options: Dict[str, Any], journal: Path) -> None:
    """A process that is killed with SIGKILL in the middle of a call of its tool."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, store, server.base, model, repr(options), str(journal)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert process.stdout is not None and process.stdout.readline() == "paying\n"
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def ends(plane: muster.Plane, *statuses: str) -> Any:
    deadline = time.monotonic() + 20
    while (task := plane.tasks.get("t"))["status"] not in statuses:
        assert time.monotonic() < deadline, task
        time.sleep(0.01)
    return task


def pays(plane: muster.Plane, options: Dict[str, Any]) -> List[Tuple[bool, str]]:
    """Registers the tool again; gives what is heard of its calls."""
    heard: List[Tuple[bool, str]] = []

    def pay(call: muster.ToolCall, n: int = 0) -> str:
        """Pays."""
        heard.append((call.repeat, call.idempotency_key))
        return "paid"

    plane.tool(**options)(pay)
    return heard


@pytest.mark.parametrize("options", [{"read_only": True}, {"idempotent": True}])
def test_a_call_that_may_be_made_again_is(
    store: str, open_plane: Opener, model_server: ModelServer, tmp_path: Path, options: Dict[str, Any]
) -> None:
    killed(store, model_server, "call:pay", options, tmp_path / "journal")
    plane = open_plane(tools="all")
    assert plane.tasks.get("t")["status"] == "pending"
    heard = pays(plane, options)
    plane.resume()
    assert ends(plane, "completed")["result"] == "The tool said: paid"
    assert [repeat for repeat, _ in heard] == [True]


@pytest.mark.parametrize(
    ("decision", "calls", "status", "result"),
    [
        ({"decision": "done", "comment": "receipt 7"}, 0, "completed", "The tool said: receipt 7"),
        ({"decision": "not_done"}, 1, "completed", "The tool said: paid"),
        ({"decision": "give_up"}, 0, "failed", "A person ended the run."),
    ],
)
def test_a_payment_is_never_made_twice_unasked(
    store: str,
    open_plane: Opener,
    model_server: ModelServer,
    tmp_path: Path,
    decision: Dict[str, str],
    calls: int,
    status: str,
    result: str,
) -> None:
    killed(store, model_server, "call:pay", {}, tmp_path / "journal")
    plane = open_plane(tools="all")
    heard = pays(plane, {})
    plane.resume()
    request = ends(plane, "paused")["hitl_request"]
    assert request["operation_id"] == "pay" and request["question"] == "outcome"
    assert heard == []
    plane.tasks.approve("t", request_id=request["request_id"], **decision)
    assert ends(plane, "completed", "failed")["status"] == status
    assert plane.tasks.get("t")["result"] == result
    assert len(heard) == calls
    assert (tmp_path / "journal").read_text() == "paid\n"


def test_a_run_waits_for_its_tool(store: str, open_plane: Opener, model_server: ModelServer, tmp_path: Path) -> None:
    killed(store, model_server, "call:pay", {"idempotent": True}, tmp_path / "journal")
    plane = open_plane(tools="all")
    plane.resume()
    time.sleep(0.1)
    assert plane.tasks.get("t")["status"] == "pending"
    pays(plane, {"idempotent": True})
    assert ends(plane, "completed")["result"] == "The tool said: paid"


def test_a_call_that_needs_approval_waits_for_a_person(open_plane: Opener) -> None:
    plane = open_plane()
    heard = pays(plane, {})
    gate = {"title": "May I pay?", "description": "It costs money."}
    item = {"item_id": "pay", "type": "tool", "sub_type": "local_tool", "targets": [], "settings": {"hitl_options": gate}}
    agent = plane.agents.create(name="A", model_name="call:pay", graph=[item])
    task = plane.agents.invoke(agent["id"], "go", id="t")
    assert task["status"] == "paused" and task["paused_at"] is not None
    assert task["hitl_request"]["title"] == "May I pay?"
    plane.tasks.reject("t", comment="too dear")
    assert ends(plane, "completed")["result"] == "The tool said: A person declined this call: too dear"
    assert heard == []
    with pytest.raises(muster.MusterError) as refused:
        plane.tasks.approve("t")
    assert refused.value.http_status == 409
    assert plane.agents.invoke(agent["id"], "again", id="t")["status"] == "paused"
    plane.tasks.approve("t")
    assert ends(plane, "completed")["result"] == "The tool said: paid"
    assert [repeat for repeat, _ in heard] == [False]


class Probes:
    """Functions that tell what became of a payment, and what they heard."""

    def __init__(self, told: Any) -> None:
        self.told = told
        self.heard: List[Tuple[bool, int]] = []

    def tell(self, call: muster.ToolCall, n: int) -> Any:
        self.heard.append((call.repeat, n))
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    async def tell_later(self, call: muster.ToolCall, n: int) -> Any:
        await asyncio.sleep(0)
        return self.tell(call, n)

    def tell_nothing(self) -> Any:
        return self.tell(SimpleNamespace(repeat=True), 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["tell", "tell_later", "tell_nothing"])
@pytest.mark.parametrize(
    ("told", "calls", "status", "result"),
    [
        (muster.Done("receipt 7"), 0, "completed", "The tool said: receipt 7"),
        (muster.Done({"paid": 3}), 0, "completed", 'The tool said: {"paid":3}'),
        (True, 0, "completed", "The tool said: null"),
        (False, 1, "completed", "The tool said: paid"),
        (None, 0, "paused", None),
        ("yes", 0, "paused", None),
        (RuntimeError("the bank is closed"), 0, "paused", None),
    ],
)
def test_a_probe_tells_what_became_of_a_call(
    store: str,
    open_plane: Opener,
    model_server: ModelServer,
    tmp_path: Path,
    name: str,
    told: Any,
    calls: int,
    status: str,
    result: Any,
) -> None:
    killed(store, model_server, 'call:pay:{"n":3}', {"probed": True}, tmp_path / "journal")
    plane = open_plane(tools="all")
    probes = Probes(told)
    heard = pays(plane, {"probe": getattr(probes, name)})
    plane.resume()
    task = ends(plane, "completed", "paused", "failed", "error")
    assert (task["status"], task["result"]) == (status, result)
    assert probes.heard == [(True, 3)]
    assert [repeat for repeat, _ in heard] == [True] * calls
    if status == "paused":
        assert task["hitl_request"]["question"] == "outcome"
    assert (tmp_path / "journal").read_text() == "paid\n"


def test_what_cannot_be_a_probe_is_refused(open_plane: Opener) -> None:
    plane = open_plane()
    for probe in (3, lambda *numbers: True, lambda number, /: True):
        with pytest.raises(TypeError, match="pay"):
            pays(plane, {"probe": probe})
    assert len(plane.tools) == 0
