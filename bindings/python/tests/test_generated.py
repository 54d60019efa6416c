"""The generated files are those that the library's operation table gives."""

from __future__ import annotations

import importlib.util
import inspect
import keyword
from typing import Any, Dict

import pytest
from conftest import SOURCE

import muster

ROOT = SOURCE.parent


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["types.py", "_operations.py"])
def test_checked_in_files_are_current(name: str) -> None:
    """Running generate.py again changes nothing."""
    text = generator().modules(muster.build_info())[name]
    assert (SOURCE / "muster" / name).read_bytes() == text.encode()


def test_each_operation_has_a_method() -> None:
    """Each operation of the library is a method, with its path and query parameters by name."""
    with muster.open(":memory:") as plane:
        for operation in muster.build_info()["operations"]:
            area, name = operation["name"].split(".")
            name = {"invoke_stream": "stream"}.get(name, name)
            method = getattr(getattr(plane, area), name + "_" * keyword.iskeyword(name))
            parameters = inspect.signature(method).parameters
            assert {parameter["name"] for parameter in operation["parameters"]} <= set(parameters)


@pytest.mark.parametrize("area, name", [("agents", "invoke"), ("agents", "stream"), ("tasks", "events")])
def test_what_waits_has_a_twin_for_asyncio(area: str, name: str) -> None:
    """Methods that wait for a model have a twin with the same parameters."""
    with muster.open(":memory:") as plane:
        methods = [getattr(getattr(plane, area), prefix + name) for prefix in ("", "a")]
    plain, twin = (inspect.signature(method) for method in methods)
    assert plain.parameters == twin.parameters


def test_schemas_become_types() -> None:
    """Each kind of schema becomes the Python type that fits it."""
    types = generator().Types({"Cat": {"properties": {"mood": {"enum": ["good", "bad", None]}}}})
    assert types.name({"enum": ["good", "bad"]}, "") == "Mood"
    assert types.name({"type": "string"}, "") == "str"
    assert types.name({"type": ["string", "null"]}, "") == "Optional[str]"
    assert types.name({"type": "integer", "nullable": True}, "") == "Optional[int]"
    assert types.name({"enum": ["a", None]}, "") == 'Optional[Literal["a"]]'
    assert types.name({"type": "array", "items": {"$ref": "#/components/schemas/Task"}}, "") == "List[Task]"
    assert types.name({"type": "object", "additionalProperties": {"type": "number"}}, "") == "Dict[str, float]"
    assert types.name({"anyOf": [{"$ref": "#/x/A"}, {"type": ["string", "null"]}]}, "") == "Optional[Union[A, str]]"
    assert types.name({}, "") == types.name(True, "") == "Any"
    assert types.chunks == []
    assert types.name({"type": "object", "properties": {"class": {"type": "boolean"}}}, "Odd") == "Odd"
    namespace: Dict[str, Any] = {}
    exec("from typing import TypedDict\n" + types.chunks[0], namespace)
    assert list(namespace["Odd"].__annotations__) == ["class"]
