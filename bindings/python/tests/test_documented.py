"""Runs the documented curl commands against a server, with nothing but address, key and id put into their places."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest
from conftest import TOP

import muster

COMMANDS = sorted((TOP / "Tests" / "documented").glob("*.sh"))
BASE = "https://api.xpander.ai"
KEYS = ("YOUR_API_KEY", "<api-key>", "<your-api-key>")

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@pytest.fixture
def served(open_plane: Callable[..., muster.Plane]) -> Iterator[Dict[str, str]]:
    """A server with an agent: its address, a key, and the agent's id."""
    plane = open_plane()
    agent = plane.agents.create(name="Analyst", instructions={"general": "Analyze."})
    key = plane.call("keys.create", body={"name": "documented"})["key"]
    with plane.serve() as server:
        yield {"url": server.url, "key": key, "agent_id": agent["id"]}


def run(command: str, served: Dict[str, str], folder: Path) -> Any:
    """Runs a command in a shell; gives status, headers by lower-case name, and parsed body."""
    # How curl reports is set beside the command, which stays as it is.
    (folder / ".curlrc").write_text('silent\nnoproxy = "*"\ndump-header = "headers"\noutput = "body"\n')
    for key in KEYS:
        command = command.replace(key, served["key"])
    command = command.replace(BASE, served["url"]).replace("{agent_id}", served["agent_id"])
    subprocess.run(["sh", "-c", command], cwd=folder, env={**os.environ, "CURL_HOME": str(folder)}, check=True, timeout=60)
    first, *lines = (folder / "headers").read_text().strip().splitlines()
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    return int(first.split()[1]), headers, json.loads((folder / "body").read_text())


def kind(value: Any) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def has_shape(sample: Any, value: Any, path: str = "") -> None:
    """The value has the keys of the sample, with values of the same kinds; null stands for a value that is not set."""
    if value is None or sample is None:
        return
    assert kind(sample) == kind(value), f"{path}: {value!r} is another kind of value than {sample!r}"
    if isinstance(sample, dict):
        for key, member in sample.items():
            assert key in value, f"{path}/{key} is missing"
            has_shape(member, value[key], f"{path}/{key}")
    elif isinstance(sample, list) and sample:
        for index, item in enumerate(value):
            has_shape(sample[0], item, f"{path}/{index}")


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_command(path: Path, served: Dict[str, str], tmp_path: Path) -> None:
    """Each command gives 200, the documented shape, and the documented headers."""
    status, headers, answer = run(path.read_text(), served, tmp_path)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert headers["x-ratelimit-limit"] == "100"
    assert headers["x-ratelimit-remaining"] == "99"
    assert int(headers["x-ratelimit-reset"]) > 1_700_000_000
    has_shape(json.loads(path.with_suffix(".json").read_text()), answer)
    if "items" in answer:
        assert [item["id"] for item in answer["items"]] == [served["agent_id"]]
        assert answer["total"] == 1 and answer["page"] == 1 and answer["total_pages"] == 1
        assert answer["per_page"] == (2 if "per_page=2" in path.read_text() else 20)
    else:
        assert answer["status"] == "completed"


def test_errors(served: Dict[str, str], tmp_path: Path) -> None:
    """The documented errors have the documented bodies."""
    invoke = (TOP / "Tests" / "documented" / "invoke-quick-start.sh").read_text()
    missing = invoke[: invoke.index("-d '")] + "-d '{}'"
    status, _, answer = run(missing, served, tmp_path)
    assert status == 422
    assert answer == {"detail": [{"loc": ["body", "input"], "msg": "field required", "type": "value_error.missing"}]}
    status, _, answer = run(invoke, {**served, "key": "wrong"}, tmp_path)
    assert (status, answer) == (401, {"detail": "Invalid or missing API key"})
    status, _, answer = run(invoke, {**served, "agent_id": "none"}, tmp_path)
    assert (status, answer) == (404, {"detail": "Agent not found"})


def test_there_are_commands() -> None:
    """The commands are found, so that passing them means something."""
    assert len(COMMANDS) == 6
