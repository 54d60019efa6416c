"""The examples run as a newcomer would run them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

from conftest import SOURCE, ModelServer

EXAMPLES = SOURCE.parent / "examples"


def run(name: str, store: str, model_server: ModelServer, model: str = "echo") -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "MODEL_BASE": model_server.base, "MODEL": model}
    command = [sys.executable, str(EXAMPLES / name), store]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_list_agents(store: str, model_server: ModelServer) -> None:
    """The first example makes two agents once and prints them as a table."""
    for _ in range(2):
        done = run("list_agents.py", store, model_server)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == 3 and lines[0].split() == ["ID", "NAME", "STATUS", "MODEL"]


def test_invoke_agent(store: str, model_server: ModelServer) -> None:
    """The second example holds a conversation of two turns and prints its four messages."""
    done = run("invoke_agent.py", store, model_server)
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.splitlines() if line.startswith(("user: ", "assistant: "))]) == 4
    assert "tokens" in done.stdout


def test_invoke_agent_without_usage(store: str, model_server: ModelServer) -> None:
    """The second example fails when the model counts no tokens."""
    assert run("invoke_agent.py", store, model_server, "nousage").returncode != 0


def test_stream(store: str, model_server: ModelServer) -> None:
    """The third example prints the pieces of three answers as they come, and of a fourth."""
    done = run("stream.py", store, model_server)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len([line for line in lines if "completed: echo: What is the capital of" in line]) == 3
    for country in ("France", "Italy", "Spain"):
        question = f"What is the capital of {country}?"
        # Pieces that a reader finds together come as one.
        pieces = [line[len(question) + 1 :] for line in lines if line.startswith(f"{question} '")]
        assert "".join(ast.literal_eval(piece) for piece in pieces) == f"echo: {question}"
    assert lines[-1] == "echo: And of Portugal?"


def test_stream_of_a_failing_model(store: str, model_server: ModelServer) -> None:
    """The third example fails when the model does."""
    assert run("stream.py", store, model_server, "status:400").returncode != 0


def test_tools(store: str, model_server: ModelServer) -> None:
    """The fourth example shows a call of one of its functions for each of two questions."""
    done = run("tools.py", store, model_server, 'call:weather:{"city":"Paris","unit":"F"}')
    assert done.returncode == 0, done.stderr
    shown = "  weather({'city': 'Paris', 'unit': 'F'}) -> {'city': 'Paris', 'temperature': 70, 'sky': 'clear'}"
    assert done.stdout.splitlines().count(shown) == 2
    assert "completed: The tool said: " in done.stdout


def test_tools_of_a_failing_model(store: str, model_server: ModelServer) -> None:
    """The fourth example fails when the model does."""
    assert run("tools.py", store, model_server, "status:400").returncode != 0


def test_team(store: str, model_server: ModelServer) -> None:
    """The fifth example asks another agent, or calls its own tool, as its model wants it."""
    done = run("team.py", store, model_server, 'call:Guide:{"task":"Where?"}')
    assert done.returncode == 0, done.stderr
    leader, guide = done.stdout.split("Guide [completed]: ")
    assert leader.startswith("[completed] The tool said: ") and "Where?" in guide
    done = run("team.py", store, model_server, 'call:book:{"nights":2}')
    assert done.stdout.startswith("book 2, key ") and '"booked":true' in done.stdout
    assert "asked nobody" in done.stderr


def test_team_of_a_failing_model(store: str, model_server: ModelServer) -> None:
    """The fifth example fails when the model does."""
    assert run("team.py", store, model_server, "status:400").returncode != 0


def test_the_examples_are_short() -> None:
    """An example fits on a screen."""
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 60, path
