"""The end of the interpreter over https, forks of a busy interpreter, and gunicorn's workers."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest
from conftest import SOURCE, TOP, ModelServer

import muster

EXAMPLES = SOURCE.parent / "examples"


@pytest.fixture(scope="module")
def https_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dict[str, str]]:
    """The environment of a program that talks to the mock over https, with a certificate made for it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    script = str(TOP / "Tests" / "servers" / "model_server.py")
    process = subprocess.Popen(
        [sys.executable, script, "--until-stdin-closes", "--tls-cert", certificate, "--tls-key", key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on https:"), line
    yield {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "MODEL_BASE": line.split()[-1],
        "CURL_CA_BUNDLE": certificate,
    }
    process.stdin.close()
    process.wait(10)


EXITING = """
import os, sys, threading, time
if sys.argv[2] == "first":
    import ssl
    ssl.create_default_context()
import muster
MODEL = {"provider": "openai_compatible", "name": "echo", "api_base": os.environ["MODEL_BASE"]}
plane = muster.open(sys.argv[1], default_model=MODEL)
agent = plane.agents.create(name="A")["id"]
answered = threading.Semaphore(0)

def run():
    # A plane for each call, and so a handshake for each call.
    while True:
        try:
            with muster.open(":memory:", default_model=MODEL) as own:
                task = own.agents.invoke(own.agents.create(name="A")["id"], "hi")
            assert task["status"] == "completed", task
            answered.release()
        except muster.ClosedError:
            return

def hang():
    try:
        plane.agents.invoke(agent, "hi", llm_model_name="hang")
    except muster.ClosedError:
        pass

for work in [run] * 6 + [hang] * 2:
    threading.Thread(target=work, daemon=True).start()
for _ in range(6):
    assert answered.acquire(timeout=20)
"""


STREAMING = """
import os, sys, threading
if sys.argv[2] == "first":
    import ssl
    ssl.create_default_context()
import muster
MODEL = {"provider": "openai_compatible", "name": "echo", "api_base": os.environ["MODEL_BASE"]}
plane = muster.open(sys.argv[1], default_model=MODEL)
agent = plane.agents.create(name="A")["id"]
begun = threading.Semaphore(0)

def run(model):
    try:
        while True:
            for event in plane.agents.stream(agent, "one two three", llm_model_name=model):
                if event.type == "chunk":
                    begun.release()
    except muster.ClosedError:
        pass

# Four are read by threads of their own; four are merely open, and nobody reads them.
for model in ["echo", "slow:3", "stall:2", "split"]:
    threading.Thread(target=run, args=[model], daemon=True).start()
streams = [plane.agents.stream(agent, "one two three", llm_model_name="stall:2") for _ in range(4)]
for stream in streams:
    assert next(stream).type == "task_created"
for _ in range(8):
    assert begun.acquire(timeout=20)
"""


@pytest.mark.parametrize("openssl", ["first", "later"])
@pytest.mark.parametrize("ending", ["", "plane.close()"])
@pytest.mark.parametrize("program", [EXITING, STREAMING], ids=["calls", "streams"])
def test_the_interpreter_ends_with_https_in_flight(
    https_environment: Dict[str, str], tmp_path: Path, openssl: str, ending: str, program: str
) -> None:
    """A program that ends while threads are in TLS ends cleanly, whoever initialised OpenSSL first."""
    for run in range(15):
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", program + ending, str(tmp_path / "agents.db"), openssl],
            env=https_environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), f"run {run}"
        assert time.monotonic() - began < 15
    with muster.open(str(tmp_path / "agents.db")) as plane:
        assert plane.tasks.list(status="executing")["total"] == 0


def test_forks_of_a_busy_interpreter(plane: muster.Plane, tmp_path: Path) -> None:
    """Children of a process whose threads write, read and invoke open a store of their own and do not hang."""
    shared = plane.agents.create(name="Shared")["id"]
    stop = False

    def work(number: int) -> int:
        made = 0
        while not stop:
            plane.agents.create(name=f"A{number}")
            made += 1
            assert plane.agents.invoke(shared, "hi")["status"] == "completed"
        return made

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work, number) for number in range(4)]
        codes: List[Optional[int]] = []
        for number in range(40):
            child = os.fork()
            if child == 0:
                try:
                    with muster.open(str(tmp_path / "other.db")) as own:
                        own.agents.create(name=f"child {number}")
                    os._exit(0)
                finally:
                    os._exit(1)
            codes.append(ended(child, 20))
        stop = True
        made = sum(future.result() for future in working)
    assert codes == [0] * 40
    assert plane.agents.list()["total"] == 1 + made
    with muster.open(str(tmp_path / "other.db")) as other:
        assert other.agents.list()["total"] == 40


def ended(child: int, seconds: float) -> Optional[int]:
    """The exit code of a child; None, and its end, when it takes longer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done == child:
            return os.waitstatus_to_exitcode(status) if sys.version_info >= (3, 9) else status
        time.sleep(0.002)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return None


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def ask(url: str, text: Optional[str] = None) -> Dict[str, Any]:
    with urllib.request.urlopen(url, text.encode() if text is not None else None, timeout=30) as answer:
        body: Dict[str, Any] = json.load(answer)
        return body


@pytest.mark.skipif(importlib.util.find_spec("gunicorn") is None, reason="needs gunicorn")
def test_gunicorn_workers(store: str, model_server: ModelServer) -> None:
    """Forked workers with a plane each answer at once from one store, and end cleanly."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(SOURCE), str(EXAMPLES)]),
        "BIND": f"127.0.0.1:{port}",
        "WORKERS": "3",
        "STORE": store,
        "MODEL": "echo",
        "MODEL_BASE": model_server.base,
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", str(EXAMPLES / "gunicorn_app.py"), "gunicorn_app:application"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                assert ask(url)["agents"] == ["Guide"]
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None and time.monotonic() < deadline, "gunicorn does not answer"
                time.sleep(0.1)
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda number: ask(url, f"question {number}"), range(60)))
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=30)
    assert [answer["result"] for answer in answers] == [f"echo: question {number}" for number in range(60)]
    assert len({answer["worker"] for answer in answers}) > 1
    assert server.returncode == 0 and "Traceback" not in errors, errors
    with muster.open(store) as plane:
        assert plane.tasks.list(status="completed")["total"] == 60
        assert plane.tasks.list()["total"] == 60
