"""The REST service on a socket, from Python."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any, Callable, Dict, List, Tuple

import pytest

import muster


def ask(server: muster.Server, method: str, target: str, key: str, body: Any = None) -> Tuple[int, Any]:
    connection = http.client.HTTPConnection(server.url.split("//")[1], timeout=30)
    text = None if body is None else json.dumps(body)
    connection.request(method, target, text, {"x-api-key": key})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else None


def test_a_plane_serves_what_its_methods_answer(open_plane: Callable[..., muster.Plane]) -> None:
    plane = open_plane()
    key = plane.call("keys.create", body={"name": "me"})["key"]
    with plane.serve(rate_limit="off") as server:
        assert server.url in repr(server)
        status, agent = ask(server, "POST", "/v1/agents", key, {"name": "over a socket"})
        assert status == 201 and plane.call("agents.get", agent_id=agent["id"]) == agent
        path = f"/v1/agents/{agent['id']}/invoke"
        answers: List[Tuple[int, Dict[str, Any]]] = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(ask(server, "POST", path, key, {"input": {"text": "hello"}}))
            )
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [status for status, _ in answers] == [200] * 8
        assert {task["result"] for _, task in answers} == {"echo: hello"}
        metrics = text_of(server, "/metrics")
        assert 'muster_http_requests_total{route="/v1/agents/{agent_id}/invoke",method="POST",status="200"} 8' in metrics
        assert "muster_runs_begun_total 8" in metrics
        assert 'muster_runs_ended_total{status="completed"} 8' in metrics
        assert 'muster_runs_ended_total{status="error"} 0' in metrics
        counted = {line.split()[0]: float(line.split()[1]) for line in metrics if not line.startswith("#")}
        assert counted['muster_model_tokens_total{kind="completion"}'] > 0
        assert counted["muster_store_writes_total"] >= counted["muster_store_commits_total"] > 0
        assert agent["id"] not in "".join(metrics) and "over a socket" not in "".join(metrics)
    with pytest.raises(ConnectionRefusedError):
        ask(server, "GET", "/health", key)
    server.stop()


def text_of(server: muster.Server, target: str) -> List[str]:
    connection = http.client.HTTPConnection(server.url.split("//")[1], timeout=30)
    connection.request("GET", target)
    text = connection.getresponse().read().decode()
    connection.close()
    return text.splitlines()


def test_what_is_wrong_is_named(open_plane: Callable[..., muster.Plane]) -> None:
    plane = open_plane()
    with pytest.raises(muster.MisuseError, match="port"):
        plane.serve(port=80)
    with pytest.raises(muster.NetworkError):
        plane.serve(listen="192.0.2.1:0")


def test_closing_the_plane_stops_its_servers(open_plane: Callable[..., muster.Plane]) -> None:
    plane = open_plane()
    server = plane.serve()
    plane.close()
    with pytest.raises(ConnectionRefusedError):
        ask(server, "GET", "/health", "")
    server.stop()


def test_a_log_function_hears_of_each_request(store: str) -> None:
    lines: List[str] = []
    log = lambda level, component, message: lines.append(message) if component == "request" else None  # noqa: E731
    with muster.open(store, log=log) as plane, plane.serve() as server:
        for _ in range(5):
            assert ask(server, "GET", "/v1/agents", "wrong")[0] == 401
    assert [json.loads(line)["status"] for line in lines] == [401] * 5
