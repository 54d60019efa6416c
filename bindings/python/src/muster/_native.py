"""Calls the library and turns its answers and errors into Python values."""

from __future__ import annotations

import ctypes
import json
import math
import threading
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ._events import Item
from ._library import EVENT_FINAL, Host, LogFunction, QueueEvent, library
from .errors import MusterError, error_class

Log = Callable[[int, str, str], None]
"""Receives one log line: level (1 error, 2 warning, 3 information, 4 debug), component, message."""


class HTTPAnswer(NamedTuple):
    """What the REST service answers a request with."""

    status: int
    headers: Dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The parsed body; ``None`` when it is empty."""
        return json.loads(self.body) if self.body else None


_LONGEST_MS = 2**62
_WOULD_DEADLOCK = 7
_TIMEOUT = 41


def library_version() -> str:
    """The version of the loaded library, for example ``"0.1.0"``."""
    text: bytes = library.muster_version()
    return text.decode()


def build_info() -> Dict[str, Any]:
    """What the loaded library is: versions, limits, status numbers, operations and schemas."""
    info: Dict[str, Any] = json.loads(library.muster_build_info().decode())
    return info


def encode(value: Any) -> bytes:
    """The JSON text of a value; what JSON cannot say, such as NaN, is a ``ValueError`` or ``TypeError``."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def milliseconds(timeout: Optional[float]) -> int:
    """Seconds to the library's ``timeout_ms``: ``None`` is the plane's own limit, infinity is no limit."""
    if timeout is None:
        return 0
    if not timeout >= 0:
        raise ValueError("timeout must be a number of seconds that is not negative")
    if math.isinf(timeout):
        return -1
    return max(1, min(math.ceil(timeout * 1000), _LONGEST_MS))


def open_plane(config: bytes, log: Optional[Any]) -> int:
    """Opens a plane and gives its handle. ``log`` is from :func:`log_hook` and must live until the plane is closed."""
    host = Host(ctypes.sizeof(Host), None, log if log is not None else LogFunction(), None, None)
    handle, error = ctypes.c_void_p(), ctypes.c_void_p()
    status = library.muster_open(config, ctypes.byref(host), ctypes.byref(handle), ctypes.byref(error))
    if status != 0 or handle.value is None:
        raise _failure(status, error)
    return handle.value


def log_hook(log: Log) -> Any:
    """A function that the library can call; what ``log`` raises is printed by Python and goes no further."""

    def receive(_: Any, level: int, component: bytes, message: Any, length: int) -> None:
        text = ctypes.string_at(message, length)
        log(level, component.decode("utf-8", "replace"), text.decode("utf-8", "replace"))

    return LogFunction(receive)


def close_plane(handle: int, log: Optional[Any] = None) -> None:
    """Closes a plane; harmless when it is closed already. ``log`` is only kept alive until then."""
    status = library.muster_close(handle)
    if status != 0:
        raise _failure(status, ctypes.c_void_p())


def new_ticket(handle: int) -> int:
    """A number that names one later call; 0 when the plane is closed."""
    ticket: int = library.muster_ticket_new(handle)
    return ticket


def cancel(handle: int, ticket: int) -> None:
    """Cancels the call that carries the ticket; harmless when that has ended."""
    status = library.muster_cancel(handle, ticket)
    if status != 0:
        raise _failure(status, ctypes.c_void_p())


def resume(handle: int) -> None:
    """Goes on with the runs that earlier processes left."""
    error = ctypes.c_void_p()
    status = library.muster_resume(handle, ctypes.byref(error))
    if status != 0:
        raise _failure(status, error)


def call(handle: int, operation: str, args: bytes, timeout_ms: int) -> Any:
    """Calls an operation on this thread and gives its parsed answer."""
    name = _name(operation)
    answer, length, error = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_void_p()
    status = library.muster_call(
        handle, name, args, timeout_ms, ctypes.byref(answer), ctypes.byref(length), ctypes.byref(error)
    )
    if status != 0:
        raise _failure(status, error)
    try:
        text = ctypes.string_at(answer, length.value)
    finally:
        library.muster_free(answer)
    return json.loads(text.decode())


