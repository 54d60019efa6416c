"""Muster: an agent control plane inside your process.

import muster

with muster.open("agents.db") as plane:
    agent = plane.agents.create(name="Greeter", instructions={"general": "Greet the user."})
    task = plane.agents.invoke(agent["id"], "Hello")
    print(task["result"])
"""

from . import types
from ._area import UNSET
from ._native import HTTPAnswer, build_info, library_version
from ._operations import Agents, LlmProviders, Tasks
from ._plane import Plane, open
from ._server import Server
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

__version__ = "0.1.0"

__all__ = [
    "APIError",
    "Agents",
    "BadHandleError",
    "BusyError",
    "CancelledError",
    "ClosedError",
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
    "UNSET",
    "UnsupportedError",
    "ValidationError",
    "build_info",
    "library_version",
    "open",
    "types",
]
