"""Opening, configuring, closing and forgetting planes."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import threading
import time
import weakref
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest

import muster

Opener = Callable[..., muster.Plane]


def test_a_file_keeps_what_was_stored(store: str) -> None:
    """A store that is closed and opened again has its agents, and is nobody else's to read."""
    with muster.open(store) as plane:
        made = plane.agents.create(name="A")
    assert stat.S_IMODE(os.stat(store).st_mode) == 0o600
    with muster.open(Path(store)) as plane:
        assert plane.agents.get(made["id"]) == made


def test_memory_stores_are_apart() -> None:
    """Each plane on :memory: has a store of its own."""
    with muster.open(":memory:") as one, muster.open(":memory:") as two:
        one.agents.create(name="A")
        assert (one.agents.list()["total"], two.agents.list()["total"]) == (1, 0)


def test_two_planes_share_a_file(open_plane: Opener) -> None:
    """Two planes of one process on one file see each other's agents at once."""
    one, two = open_plane(), open_plane()
    for number in range(5):
        made = (one, two)[number % 2].agents.create(name=f"A{number}")
        assert (two, one)[number % 2].agents.get(made["id"])["name"] == f"A{number}"


@pytest.mark.parametrize(
    "config, word",
    [
        ({"stroe": "x"}, "stroe"),
        ({"durability": "some"}, "durability"),
        ({"busy_timeout_ms": -1}, "busy_timeout_ms"),
        ({"busy_timeout_ms": "long"}, "busy_timeout_ms"),
        ({"default_model": {"nmae": "echo"}}, "nmae"),
        ({"limits": {"call_timeout_ms": 0}}, "call_timeout_ms"),
        ({"limits": {"colour": 1}}, "colour"),
        ({"user_id": ""}, "user_id"),
        ({"network": "closed"}, "network"),
        ({"network": ["a/b"]}, "a/b"),
    ],
)
def test_a_wrong_configuration_is_named(store: str, config: Any, word: str) -> None:
    """A key that is unknown, or a value out of its range, is a MisuseError that names it, and makes no file."""
    with pytest.raises(muster.MisuseError, match=word):
        muster.open(store, **config)
    assert not os.path.exists(store)


@pytest.mark.parametrize("config", [{"api_key": "k"}, {"store": "postgres://h/d"}])
def test_a_known_key_without_effect_is_refused(store: str, config: Any) -> None:
    """A documented key that does nothing yet is an UnsupportedError."""
    with pytest.raises(muster.UnsupportedError):
        muster.open(**{"store": store, **config})


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    """A file that is not a store is a StoreError and keeps its bytes."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"not a store\n" * 1000)
    with pytest.raises(muster.StoreError) as caught:
        muster.open(str(path))
    assert caught.value.status_name == "STORE" and path.read_bytes() == b"not a store\n" * 1000
    database = sqlite3.connect(tmp_path / "other.db")
    database.execute("create table t(x)")
    database.commit()
    database.close()
    before = (tmp_path / "other.db").read_bytes()
    with pytest.raises(muster.StoreError):
        muster.open(tmp_path / "other.db")
    assert (tmp_path / "other.db").read_bytes() == before


def test_a_closed_plane_raises(open_plane: Opener) -> None:
    """Every use of a closed plane raises, closing again is harmless, and a with block may end with a closed plane."""
    with open_plane() as plane:
        agents = plane.agents
        plane.close()
        plane.close()
        uses: List[Callable[[], Any]] = [
            agents.list,
            plane.tasks.list,
            plane.ticket,
            lambda: next(agents.iter()),
            lambda: agents.invoke("a", "hi"),
            lambda: plane.call("agents.list"),
            lambda: plane.cancel(1),
        ]
        for use in uses:
            with pytest.raises(muster.BadHandleError) as caught:
                use()
            assert caught.value.status_name == "BAD_HANDLE"
            assert isinstance(caught.value, muster.ClosedError)


def test_the_with_block_closes_after_an_exception(open_plane: Opener) -> None:
    """A with block closes the plane and lets the exception pass."""
    plane = open_plane()
    with pytest.raises(KeyError):
        with plane:
            raise KeyError("mine")
    with pytest.raises(muster.BadHandleError):
        plane.agents.list()


def test_a_forgotten_plane_is_closed(store: str) -> None:
    """A plane without references is closed at once, and nothing keeps it alive."""
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        plane = muster.open(store, log=lambda *line: None)
        plane.agents.create(name="A")
        gone = weakref.ref(plane)
        del plane
        assert gone() is None
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 2


def test_open_and_close_leave_nothing(store: str) -> None:
    """100 planes opened and closed leave as many descriptors and threads as before."""
    muster.open(store).close()
    before = (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")))
    for _ in range(100):
        with muster.open(store) as plane:
            plane.agents.list()
    assert (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))) == before


def test_closing_ends_a_call_under_way(open_plane: Opener) -> None:
    """Closing a plane ends a waiting invoke of another thread with ClosedError, soon."""
    plane = open_plane()
    agent = plane.agents.create(name="A", model_name="hang")
    failures: List[BaseException] = []

    def wait() -> None:
        try:
            plane.agents.invoke(agent["id"], "hi", id="waiting")
        except muster.MusterError as failure:
            failures.append(failure)

    thread = threading.Thread(target=wait)
    thread.start()
    while not plane.tasks.list(status="executing")["items"]:
        time.sleep(0.01)
    began = time.monotonic()
    plane.close()
    thread.join(10)
    assert time.monotonic() - began < 2
    (failure,) = failures
    assert type(failure) is muster.ClosedError and failure.task_id == "waiting"
    again = open_plane()
    task = again.tasks.get("waiting")
    assert (task["status"], task["internal_status"], task["is_manually_stopped"]) == ("error", "interrupted", False)


def test_the_log_hook_is_told(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Log lines come with level, component and message; an exception of the hook stays there."""
    lines: List[Tuple[int, str, str]] = []

    def log(level: int, component: str, message: str) -> None:
        lines.append((level, component, message))
        raise ValueError("from the hook")

    sink: List[Any] = []
    import sys

    hook, sys.unraisablehook = sys.unraisablehook, sink.append
    try:
        with muster.open(store, log=log) as plane:
            plane.agents.create(name="A")
    finally:
        sys.unraisablehook = hook
    assert lines and len(sink) == len(lines)
    for level, component, message in lines:
        assert level in (1, 2, 3, 4) and component and message
    output = capfd.readouterr()
    assert output.out == ""


def test_the_plane_names_itself(plane: muster.Plane, store: str) -> None:
    """A plane is shown with its store."""
    assert repr(plane) == f"<muster.Plane {store!r}>"
