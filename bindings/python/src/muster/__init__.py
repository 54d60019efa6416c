"""Muster: an agent control plane inside your process.

import muster

with muster.open("agents.db") as plane:
    agent = plane.agents.create(name="Greeter", instructions={"general": "Greet the user."})
    task = plane.agents.invoke(agent["id"], "Hello")
    print(task["result"])
"""

from typing import TYPE_CHECKING, Any

from . import types
from ._area import UNSET
from ._events import Event, ToolUse
from ._functions import ToolCall
from ._hooks import Done
from ._native import HTTPAnswer, build_info, library_version
from ._operations import Agents, LlmProviders, Tasks
from ._plane import Plane, open
from ._server import Server
from ._streams import EventStream
from ._tools import Tools
from .errors import (
    APIError,
    BadHandleError,
    BusyError,
    CancelledError,
    ClosedError,
    ForbiddenError,
    InternalError,
    JSONError,
    MisuseError,
    MusterError,
    NetworkError,
    NotFoundError,
    StoreError,
    TimeoutError_,
    UnsupportedError,
    ValidationError,
)

if TYPE_CHECKING:
    from ._loops import AsyncEventStream

__version__ = "0.1.0"

__all__ = [
    "APIError",
    "Agents",
    "AsyncEventStream",
    "BadHandleError",
    "BusyError",
    "CancelledError",
    "ClosedError",
    "Done",
    "Event",
    "EventStream",
    "ForbiddenError",
    "HTTPAnswer",
    "InternalError",
    "JSONError",
    "LlmProviders",
    "MisuseError",
    "MusterError",
    "NetworkError",
    "NotFoundError",
    "Plane",
    "Server",
    "StoreError",
    "Tasks",
    "TimeoutError_",
    "ToolCall",
    "ToolUse",
    "Tools",
    "UNSET",
    "UnsupportedError",
    "ValidationError",
    "build_info",
    "library_version",
    "open",
    "types",
]


def __getattr__(name: str) -> Any:
    """Imports what needs asyncio when it is asked for."""
    if name == "AsyncEventStream":
        from ._loops import AsyncEventStream

        return AsyncEventStream
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
