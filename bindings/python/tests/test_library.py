"""How the shared library is found, and what it says about itself."""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from conftest import SOURCE, TOP

import muster
from muster import _library, _native, errors


def run(program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_wrong_path_is_named() -> None:
    """A path in MUSTER_LIBRARY that does not exist is an ImportError that names it, and nothing else is tried."""
    done = run("import muster", MUSTER_LIBRARY="/nowhere/libmuster.so.1")
    assert done.returncode != 0
    assert "ImportError" in done.stderr and "/nowhere/libmuster.so.1: no such file" in done.stderr
    assert "build/libmuster.so.1" not in done.stderr


def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    """A file that cannot be loaded is an ImportError with the loader's reason."""
    wrong = tmp_path / "libmuster.so.1"
    wrong.write_text("not a library")
    done = run("import muster", MUSTER_LIBRARY=str(wrong))
    assert "ImportError" in done.stderr and f"{wrong}: " in done.stderr


def test_another_library_is_refused() -> None:
    """A library without the functions of the header is refused."""
    done = run("import muster", MUSTER_LIBRARY="libc.so.6")
    assert "ImportError" in done.stderr and "muster_version" in done.stderr


def test_where_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable: the package folder, the build folder of a checkout, then the loader's own places."""
    monkeypatch.delenv("MUSTER_LIBRARY", raising=False)
    package = SOURCE / "muster" / "libmuster.so.1"
    build = TOP / "build" / "libmuster.so.1"
    assert _library._candidates() == [str(package), str(build), "libmuster.so.1"]


def test_sqlite_comes_first() -> None:
    """Python's own SQLite is loaded before the library, so that both use one copy."""
    done = run(
        "import sys, ctypes\n"
        "real = ctypes.CDLL\n"
        "def load(*args, **more):\n"
        "    assert '_sqlite3' in sys.modules\n"
        "    print('loaded')\n"
        "    return real(*args, **more)\n"
        "ctypes.CDLL = load\n"
        "import muster, sqlite3\n"
        "maps = {line.split()[-1] for line in open('/proc/self/maps') if 'libsqlite3' in line}\n"
        "print(len(maps))\n"
    )
    assert done.stdout.split() == ["loaded", "1"], done.stderr


def test_versions_agree() -> None:
    """The package and the library have one version."""
    assert muster.library_version() == muster.__version__
    assert muster.build_info()["version"] == muster.library_version()


def test_each_status_has_a_class() -> None:
    """Each status of the library has a class of its own or its kind, whose numbers are those of the header."""
    statuses = muster.build_info()["statuses"]
    assert statuses["OK"] == 0
    expected = {
        "MISUSE": errors.MisuseError,
        "BAD_HANDLE": errors.BadHandleError,
        "UTF8": errors.JSONError,
        "JSON": errors.JSONError,
        "LIMIT": errors.MisuseError,
        "UNKNOWN_OP": errors.MisuseError,
        "WOULD_DEADLOCK": errors.MisuseError,
        "FORKED": errors.BadHandleError,
        "API": errors.APIError,
        "BUSY": errors.BusyError,
        "TIMEOUT": errors.TimeoutError_,
        "STORE": errors.StoreError,
        "NETWORK": errors.NetworkError,
        "CANCELLED": errors.CancelledError,
        "CLOSED": errors.ClosedError,
        "UNSUPPORTED": errors.UnsupportedError,
        "INTERNAL": errors.InternalError,
    }
    assert {name: errors.error_class(number, 500) for name, number in statuses.items() if number != 0} == expected


def test_every_public_name_exists() -> None:
    """What the package promises to export is there."""
    package = importlib.import_module("muster")
    assert [name for name in package.__all__ if not hasattr(package, name)] == []


def test_the_event_structure_is_that_of_the_header() -> None:
    """ctypes sees the size and the offsets of muster_event that C pins in its own tests."""
    fields = [name for name, *_ in _library.QueueEvent._fields_]
    assert fields == ["struct_size", "ticket", "user_data", "kind", "status", "sequence", "json", "json_len", "error"]
    assert [getattr(_library.QueueEvent, name).offset for name in fields] == [0, 8, 16, 24, 28, 32, 40, 48, 56]
    assert ctypes.sizeof(_library.QueueEvent) == 64


def test_the_host_structure_is_that_of_the_header() -> None:
    """ctypes sees the size and the offsets of muster_host that C pins in its own tests."""
    fields = [name for name, *_ in _library.Host._fields_]
    assert fields == ["struct_size", "user_data", "log", "secrets_key", "release"]
    assert [getattr(_library.Host, name).offset for name in fields] == [0, 8, 16, 24, 32]
    assert ctypes.sizeof(_library.Host) == 40


def test_the_event_structure_is_that_of_the_header() -> None:
    """ctypes sees the size and the offsets of muster_event that C pins in its own tests."""
    assert [
        (name, getattr(_library.QueueEvent, name).offset, getattr(_library.QueueEvent, name).size)
        for name, *_ in _library.QueueEvent._fields_
    ] == [
        ("struct_size", 0, 8),
        ("ticket", 8, 8),
        ("user_data", 16, 8),
        ("kind", 24, 4),
        ("status", 28, 4),
        ("sequence", 32, 8),
        ("json", 40, 8),
        ("json_len", 48, 8),
        ("error", 56, 8),
    ]
    assert ctypes.sizeof(_library.QueueEvent) == 64


def declared() -> Dict[str, List[str]]:
    """The functions of the header: the kinds of the result and of the parameters, as C says them."""
    text = re.sub(r"/\*.*?\*/", "", (TOP / "include" / "muster.h").read_text(), flags=re.DOTALL)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"MUSTER_(NULLABLE|NONNULL|CHECK_RESULT)\b", "", text)
    found = {}
    for result, name, parameters in re.findall(r"MUSTER_API\s+([^;(]*?)\b(\w+)\(([^;]*)\);", text):
        kinds = [] if parameters.strip() == "void" else parameters.split(",")
        found[name] = [kind(result)] + [kind(re.sub(r"\w+\s*$", "", one)) for one in kinds]
    return found


