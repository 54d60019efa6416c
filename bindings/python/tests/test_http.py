"""Plane.http and Plane.serve."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Dict

import pytest

import muster


@pytest.fixture
def headers(plane: muster.Plane) -> Dict[str, str]:
    return {"x-api-key": plane.call("keys.create", body={"name": "k"})["key"]}


def test_answers(plane: muster.Plane, headers: Dict[str, str]) -> None:
    """Status, headers and body come as the service gives them; an error is an answer."""
    made = plane.http("POST", "/v1/agents", headers, b'{"name":"A"}')
    assert made.status == 201 and made.headers["Content-Type"] == "application/json"
    assert made.json()["name"] == "A"
    listed = plane.http("GET", "/v1/agents?per_page=1", {**headers, "X-Request-Id": "r"})
    assert listed.json()["total"] == 1 and listed.headers["X-Request-Id"] == "r"
    refused = plane.http("GET", "/v1/agents")
    assert (refused.status, refused.json()) == (401, {"detail": "Invalid or missing API key"})
    head = plane.http("HEAD", "/v1/agents", headers)
    assert head.status == 200 and head.body == b"" and head.json() is None


def test_mistakes(plane: muster.Plane) -> None:
    """What is no request at all is an exception."""
    for method, target in (("GET\0", "/"), ("GET", "/\0")):
        with pytest.raises(ValueError):
            plane.http(method, target)
    with pytest.raises(muster.MisuseError):
        plane.http("GET", "/health", {"a": 1})  # type: ignore[dict-item]
    plane.close()
    with pytest.raises(muster.BadHandleError):
        plane.http("GET", "/health")


def test_runs(plane: muster.Plane, headers: Dict[str, str]) -> None:
    """An invoke waits for its task, with the plane's own model."""
    agent = plane.agents.create(name="A")
    answer = plane.http("POST", f"/v1/agents/{agent['id']}/invoke", headers, json.dumps({"input": {"text": "hi"}}))
    assert answer.status == 200 and answer.json()["status"] == "completed"


def test_serve(plane: muster.Plane, headers: Dict[str, str]) -> None:
    """A server answers at its address until it is stopped; a wrong option is named."""
    with pytest.raises(muster.MisuseError, match="lisen"):
        plane.serve(lisen="127.0.0.1:0")
    with plane.serve() as server:
        with urllib.request.urlopen(urllib.request.Request(server.url + "/v1/agents", headers=headers)) as answer:
            assert json.load(answer)["total"] == 0
        url = server.url
    server.stop()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url + "/health", timeout=5)
