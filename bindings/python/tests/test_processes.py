"""Ctrl-C, threads, forks, several processes, and the end of the interpreter."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, List

import pytest
from conftest import ModelServer

import muster

Start = Callable[[str], "subprocess.Popen[str]"]


def finish(process: "subprocess.Popen[str]", timeout: float = 30) -> List[str]:
    """The lines that a program printed; it must end well."""
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, f"exit {process.returncode}: {errors}"
    assert errors == "", errors
    return output.split("\n")[:-1]


def wait_until_asked(model_server: ModelServer, model: str) -> None:
    """Waits until the server has been asked for a model of this name, which only one test uses."""
    deadline = time.monotonic() + 20
    while model not in model_server.observed()["models"]:
        assert time.monotonic() < deadline, "the model was not asked"
        time.sleep(0.02)


def test_ctrl_c_ends_a_waiting_invoke(python: Start, model_server: ModelServer) -> None:
    """SIGINT during an invoke raises KeyboardInterrupt within a second, stops the task, and the next call works."""
    process = python(
        "plane = muster.open(STORE, default_model=MODEL)\n"
        "agent = plane.agents.create(name='A', model_name='hang:1')\n"
        "try:\n"
        "    plane.agents.invoke(agent['id'], 'hi', id='t')\n"
        "except KeyboardInterrupt:\n"
        "    print(time.time())\n"
        "task = plane.tasks.get('t')\n"
        "print(task['status'], task['is_manually_stopped'])\n"
        "print(plane.agents.invoke(agent['id'], 'hi', id='t', llm_model_name='fixed')['result'])\n"
        "plane.close()\n"
    )
    wait_until_asked(model_server, "hang:1")
    sent = time.time()
    process.send_signal(signal.SIGINT)
    raised, status, result = finish(process)
    assert float(raised) - sent < 1
    assert status == "stopped True" and result == "Hello from the model."


def test_ctrl_c_ends_the_program(python: Start, model_server: ModelServer) -> None:
    """A program that does not catch KeyboardInterrupt ends by it, and its task is stopped."""
    process = python(
        "plane = muster.open(STORE, default_model=MODEL)\n"
        "agent = plane.agents.create(name='A', model_name='hang:2')\n"
        "plane.agents.invoke(agent['id'], 'hi', id='t')\n"
    )
    wait_until_asked(model_server, "hang:2")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT and errors.rstrip().endswith("KeyboardInterrupt")
    assert finish(python("print(muster.open(STORE).tasks.get('t')['status'])")) == ["stopped"]


def test_a_handler_that_does_not_raise_changes_nothing(python: Start) -> None:
    """Other signals are handled during an invoke, which goes on."""
    lines = finish(
        python(
            "import signal\n"
            "signal.signal(signal.SIGALRM, lambda *_: print('alarm', flush=True))\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
            "with muster.open(STORE, default_model=MODEL) as plane:\n"
            "    agent = plane.agents.create(name='A', model_name='slow:600')\n"
            "    task = plane.agents.invoke(agent['id'], 'hi')\n"
            "    print(task['status'])\n"
        )
    )
    assert lines == ["alarm", "completed"]


@pytest.mark.parametrize("ending", ["", "sys.exit(0)", "plane.close()", "raise SystemExit"])
def test_the_interpreter_ends_with_work_in_flight(python: Start, ending: str) -> None:
    """A program that ends while daemon threads wait in invokes ends cleanly and soon; no task stays executing."""
    began = time.monotonic()
    finish(
        python(
            "import threading\n"
            "plane = muster.open(STORE, default_model=MODEL)\n"
            "agent = plane.agents.create(name='A', model_name='hang')\n"
            "def run():\n"
            "    try:\n"
            "        plane.agents.invoke(agent['id'], 'hi')\n"
            "    except muster.ClosedError:\n"
            "        pass\n"
            "for _ in range(4):\n"
            "    threading.Thread(target=run, daemon=True).start()\n"
            "while plane.tasks.list(status='executing')['total'] < 4:\n"
            "    time.sleep(0.01)\n"
            f"{ending}\n"
        )
    )
    assert time.monotonic() - began < 15
    lines = finish(python("print([task['status'] for task in muster.open(STORE).tasks.iter()])"))
    assert lines == ["['error', 'error', 'error', 'error']"]


def test_the_interpreter_ends_with_an_open_plane(python: Start) -> None:
    """Open planes, also such that hold a log hook and such in a cycle, do not disturb the end of the interpreter."""
    lines = finish(
        python(
            "planes = [muster.open(':memory:', log=lambda *line: None) for _ in range(3)]\n"
            "planes[0].myself = planes[0]\n"
            "keep = planes[1].agents.iter()\n"
            "planes[2].agents.create(name='A')\n"
            "print('end')\n"
        )
    )
    assert lines == ["end"]


def test_32_threads_call_at_once(plane: muster.Plane) -> None:
    """32 threads that create, list and invoke on one plane get their own answers."""
    shared = plane.agents.create(name="Shared")["id"]

    def work(number: int) -> None:
        for turn in range(5):
            agent = plane.agents.create(name=f"A{number}-{turn}")
            assert plane.agents.get(agent["id"])["name"] == f"A{number}-{turn}"
            task = plane.agents.invoke(shared, f"{number}/{turn}")
            assert task["result"] == f"echo: {number}/{turn}"
            assert plane.tasks.get(task["id"]) == task
            plane.agents.list(per_page=50)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(work, range(32)))
    assert plane.agents.list()["total"] == 1 + 32 * 5
    assert plane.tasks.list(status="completed")["total"] == 32 * 5
    assert len({agent["id"] for agent in plane.agents.iter()}) == 1 + 32 * 5


def test_two_processes_share_a_file(plane: muster.Plane, python: Start) -> None:
    """Two processes that write to one file at once lose nothing."""
    other = python(
        "with muster.open(STORE, default_model=MODEL) as plane:\n"
        "    for number in range(50):\n"
        "        agent = plane.agents.create(name=f'theirs {number}')\n"
        "        assert plane.agents.invoke(agent['id'], 'hi')['status'] == 'completed'\n"
    )
    for number in range(50):
        agent = plane.agents.create(name=f"ours {number}")
        assert plane.agents.invoke(agent["id"], "hi")["status"] == "completed"
    finish(other, 60)
    names = [agent["name"] for agent in plane.agents.iter()]
    assert sorted(names) == sorted(f"{who} {number}" for who in ("ours", "theirs") for number in range(50))
    assert plane.tasks.list(status="completed")["total"] == 100


def test_processes_make_a_store_together(python: Start) -> None:
    """Several processes that open a new file at the same moment all get the same store."""
    start = time.time() + 1
    program = (
        f"while time.time() < {start}:\n"
        "    pass\n"
        "with muster.open(STORE) as plane:\n"
        "    print(plane.agents.create(name='A')['organization_id'])\n"
    )
    processes = [python(program) for _ in range(6)]
    organizations = [finish(process) for process in processes]
    assert organizations == [organizations[0]] * 6
    assert finish(python("print(muster.open(STORE).agents.list()['total'])")) == ["6"]


def test_a_second_plane_keeps_the_locks_of_the_first(open_plane: Callable[..., muster.Plane], python: Start) -> None:
    """With two planes of this process on a file, another process that comes and goes takes nothing away from them."""
    first = open_plane()
    first.agents.create(name="A")
    open_plane()
    finish(python("with muster.open(STORE) as plane:\n    plane.agents.create(name='B')\n"))
    first.agents.create(name="C")
    seen = finish(python("print([agent['name'] for agent in muster.open(STORE).agents.iter()])"))
    assert seen == ["['C', 'B', 'A']"]


def test_a_process_stops_the_task_of_another(plane: muster.Plane, python: Start) -> None:
    """tasks.stop reaches a task that another process runs."""
    other = python(
        "with muster.open(STORE, default_model=MODEL) as plane:\n"
        "    agent = plane.agents.create(name='A', model_name='hang')\n"
        "    print(plane.agents.invoke(agent['id'], 'hi', id='t')['status'])\n"
    )
    deadline = time.monotonic() + 10
    while not plane.tasks.list(status="executing")["items"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert plane.tasks.stop("t")["status"] == "stopped"
    assert finish(other) == ["stopped"]


def test_a_killed_process_leaves_no_running_task(plane: muster.Plane, python: Start) -> None:
    """The task of a killed process ends as interrupted when the store is opened again."""
    other = python(
        "plane = muster.open(STORE, default_model=MODEL)\n"
        "agent = plane.agents.create(name='A', model_name='hang')\n"
        "plane.agents.invoke(agent['id'], 'hi', id='t')\n"
    )
    deadline = time.monotonic() + 10
    while not plane.tasks.list(status="executing")["items"] and time.monotonic() < deadline:
        time.sleep(0.02)
    other.kill()
    other.communicate()
    lines = finish(python("task = muster.open(STORE).tasks.get('t')\nprint(task['status'], task['internal_status'])"))
    assert lines == ["error interrupted"]


def test_a_child_does_not_use_an_inherited_plane(plane: muster.Plane, store: str) -> None:
    """In a forked child the inherited plane raises, a plane of its own works, and the parent's is unharmed."""
    agent = plane.agents.create(name="A")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                plane.agents.list()
                seen = "no error"
            except muster.BadHandleError as failure:
                seen = failure.status_name
            plane.close()
            with muster.open(store) as own:
                seen += " " + own.agents.get(agent["id"])["name"]
                own.agents.create(name="B")
            os.write(writing, seen.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "FORKED A"
    os.waitpid(child, 0)
    assert [item["name"] for item in plane.agents.iter()] == ["B", "A"]


def make_agent(store: str, number: int) -> Any:
    with muster.open(store) as plane:
        return plane.agents.create(name=f"A{number}")["id"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(plane: muster.Plane, store: str, method: str) -> None:
    """Worker processes of either kind write to the store of their parent."""
    with multiprocessing.get_context(method).Pool(3) as pool:
        made = pool.starmap(make_agent, [(store, number) for number in range(12)])
    assert sorted(agent["id"] for agent in plane.agents.iter()) == sorted(made)


def test_calls_do_not_hold_the_interpreter(plane: muster.Plane) -> None:
    """Other threads run while one waits for a model."""
    agent_id = plane.agents.create(name="A", model_name="slow:500")["id"]
    counted = 0
    thread = threading.Thread(target=plane.agents.invoke, args=(agent_id, "hi"))
    thread.start()
    while thread.is_alive():
        counted += 1
        time.sleep(0.01)
    assert counted > 10
