"""The official Python client, as it is on PyPI, against a server of ours: agents and tasks, at each base address that it can
have. Models are answered by the mock model server."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import threading
import time
from typing import Any, Callable, Iterator

import httpx
import pytest

import standins  # noqa: F401  (before the client)

import muster
from xpander_sdk import Agents, Backend, Configuration, Tasks
from xpander_sdk.exceptions.module_exception import ModuleException
from xpander_sdk.models.user import User
from xpander_sdk.modules.tasks.models.task import AgentExecutionStatus
from xpander_sdk.modules.tasks.sub_modules.task import Task

TOP = pathlib.Path(__file__).resolve().parents[2]


class Service:
    """A served plane with two agents, and one of another organization."""

    def __init__(self, plane: muster.Plane, url: str) -> None:
        self.plane = plane
        self.url = url
        made = plane.call("keys.create", body={"name": "client", "can_manage_keys": True})
        self.key, self.organization = made["key"], made["organization_id"]
        self.other_key = plane.call("keys.create", body={"name": "other", "organization_id": "other"})["key"]
        self.guide = plane.agents.create(
            name="Guide", instructions={"role": ["guide"]}, llm_credentials={"name": "n", "value": "secret"})["id"]
        self.slow = plane.agents.create(name="Slow", model_name="hang")["id"]

    def configuration(self, path: str = "", organization: str | None = None, key: str | None = None) -> Configuration:
        return Configuration(api_key=key or self.key, base_url=self.url + path, organization_id=organization)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    model = subprocess.Popen(
        [sys.executable, str(TOP / "Tests" / "servers" / "model_server.py"), "--until-stdin-closes"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert model.stdin and model.stdout
    base = model.stdout.readline().split()[-1]
    default = {"provider": "openai_compatible", "name": "echo", "api_base": base}
    with muster.open(":memory:", default_model=default) as plane:
        with plane.serve(rate_limit="off", allow_network=["loopback"]) as server:
            yield Service(plane, server.url)
    model.stdin.close()
    model.wait()


@pytest.fixture(params=["/", "no organization", "agent-controller", "agent-controller, no organization"])
def configuration(request: Any, service: Service) -> Configuration:
    """The same service as the client may be told of it."""
    return {
        "/": service.configuration("/", service.organization),
        "no organization": service.configuration(),
        "agent-controller": service.configuration("/agent-controller", service.organization),
        "agent-controller, no organization": service.configuration("/agent-controller"),
    }[request.param]


def refusal(call: Callable[[], Any]) -> ModuleException:
    with pytest.raises(ModuleException) as raised:
        call()
    return raised.value


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


def test_agents(service: Service, configuration: Configuration) -> None:
    agents = Agents(configuration=configuration)
    assert [agent.name for agent in agents.list()] == ["Slow", "Guide"]
    agent = agents.get(service.guide)
    assert (agent.id, agent.name, agent.organization_id) == (service.guide, "Guide", service.organization)
    assert agent.instructions.role == ["guide"]
    assert agent.llm_credentials is None
    assert agents.get(service.guide, version=agent.version).id == service.guide
    assert agents.list()[1].load(configuration=configuration).id == service.guide
    missing = refusal(lambda: agents.get(service.guide, version=agent.version + 1))
    assert missing.status_code == 404 and "Agent version not found" in str(missing)


def test_all_agents(service: Service) -> None:
    key = service.plane.call("keys.create", body={"name": "many", "organization_id": "many"})["key"]
    agents = Agents(configuration=service.configuration(key=key))
    assert agents.list() == []
    with httpx.Client(base_url=service.url, headers={"x-api-key": key}) as client:
        made = [client.post("/v1/agents", json={"name": f"Agent {number}"}).json()["id"] for number in range(120)]
    assert [agent.id for agent in agents.list()] == made[::-1]


def test_task(service: Service, configuration: Configuration) -> None:
    tasks = Tasks(configuration=configuration)
    task = tasks.create(service.guide, prompt="hello")
    assert isinstance(task, Task)
    assert task.status is AgentExecutionStatus.Completed
    assert task.result == "echo: hello"
    assert task.organization_id == service.organization and task.source

    again = tasks.get(task.id)
    assert (again.id, again.status, again.result) == (task.id, task.status, task.result)
    again.reload()
    assert again.result == "echo: hello"

    turn = tasks.create(service.guide, existing_task_id=task.id, prompt="and again")
    assert (turn.id, turn.result) == (task.id, "echo: and again")
    again.reload()
    assert again.result == "echo: and again"

    stopped = tasks.stop(task.id)
    assert (stopped.id, stopped.status) == (task.id, AgentExecutionStatus.Completed)


def test_other_ways_to_a_task(service: Service) -> None:
    configuration = service.configuration()
    agent = Agents(configuration=configuration).get(service.guide)
    task = agent.create_task(prompt="hello", user_details=User(id="u", email="u@example.com"), agent_version="draft")
    assert (task.result, task.agent_version, task.input.user.id) == ("echo: hello", "draft", "u")
    task = Backend(configuration=configuration).invoke_agent(agent_id=service.guide, prompt="from the backend")
    assert task.result == "echo: from the backend"


def test_lists(service: Service) -> None:
    tasks = Tasks(configuration=service.configuration())
    agent = service.plane.agents.create(name="Listed")["id"]
    try:
        assert tasks.list(agent) == []
        made = [tasks.create(agent, prompt=str(number)).id for number in range(60)]
        user = User(id="lists", email="lists@example.com")
        mine = tasks.create(agent, prompt="mine", user_details=user).id
        assert [task.id for task in tasks.list(agent)] == [mine] + made[::-1]
        assert [task.id for task in tasks.list(agent, filters={"user_id": None, "status": "completed"})][1:] == made[::-1]
        assert [task.id for task in tasks.list(agent, filters={"user_id": "lists"})] == [mine]
        assert tasks.list(agent, filters={"status": "stopped"}) == []
        listed = tasks.list_user_tasks("lists")
        assert [(task.id, task.status, task.result) for task in listed] == [
            (mine, AgentExecutionStatus.Completed, "echo: mine")]
        assert listed[0].load(configuration=service.configuration()).result == "echo: mine"
        assert tasks.list_user_tasks("nobody") == []
    finally:
        service.plane.agents.delete(agent)


def test_stop(service: Service) -> None:
    configuration = service.configuration()
    ended = []
    thread = threading.Thread(
        target=lambda: ended.append(Tasks(configuration=configuration).create(service.slow, prompt="wait")))
    thread.start()
    tasks = Tasks(configuration=service.configuration("/agent-controller", service.organization))
    running = until(lambda: tasks.list(service.slow, filters={"status": "executing"}))[0]
    stopped = tasks.stop(running.id)
    assert (stopped.id, stopped.status) == (running.id, AgentExecutionStatus.Stopped)
    thread.join(20)
    assert [task.status for task in ended] == [AgentExecutionStatus.Stopped]


def test_refusals(service: Service, configuration: Configuration) -> None:
    wrong = configuration.model_copy(update={"api_key": service.key[:-1] + ("1" if service.key[-1] == "0" else "0")})
    for call in (
        lambda: Agents(configuration=wrong).list(),
        lambda: Agents(configuration=wrong).get(service.guide),
        lambda: Tasks(configuration=wrong).create(service.guide, prompt="x"),
        lambda: Tasks(configuration=wrong).list(service.guide),
    ):
        refused = refusal(call)
        assert refused.status_code == 401 and "Invalid or missing API key" in str(refused)

    theirs = service.configuration(key=service.other_key)
    task = Tasks(configuration=configuration).create(service.guide, prompt="x")
    for call in (
        lambda: Agents(configuration=theirs).get(service.guide),
        lambda: Tasks(configuration=theirs).create(service.guide, prompt="x"),
        lambda: Tasks(configuration=theirs).get(task.id),
        lambda: Tasks(configuration=theirs).stop(task.id),
        lambda: Tasks(configuration=service.configuration("/agent-controller", "other")).list(service.guide),
    ):
        assert refusal(call).status_code == 403
    assert Agents(configuration=theirs).list() == []

    tasks = Tasks(configuration=configuration)
    assert refusal(lambda: Agents(configuration=configuration).get("none")).status_code == 404
    assert refusal(lambda: tasks.get("none")).status_code == 404
    assert refusal(lambda: tasks.create(service.guide, prompt="")).status_code == 422
    locally = refusal(lambda: tasks.create(service.guide, prompt="x", run_locally=True))
    assert locally.status_code == 501 and "run_locally" in str(locally)
    update = refusal(lambda: task.set_status(AgentExecutionStatus.Failed))
    assert update.status_code == 501 and "/agent-execution/{task_id}/update" in str(update)
    said = task.get_activity_log().messages
    assert [message.role for message in said if hasattr(message, "role")] == ["user", "agent"]