def open_queue(handle: int) -> int:
    """Opens a queue on a plane and gives its handle."""
    queue, error = ctypes.c_void_p(), ctypes.c_void_p()
    status = library.muster_queue_open(handle, ctypes.byref(queue), ctypes.byref(error))
    if status != 0 or queue.value is None:
        raise _failure(status, error)
    return queue.value


def close_queue(queue: int) -> None:
    """Closes a queue; harmless when it is closed already."""
    status = library.muster_queue_close(queue)
    if status == _WOULD_DEADLOCK:
        # A forgotten stream was collected while the log was written: then somebody else has to do it.
        threading.Thread(target=close_queue, args=(queue,), name="muster close", daemon=True).start()
    elif status != 0:
        raise _failure(status, ctypes.c_void_p())


def queue_descriptor(queue: int) -> int:
    """The descriptor that is readable while an event may wait; negative when there is none."""
    descriptor: int = library.muster_queue_fd(queue)
    return descriptor


def submit(handle: int, queue: int, operation: str, args: bytes) -> int:
    """Submits a call and gives its ticket."""
    ticket, error = ctypes.c_uint64(), ctypes.c_void_p()
    status = library.muster_submit(
        handle, queue, _name(operation), args, None, ctypes.byref(ticket), ctypes.byref(error)
    )
    if status != 0:
        raise _failure(status, error)
    return ticket.value


def next_item(queue: int, timeout_ms: int) -> Optional[Item]:
    """What a queue has next; ``None`` when nothing came in time. A negative time-out is none."""
    event = QueueEvent(ctypes.sizeof(QueueEvent))
    status = library.muster_queue_next(queue, timeout_ms, ctypes.byref(event))
    if status == _TIMEOUT:
        return None
    if status != 0:
        raise _failure(status, ctypes.c_void_p())
    try:
        text = ctypes.string_at(event.json, event.json_len) if event.json else b"null"
        failure = None
        if event.status != 0:
            error = ctypes.c_void_p(event.error)
            event.error = None  # It is freed with this.
            failure = _failure(event.status, error)
        return Item(event.kind == EVENT_FINAL, event.sequence, json.loads(text.decode()), failure)
    finally:
        library.muster_event_clear(ctypes.byref(event))


def drain(queue: int, most_bytes: int) -> List[Tuple[int, Item]]:
    """What a queue has now: tickets, and what came of their calls."""
    return [
        (
            entry["ticket"],
            Item(entry["kind"] == "final", entry["sequence"], entry["json"], _told_failure(entry)),
        )
        for entry in _drain(queue, 0, most_bytes)
    ]


def wait_for_tools(queue: int) -> List[Tuple[bool, Dict[str, Any]]]:
    """Waits until calls of tools come: each with whether it only tells that nobody waits for a call any more."""
    return [(entry["kind"] == "tool_cancel", entry["json"]) for entry in _drain(queue, -1, 0)]


def _drain(queue: int, timeout_ms: int, most_bytes: int) -> List[Dict[str, Any]]:
    """What a queue has, as the library tells it; nothing when nothing came in time."""
    answer, length, error = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_void_p()
    status = library.muster_queue_drain(
        queue, timeout_ms, most_bytes, ctypes.byref(answer), ctypes.byref(length), ctypes.byref(error)
    )
    if status == _TIMEOUT:
        library.muster_error_free(error)
        return []
    if status != 0:
        raise _failure(status, error)
    try:
        text = ctypes.string_at(answer, length.value)
    finally:
        library.muster_free(answer)
    entries: List[Dict[str, Any]] = json.loads(text.decode())
    return entries


def register_tool(handle: int, spec: bytes, queue: int) -> None:
    """Registers a tool whose calls come through a queue."""
    error = ctypes.c_void_p()
    status = library.muster_tool_register_queue(handle, spec, queue, ctypes.byref(error))
    if status != 0:
        raise _failure(status, error)


