"""Finds and loads the shared library, and declares the functions of ``muster.h`` that this package calls."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import List, Tuple

# Python's own SQLite must be in the process first: then both use one copy, and their locks on one file agree.
try:
    import _sqlite3  # noqa: F401
except ImportError:
    pass

NAME = "libmuster.so.1"
ABI_VERSION = 1

LogFunction = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t
)


class Host(ctypes.Structure):
    """``muster_host``: what the host lends a plane."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("user_data", ctypes.c_void_p),
        ("log", LogFunction),
        ("secrets_key", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
    ]


class QueueEvent(ctypes.Structure):
    """``muster_event``: what a queue gives of one call."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("ticket", ctypes.c_uint64),
        ("user_data", ctypes.c_void_p),
        ("kind", ctypes.c_int32),
        ("status", ctypes.c_int32),
        ("sequence", ctypes.c_int64),
        ("json", ctypes.c_void_p),
        ("json_len", ctypes.c_size_t),
        ("error", ctypes.c_void_p),
    ]


EVENT_FINAL = 2

_P = ctypes.c_void_p
_OUT = ctypes.POINTER(ctypes.c_void_p)
_LENGTH = ctypes.POINTER(ctypes.c_size_t)

_PROTOTYPES: List[Tuple[str, object, List[object]]] = [
    ("muster_version", ctypes.c_char_p, []),
    ("muster_abi_version", ctypes.c_int32, []),
    ("muster_build_info", ctypes.c_char_p, []),
    ("muster_status_name", ctypes.c_char_p, [ctypes.c_int32]),
    ("muster_error_http_status", ctypes.c_int32, [_P]),
    ("muster_error_retryable", ctypes.c_bool, [_P]),
    ("muster_error_message", ctypes.c_char_p, [_P]),
    ("muster_error_json", ctypes.c_char_p, [_P, _P]),
    ("muster_error_free", None, [_P]),
    ("muster_free", None, [_P]),
    ("muster_open", ctypes.c_int32, [ctypes.c_char_p, ctypes.POINTER(Host), _OUT, _OUT]),
    ("muster_close", ctypes.c_int32, [_P]),
    ("muster_ticket_new", ctypes.c_uint64, [_P]),
    ("muster_cancel", ctypes.c_int32, [_P, ctypes.c_uint64]),
    ("muster_resume", ctypes.c_int32, [_P, _OUT]),
    (
        "muster_call",
        ctypes.c_int32,
        [_P, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int64, _OUT, _LENGTH, _OUT],
    ),
    ("muster_queue_open", ctypes.c_int32, [_P, _OUT, _OUT]),
    ("muster_queue_close", ctypes.c_int32, [_P]),
    ("muster_queue_next", ctypes.c_int32, [_P, ctypes.c_int64, ctypes.POINTER(QueueEvent)]),
    ("muster_queue_drain", ctypes.c_int32, [_P, ctypes.c_int64, ctypes.c_size_t, _OUT, _LENGTH, _OUT]),
    ("muster_queue_fd", ctypes.c_int32, [_P]),
    ("muster_event_clear", None, [ctypes.POINTER(QueueEvent)]),
    (
        "muster_submit",
        ctypes.c_int32,
        [_P, _P, ctypes.c_char_p, ctypes.c_char_p, _P, ctypes.POINTER(ctypes.c_uint64), _OUT],
    ),
    ("muster_tool_register_queue", ctypes.c_int32, [_P, ctypes.c_char_p, _P, _OUT]),
    ("muster_tool_unregister", ctypes.c_int32, [_P, ctypes.c_char_p, _OUT]),
    ("muster_tool_reply", ctypes.c_int32, [_P, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_bool, _OUT]),
    ("muster_tool_cancelled", ctypes.c_bool, [_P, ctypes.c_char_p]),
    ("muster_serve", ctypes.c_int32, [_P, ctypes.c_char_p, _OUT, _OUT]),
    ("muster_server_url", ctypes.c_int32, [_P, _OUT, _LENGTH, _OUT]),
    ("muster_server_stop", ctypes.c_int32, [_P]),
    (
        "muster_http",
        ctypes.c_int32,
        [
            *(_P, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t),
            *(ctypes.POINTER(ctypes.c_int32), _OUT, _OUT, _LENGTH, _OUT),
        ],
    ),
]


def _candidates() -> List[str]:
    """Where to look, in order. A path in ``MUSTER_LIBRARY`` is the only one: a wrong one should not go unnoticed."""
    chosen = os.environ.get("MUSTER_LIBRARY")
    if chosen:
        return [chosen]
    here = Path(__file__).resolve()
    found = [str(here.parent / NAME)]
    for folder in here.parents:
        if (folder / "include" / "muster.h").is_file():
            found.append(str(folder / "build" / NAME))
            break
    found.append(NAME)
    return found


def load() -> ctypes.CDLL:
    """Loads the library; an ``ImportError`` names each place that was tried and why it did not do."""
    tried: List[str] = []
    for candidate in _candidates():
        if os.sep in candidate and not os.path.exists(candidate):
            tried.append(f"{candidate}: no such file")
            continue
        try:
            library = ctypes.CDLL(candidate)
            for name, result, arguments in _PROTOTYPES:
                function = getattr(library, name)
                function.restype = result
                function.argtypes = arguments
        except (OSError, AttributeError) as error:
            tried.append(f"{candidate}: {error}")
            continue
        abi_version = library.muster_abi_version()
        if abi_version != ABI_VERSION:
            tried.append(f"{candidate}: has ABI version {abi_version}, this package needs {ABI_VERSION}")
            continue
        return library
    raise ImportError("cannot load the Muster library; tried:\n  " + "\n  ".join(tried))


library = load()
