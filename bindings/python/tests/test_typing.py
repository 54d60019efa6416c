"""The package and a program that uses it are clean under mypy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SOURCE

PROGRAM = """
import muster
from typing import List, Optional

with muster.open("agents.db", default_model={"provider": "openai", "name": "gpt-4.1"}) as plane:
    page: muster.types.MinimalAIAgentPage = plane.agents.list(per_page=5)
    names: List[str] = [agent["name"] for agent in plane.agents.iter()]
    agent = plane.agents.create(name="A", instructions={"general": "Be kind."})
    plane.agents.update(agent["id"], deploy=True, llm_api_base=None)
    task = plane.agents.invoke(agent["id"], "hello", timeout=2.5)
    result: Optional[str] = task["result"]
    messages = plane.tasks.thread(task["id"])
    reveal_type(messages[0]["content"])
    for event in plane.agents.stream(agent["id"], "hello", on_disconnect="cancel"):
        text: str = event.text
    pending: muster.types.AgentExecution = plane.agents.invoke_async(agent["id"], "hello")
    with plane.tasks.events(pending["id"], after=event.id) as stream:
        event = next(stream)
    plane.agents.stream(agent["id"], on_disconnect="go on")  # error: no such choice

    @plane.tool
    def weather(city: str, days: int = 3) -> str:
        return city

    @plane.tool(name="clock", read_only=True, timeout=2.5)
    async def now(call: muster.ToolCall) -> bool:
        return call.cancelled

    told: str = weather("Rome", days=2)
    weather(5)  # error: the function has kept its type
    tool: Optional[muster.ToolUse] = event.tool
    known: List[str] = plane.tools.names()
    plane.tool(weather, name="w")  # error: either the function or options
    plane.tool(read_only="yes")  # error: a bool
    plane.agents.create(nme="typo", name=5)  # error: 5
    plane.agents.list(page="1")  # error: "1"


async def main() -> None:
    task: muster.types.AgentExecution = await plane.agents.ainvoke(agent["id"], "hello", timeout=2.5)
    async with plane.agents.astream(agent["id"], "hello") as stream:
        async for event in stream:
            text: str = event.text
    async for event in plane.tasks.aevents(task["id"]):
        number: int = event.sequence
    await plane.agents.astream(agent["id"], "hello")  # error: not awaitable
    for event in plane.agents.astream(agent["id"], "hello"):  # error: for async for
        pass
"""


def mypy(*arguments: str, cache: Path) -> "subprocess.CompletedProcess[str]":
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), *arguments]
    return subprocess.run(command, cwd=SOURCE.parent, capture_output=True, text=True, timeout=300)


def test_the_package_is_strictly_typed(tmp_path: Path) -> None:
    """mypy --strict finds nothing in the package, the generator and the examples."""
    done = mypy(cache=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_sees_the_types(tmp_path: Path) -> None:
    """mypy finds the wrong arguments of a program, and only those."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = mypy(str(program), cache=tmp_path)
    wrong = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if "# error" in line]
    found = [int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line]
    assert found == wrong, done.stdout + done.stderr
