"""How failures look in Python."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import muster


def test_unknown_ids_are_not_found(plane: muster.Plane) -> None:
    """An unknown id raises NotFoundError with everything that the service says."""
    with pytest.raises(muster.NotFoundError) as caught:
        plane.agents.get("nobody")
    failure = caught.value
    assert isinstance(failure, LookupError) and isinstance(failure, muster.APIError)
    assert (failure.status, failure.status_name, failure.http_status) == (20, "API", 404)
    assert failure.detail == failure.message == str(failure) == "Agent not found"
    assert failure.retryable is False and failure.task_id is None
    for call in (plane.tasks.get, plane.tasks.stop, plane.tasks.delete, plane.tasks.thread, plane.tasks.thread_full):
        with pytest.raises(muster.NotFoundError, match="Task not found"):
            call("nothing")


def test_validation_errors_name_the_place(plane: muster.Plane) -> None:
    """A field that is not valid raises ValidationError with its loc, also a list index."""
    with pytest.raises(muster.ValidationError) as caught:
        plane.call("agents.create", body={"instructions": {"role": [1]}})
    failure = caught.value
    assert isinstance(failure, ValueError) and failure.http_status == 422
    places = sorted(str(item["loc"]) for item in failure.detail)
    assert places == sorted(str(loc) for loc in (["body", "name"], ["body", "instructions", "role", 0]))
    assert all(set(item) == {"loc", "msg", "type"} for item in failure.detail)
    with pytest.raises(muster.ValidationError) as caught:
        plane.agents.list(per_page=51)
    assert caught.value.detail[0]["loc"] == ["query", "per_page"]


def test_refusals_have_classes(plane: muster.Plane) -> None:
    """403, 400 and 501 raise classes of their own."""
    kept = plane.agents.create(name="A", deletable=False)["id"]
    with pytest.raises(muster.ForbiddenError):
        plane.agents.delete(kept)
    plane.agents.update(kept, status="INACTIVE")
    with pytest.raises(muster.APIError) as caught:
        plane.agents.invoke(kept, "hi")
    assert caught.value.http_status == 400
    plane.agents.update(kept, status="ACTIVE")
    with pytest.raises(muster.UnsupportedError) as unsupported:
        plane.agents.invoke(kept, "hi", think_mode="harder")
    assert unsupported.value.http_status == 501 and "think_mode" in unsupported.value.message


def test_misuse_is_told_apart(plane: muster.Plane) -> None:
    """An unknown operation, JSON that the library refuses, and a request that is nested too deep."""
    with pytest.raises(muster.MisuseError) as caught:
        plane.call("agents.fly")
    assert caught.value.status_name == "UNKNOWN_OP"
    with pytest.raises(muster.JSONError):
        plane.call("agents.create", body={"name": "A", "big": 2**64})
    with pytest.raises(muster.JSONError):
        plane.call("agents.create", body={"name": "A\0B"})
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(muster.MisuseError) as caught:
        plane.call("agents.create", body={"name": "A", "deep": deep})
    assert caught.value.status_name == "LIMIT"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object(), {1, 2}])
def test_values_that_json_cannot_say(plane: muster.Plane, value: Any) -> None:
    """A value that has no JSON form is a ValueError or TypeError before anything is called."""
    with pytest.raises((ValueError, TypeError)):
        plane.call("agents.create", body={"name": "A", "value": value})
    assert plane.agents.list()["total"] == 0


def test_a_name_cannot_be_cut_short(plane: muster.Plane) -> None:
    """An operation with a null character in its name is refused, not cut."""
    with pytest.raises(ValueError):
        plane.call("agents.list\0x")


def test_call_takes_a_mapping_and_keywords(plane: muster.Plane) -> None:
    """Any operation can be called by name, with arguments as a mapping, as keywords, or both."""
    plane.call("agents.create", {"body": {"name": "A"}})
    plane.call("agents.create", body={"name": "B"})
    assert plane.call("agents.list", {"per_page": 1}, page=2)["items"][0]["name"] == "A"
    assert plane.call("agents.delete", agent_id=plane.agents.list()["items"][0]["id"]) is None


def test_errors_can_be_pickled() -> None:
    """An error survives pickling, as between processes, with all it says."""
    error = muster.NotFoundError(20, "API", 404, "Agent not found", {"task_id": "t"}, True)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is muster.NotFoundError and vars(again) == vars(error) and str(again) == str(error)
    assert again.task_id == "t"