def unregister_tool(handle: int, name: str) -> None:
    """Unregisters a tool; its calls end with an error."""
    text = name.encode()
    if b"\0" in text:
        raise ValueError("the name of a tool cannot contain a null character")
    error = ctypes.c_void_p()
    status = library.muster_tool_unregister(handle, text, ctypes.byref(error))
    if status != 0:
        raise _failure(status, error)


def reply_to_tool(handle: int, call_id: str, result: bytes, is_error: bool) -> None:
    """Answers a call of a tool."""
    error = ctypes.c_void_p()
    status = library.muster_tool_reply(handle, call_id.encode(), result, is_error, ctypes.byref(error))
    if status != 0:
        raise _failure(status, error)


def is_tool_cancelled(handle: int, call_id: str) -> bool:
    """Whether nobody waits for the answer of a call any more."""
    is_cancelled: bool = library.muster_tool_cancelled(handle, call_id.encode())
    return is_cancelled


def http(handle: int, method: str, target: str, headers: Mapping[str, str], body: bytes) -> HTTPAnswer:
    """Answers a request of the REST service on this thread."""
    names = method.encode(), target.encode()
    if any(b"\0" in name for name in names):
        raise ValueError("method and target cannot contain a null character")
    status, length = ctypes.c_int32(), ctypes.c_size_t()
    answer_headers, answer, error = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    outcome = library.muster_http(
        *(handle, *names, encode(dict(headers)), body, len(body)),
        *map(ctypes.byref, (status, answer_headers, answer, length, error)),
    )
    if outcome != 0:
        raise _failure(outcome, error)
    try:
        text = ctypes.string_at(answer_headers)
        content = ctypes.string_at(answer, length.value)
    finally:
        library.muster_free(answer_headers)
        library.muster_free(answer)
    return HTTPAnswer(status.value, json.loads(text.decode()), content)


def serve(handle: int, options: bytes) -> int:
    """Starts a server on a plane and gives its handle."""
    server, error = ctypes.c_void_p(), ctypes.c_void_p()
    status = library.muster_serve(handle, options, ctypes.byref(server), ctypes.byref(error))
    if status != 0 or server.value is None:
        raise _failure(status, error)
    return server.value


def server_url(server: int) -> str:
    """The address of a running server."""
    url, error = ctypes.c_void_p(), ctypes.c_void_p()
    status = library.muster_server_url(server, ctypes.byref(url), None, ctypes.byref(error))
    if status != 0:
        raise _failure(status, error)
    try:
        return ctypes.string_at(url).decode()
    finally:
        library.muster_free(url)


def stop_server(server: int) -> None:
    """Stops a server, and waits until it has ended."""
    status = library.muster_server_stop(server)
    if status != 0:
        raise _failure(status, ctypes.c_void_p())


def _name(operation: str) -> bytes:
    """The name of an operation as the library takes it."""
    name = operation.encode()
    if b"\0" in name:
        raise ValueError("the name of an operation cannot contain a null character")
    return name


def _failure(status: int, error: ctypes.c_void_p) -> MusterError:
    """The exception for a failed call; frees the library's error object."""
    name = library.muster_status_name(status).decode()
    if not error:
        return error_class(status, 0)(status, name, 0, name, name)
    try:
        http_status = library.muster_error_http_status(error)
        message = library.muster_error_message(error).decode()
        retryable = library.muster_error_retryable(error)
        document = json.loads(library.muster_error_json(error, None).decode())
    finally:
        library.muster_error_free(error)
    detail = document.get("detail") if isinstance(document, dict) else document
    return error_class(status, http_status)(status, name, http_status, message, detail, retryable)


def _told_failure(entry: Mapping[str, Any]) -> Optional[MusterError]:
    """The exception for the end of a call that a drained queue tells; nothing when it has not failed."""
    status = entry.get("status", 0)
    if status == 0:
        return None
    name = library.muster_status_name(status).decode()
    error = entry["error"]
    document = error["document"]
    detail = document.get("detail") if isinstance(document, dict) else document
    http_status = error["http_status"]
    return error_class(status, http_status)(status, name, http_status, error["message"], detail, error["retryable"])