def kind(written: str) -> str:
    """What a C type is to the calling convention."""
    stars = written.count("*")
    if stars:
        return "pointer"
    name = written.replace("const", "").strip()
    return {"muster_status": "int32_t", "muster_ticket": "uint64_t"}.get(name, name)


def called(kind: Any) -> str:
    """The same of a ctypes type."""
    names: Dict[Any, str] = {
        None: "void",
        ctypes.c_int32: "int32_t",
        ctypes.c_int64: "int64_t",
        ctypes.c_uint64: "uint64_t",
        ctypes.c_bool: "bool",
    }
    # On this machine size_t and uint64_t are one type to ctypes.
    return names.get(kind, "pointer")


def test_the_prototypes_are_those_of_the_header() -> None:
    """Each function that is called has the result and the parameters that the header gives it."""
    header = declared()
    assert len(header) > 30
    for name, result, arguments in _library._PROTOTYPES:
        wanted = [one.replace("size_t", "uint64_t") for one in header[name]]
        assert [called(one) for one in (result, *arguments)] == wanted, name
    constants = (TOP / "include" / "muster.h").read_text()
    assert f"#define MUSTER_EVENT_FINAL {_library.EVENT_FINAL} " in constants
    statuses = muster.build_info()["statuses"]
    assert (statuses["TIMEOUT"], statuses["WOULD_DEADLOCK"]) == (_native._TIMEOUT, _native._WOULD_DEADLOCK)


def test_asyncio_is_not_imported_for_nothing() -> None:
    """Programs without asyncio do not pay for importing it; the names are there all the same."""
    done = run("import muster, sys\nassert 'asyncio' not in sys.modules\nprint(muster.AsyncEventStream.__name__)")
    assert done.stdout == "AsyncEventStream\n", done.stderr
