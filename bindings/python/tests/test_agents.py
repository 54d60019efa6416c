"""The operations on agents, as Python has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from conftest import ModelServer

import muster

Opener = Callable[..., muster.Plane]


def test_every_operation_works(plane: muster.Plane, tmp_path: Path) -> None:
    """One walk through all operations of the table, by their methods; none is left out."""
    called = set()

    def noting(inner: Callable[..., Any]) -> Any:
        def note(operation: str, *rest: object) -> object:
            called.add(operation)
            return inner(operation, *rest)

        return note

    plane._call = noting(plane._call)  # type: ignore[method-assign]
    plane._stream = noting(plane._stream)  # type: ignore[method-assign]
    agent = plane.agents.create(name="A")
    agent_id = agent["id"]
    assert plane.agents.get(agent_id) == agent
    assert [item["id"] for item in plane.agents.list()["items"]] == [agent_id]
    assert plane.agents.list_full()["items"] == [agent]
    assert plane.agents.update(agent_id, description="d")["has_pending_changes"] is True
    assert plane.agents.deploy(agent_id)["version"] == 3
    task = plane.agents.invoke(agent_id, "hi")
    task_id = task["id"]
    assert plane.tasks.get(task_id) == task
    assert plane.tasks.stop(task_id) == task
    assert [item["id"] for item in plane.tasks.list()["items"]] == [task_id]
    assert plane.agents.tasks(agent_id) == plane.tasks.list()
    assert [message["content"] for message in plane.tasks.thread(task_id)] == ["hi", "echo: hi"]
    assert plane.tasks.thread_full(task_id)["root"][-1]["content"] == "echo: hi"
    assert [event.type for event in plane.tasks.events(task_id)][-1] == "task_finished"
    assert plane.tasks.activity(task_id)["messages"]
    assert plane.tasks.replay(task_id)["is_identical"] is True
    forked = plane.tasks.fork(task_id, "again", event=2)["id"]
    assert list(plane.tasks.events(forked))[-1].data["result"] == "echo: again"
    for decide in (plane.tasks.approve, plane.tasks.reject):
        with pytest.raises(muster.APIError, match="does not wait"):
            decide(task_id)
    followed = plane.agents.invoke_async(agent_id, "hi")["id"]
    assert list(plane.tasks.events(followed))[-1].data["result"] == "echo: hi"
    streamed = list(plane.agents.stream(agent_id, "hi"))[-1].data
    assert plane.tasks.get(streamed["id"]) == streamed
    assert plane.tasks.delete(task_id) is None  # type: ignore[func-returns-value]
    template = plane.agents.export(agent_id, name="T")
    assert plane.agents.import_(template["id"], name="B")["origin_template"] == template["id"]
    providers = [provider["internal_identifier"] for provider in plane.llm_providers.list()]
    assert "openai" in providers and plane.llm_providers.models("openai")
    key = plane.keys.create(name="k", agents=[agent_id])
    assert key.pop("key").startswith("muster_")
    assert plane.keys.get(key["id"]) == key and plane.keys.list()["items"] == [key]
    assert plane.keys.update(key["id"], agents=None, read_only=True) == {**key, "agents": None, "read_only": True}
    assert plane.keys.revoke(key["id"]) is None  # type: ignore[func-returns-value]
    # There has been a key, though it was revoked.
    assert plane.keys.first() == {"key": None}
    assert plane.store.check()["ok"] is True
    assert plane.store.backup(path=str(tmp_path / "copy.db"))["bytes"] > 0
    assert plane.tasks.prune(before="2020-01-01T00:00:00Z")["deleted"] == 0
    assert plane.agents.delete(agent_id) is None  # type: ignore[func-returns-value]
    assert called == {operation["name"] for operation in muster.build_info()["operations"]}


def test_iteration_walks_all_pages(plane: muster.Plane) -> None:
    """iter gives each of more agents than a page holds once, newest first, whatever the size of the page."""
    made = [plane.agents.create(name=f"A{number}")["id"] for number in range(123)]
    newest_first = made[::-1]
    assert [agent["id"] for agent in plane.agents.iter()] == newest_first
    assert [agent["id"] for agent in plane.agents.iter(per_page=7)] == newest_first
    assert [agent["id"] for agent in plane.agents.iter_full()] == newest_first
    assert plane.agents.list(page=3, per_page=50)["items"][-1]["id"] == made[0]


def test_iteration_survives_new_agents(plane: muster.Plane) -> None:
    """Agents made during a walk do not make others appear twice."""
    made = [plane.agents.create(name=f"A{number}")["id"] for number in range(30)]
    walked = []
    for agent in plane.agents.iter(per_page=10):
        walked.append(agent["id"])
        if len(walked) % 5 == 0:
            plane.agents.create(name="New")
    assert walked[:10] == made[:19:-1] and len(set(walked)) == len(walked)
    assert set(made) <= set(walked)


def test_iteration_is_lazy(plane: muster.Plane) -> None:
    """iter asks for a page only when it is needed, and an empty store gives nothing."""
    walk = plane.agents.iter()
    plane.agents.create(name="A")
    assert [agent["name"] for agent in walk] == ["A"]
    assert list(plane.tasks.iter()) == []


def test_fields_go_out_as_given(plane: muster.Plane) -> None:
    """Text, numbers and unknown keys come back as they were given, keys in their order."""
    agent = plane.agents.create(
        name='Ünï "quoted" \\ 🚀',
        instructions={"role": ["a\nb"], "goal": [], "general": "tab\t"},
        zeta={"b": 1.5, "a": [9007199254740993, -0.0, None, True]},
        alpha="\u2028",
    )
    again = plane.agents.get(agent["id"])
    assert again == agent
    assert again["name"] == 'Ünï "quoted" \\ 🚀'
    assert again["zeta"] == {"b": 1.5, "a": [9007199254740993, -0.0, None, True]}  # type: ignore[typeddict-item]
    assert list(again["zeta"]) == ["b", "a"]  # type: ignore[typeddict-item]
    assert [key for key in again if key in ("zeta", "alpha")] == ["zeta", "alpha"]


def test_the_plane_sets_its_own_fields(plane: muster.Plane) -> None:
    """What the control plane sets cannot be given by the caller, neither at creation nor later."""
    theirs: Dict[str, Any] = {
        "id": "mine",
        "unique_name": "mine",
        "webhook_url": "mine",
        "organization_id": "mine",
        "version": 9,
    }
    agent = plane.agents.create(name="A", **theirs)
    changed = plane.agents.update(agent["id"], name="B", **theirs)
    for key in theirs:
        assert changed[key] == agent[key] != theirs[key]  # type: ignore[literal-required]


def test_update_tells_null_from_nothing(plane: muster.Plane) -> None:
    """A field that is not given stays, None clears, and an update of nothing is refused."""
    agent = plane.agents.create(name="A", llm_api_base="http://127.0.0.1:9/v1", description="d")
    changed = plane.agents.update(agent["id"], description="e")
    assert (changed["llm_api_base"], changed["description"]) == ("http://127.0.0.1:9/v1", "e")
    assert plane.agents.update(agent["id"], llm_api_base=None)["llm_api_base"] is None
    assert plane.agents.update(agent["id"], description=muster.UNSET, name="B")["description"] == "e"
    with pytest.raises(muster.ValidationError):
        plane.agents.update(agent["id"])


def test_versions_and_drafts(plane: muster.Plane) -> None:
    """The deployed version runs until a deploy; the draft and earlier versions can be asked for."""
    agent_id = plane.agents.create(name="A", model_name="reply:old")["id"]
    plane.agents.update(agent_id, model_name="reply:new")
    assert plane.agents.invoke(agent_id, "hi")["result"] == "old"
    assert plane.agents.invoke(agent_id, "hi", version="draft")["result"] == "new"
    assert plane.agents.deploy(agent_id)["version"] == 3
    assert plane.agents.invoke(agent_id, "hi")["result"] == "new"
    assert plane.agents.invoke(agent_id, "hi", version="2")["result"] == "old"
    assert plane.agents.update(agent_id, deploy=True, model_name="reply:newest")["version"] == 4
    assert plane.agents.invoke(agent_id, "hi")["result"] == "newest"
    with pytest.raises(muster.NotFoundError):
        plane.agents.invoke(agent_id, "hi", version="9")


def test_stored_credentials_are_used_and_never_shown(plane: muster.Plane) -> None:
    """The stored key reaches the model also after its mask was sent back, and is in no answer."""
    credentials: muster.types.LLMCredentials = {"name": "n", "value": "sk-very-secret", "description": "d"}
    agent = plane.agents.create(name="A", model_name="headers", llm_credentials=credentials)
    agent_id = agent["id"]
    shown = plane.agents.get(agent_id)["llm_credentials"]
    assert shown is not None and shown["value"] == "********"
    plane.agents.update(agent_id, deploy=True, llm_credentials=shown)
    sent = json.loads(plane.agents.invoke(agent_id, "hi")["result"] or "")
    assert sent["authorization"] == "Bearer sk-very-secret"
    answers = [agent, plane.agents.list(), plane.agents.list_full(), plane.agents.get(agent_id)]
    assert "sk-very-secret" not in json.dumps(answers)


def test_the_model_is_sent_instructions_and_history(plane: muster.Plane) -> None:
    """The request to the model has the agent's instructions, the run's own ones, and the turns before."""
    instructions: muster.types.AIAgentInstructions = {"role": ["Be kind"], "goal": ["Help"], "general": "You are Ada."}
    agent_id = plane.agents.create(name="A", model_name="transcript", instructions=instructions)["id"]
    first = plane.agents.invoke(agent_id, "one")
    second = plane.agents.invoke(
        agent_id, "two", id=first["id"], additional_context="It is May.", instructions_override="Be brief."
    )
    messages = json.loads(second["result"] or "")
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    for words in ("Be kind", "Help", "You are Ada.", "It is May.", "Be brief."):
        assert words in messages[0]["content"]
    assert messages[1]["content"] == "one" and messages[2]["content"] == first["result"]
    assert "It is May." not in (first["result"] or "")


def test_model_settings_reach_the_model(open_plane: Opener, model_server: ModelServer) -> None:
    """The name of the model, a schema and extra headers are in the request that the model gets."""
    plane = open_plane()
    agent_id = plane.agents.create(name="A", model_name="request", llm_extra_headers={"x-team": "blue"})["id"]
    schema = {"type": "object"}
    sent = json.loads(plane.agents.invoke(agent_id, "hi", output_format="json", output_schema=schema)["result"] or "")
    assert sent["model"] == "request"
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert model_server.observed()["last_headers"]["x-team"] == "blue"
