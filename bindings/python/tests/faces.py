"""The faces over which the conformance cases run: the same operations as calls, as requests, and over a socket."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import Any, Dict, Mapping, NamedTuple, Optional, Protocol, Tuple
from urllib.parse import quote, urlencode

import muster

OPERATIONS = {operation["name"]: operation for operation in muster.build_info()["operations"]}


class Answer(NamedTuple):
    """What came of a step: the name of the status is known to calls only."""

    http_status: Optional[int]
    document: Any
    status: Optional[str] = None


class Face(Protocol):
    """Makes a call of an operation."""

    def call(self, operation: str, args: Mapping[str, Any]) -> Answer: ...


class CallFace:
    """``muster_call``."""

    def __init__(self, plane: muster.Plane) -> None:
        self.plane = plane
        # The others need a key, and lists of keys are compared.
        make_key(plane)

    def call(self, operation: str, args: Mapping[str, Any]) -> Answer:
        try:
            return Answer(None, self.plane.call(operation, args), "OK")
        except muster.MusterError as error:
            return Answer(error.http_status, {"detail": error.detail}, error.status_name)


class AsyncFace(CallFace):
    """``muster_submit``, awaited by asyncio."""

    def call(self, operation: str, args: Mapping[str, Any]) -> Answer:
        try:
            if OPERATIONS.get(operation, {}).get("events"):
                return Answer(None, asyncio.run(self.events(operation, args)), "OK")
            return Answer(None, asyncio.run(self.plane.acall(operation, args)), "OK")
        except muster.MusterError as error:
            return Answer(error.http_status, {"detail": error.detail}, error.status_name)


    async def events(self, operation: str, args: Mapping[str, Any]) -> Any:
        """All events of a call that gives some, as ``muster_call`` gives them."""
        names = ("type", "task_id", "organization_id", "time", "id", "data")
        return [{name: getattr(event, name) for name in names} async for event in self.plane.astream(operation, args)]


class RESTFace:
    """Requests with a key; how they are sent is for those that are one."""

    def __init__(self, plane: muster.Plane) -> None:
        self.headers = {"x-api-key": make_key(plane)}

    def send(self, method: str, target: str, headers: Dict[str, str], body: bytes) -> Tuple[int, bytes]:
        raise NotImplementedError

    def call(self, operation: str, args: Mapping[str, Any]) -> Answer:
        method, target, headers, body = request(operation, args)
        status, content = self.send(method, target, {**self.headers, **headers}, body)
        if content.startswith(b"id: "):
            # A stream: what its frames carry.
            return Answer(status, [json.loads(line[6:]) for line in content.split(b"\n") if line.startswith(b"data: ")])
        document = json.loads(content) if content else None
        assert content in (b"", compact(document)), "an answer is compact JSON"
        return Answer(status, document)


class HTTPFace(RESTFace):
    """``muster_http``."""

    def __init__(self, plane: muster.Plane) -> None:
        super().__init__(plane)
        self.plane = plane

    def send(self, method: str, target: str, headers: Dict[str, str], body: bytes) -> Tuple[int, bytes]:
        answer = self.plane.http(method, target, headers, body)
        return answer.status, answer.body


class SocketFace(RESTFace):
    """A server at an address ``http://HOST:PORT``, over one connection."""

    def __init__(self, plane: muster.Plane, url: str) -> None:
        super().__init__(plane)
        self.connection = http.client.HTTPConnection(url[len("http://") :], timeout=60)

    def send(self, method: str, target: str, headers: Dict[str, str], body: bytes) -> Tuple[int, bytes]:
        self.connection.request(method, target, body or None, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def make_key(plane: muster.Plane) -> str:
    """A key that manages keys."""
    key: str = plane.call("keys.create", body={"name": "conformance", "can_manage_keys": True})["key"]
    return key


class NotExpressible(Exception):
    """A call that cannot be put into a request: an unknown operation, or a path without its parameter."""


def request(operation: str, args: Mapping[str, Any]) -> Tuple[str, str, Dict[str, str], bytes]:
    """Method, target, headers and body of the request that makes a call."""
    table = OPERATIONS.get(operation)
    if table is None or not table["path"]:
        raise NotExpressible(operation)
    rest = dict(args)
    body, context = rest.pop("body", None), rest.pop("context", None) or {}
    path = table["path"]
    for parameter in table["parameters"]:
        if parameter["in"] == "path":
            value = rest.pop(parameter["name"], None)
            if not isinstance(value, str) or not value:
                raise NotExpressible(parameter["name"])
            path = path.replace("{" + parameter["name"] + "}", quote(value, safe=""))
    query = {}
    for name, value in rest.items():
        if isinstance(value, (dict, list)):
            raise NotExpressible(name)
        if value is not None:
            query[name] = value if isinstance(value, str) else json.dumps(value)
    headers = {}
    if "idempotency_key" in context:
        headers["Idempotency-Key"] = context["idempotency_key"]
    if body is not None:
        headers["Content-Type"] = "application/json"
    return (
        table["method"],
        path + ("?" + urlencode(query) if query else ""),
        headers,
        b"" if body is None else compact(body),
    )


def compact(value: Any) -> bytes:
    """The JSON text of a value as the library writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
