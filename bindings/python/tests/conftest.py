"""Fixtures: the mock model server, and planes on fresh stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

TOP = Path(__file__).resolve().parents[3]
SOURCE = Path(__file__).resolve().parents[1] / "src"

import muster  # noqa: E402


class ModelServer:
    """The running mock; its answers are chosen by the name of the model."""

    def __init__(self, base: str) -> None:
        self.base = base

    def observed(self) -> Dict[str, Any]:
        """What the server saw since it started."""
        with urllib.request.urlopen(self.base[: -len("/v1")] + "/observed") as answer:
            seen: Dict[str, Any] = json.load(answer)
        return seen

    def default_model(self, name: str = "echo") -> Dict[str, str]:
        return {"provider": "openai_compatible", "name": name, "api_base": self.base}


@pytest.fixture(scope="session")
def model_server() -> Iterator[ModelServer]:
    script = TOP / "Tests" / "servers" / "model_server.py"
    process = subprocess.Popen(
        [sys.executable, str(script), "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on "), line
    yield ModelServer(line.split()[-1])
    process.stdin.close()
    process.wait(10)


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "agents.db")


@pytest.fixture
def open_plane(store: str, model_server: ModelServer) -> Iterator[Callable[..., muster.Plane]]:
    """Opens planes on one store; they are closed after the test."""
    planes: List[muster.Plane] = []

    def opener(**config: Any) -> muster.Plane:
        config.setdefault("store", store)
        config.setdefault("default_model", model_server.default_model())
        plane = muster.open(**config)
        planes.append(plane)
        return plane

    yield opener
    for plane in planes:
        plane.close()


@pytest.fixture
def plane(open_plane: Callable[..., muster.Plane]) -> muster.Plane:
    return open_plane()


@pytest.fixture
def python(model_server: ModelServer, store: str) -> Callable[..., "subprocess.Popen[str]"]:
    """Starts a Python program with `muster`, `STORE` and `MODEL_BASE` ready."""

    def start(program: str) -> "subprocess.Popen[str]":
        head = "import muster, os, sys, time\nSTORE, MODEL_BASE = sys.argv[1:]\n"
        head += "MODEL = {'provider': 'openai_compatible', 'name': 'echo', 'api_base': MODEL_BASE}\n"
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        return subprocess.Popen(
            [sys.executable, "-c", head + program, store, model_server.base],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    return start
