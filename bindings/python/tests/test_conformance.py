"""Runs the cases of Tests/conformance, which every face of Muster must pass."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from conftest import TOP, ModelServer

import muster

CASES = sorted((TOP / "Tests" / "conformance").glob("*.json"))
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
NAME = re.compile(r"\$\{(\w+)\}")

MATCHERS: Dict[str, Callable[[Any], bool]] = {
    "$any": lambda value: True,
    "$string": lambda value: isinstance(value, str),
    "$nonempty": lambda value: isinstance(value, (str, list, dict)) and len(value) > 0,
    "$uuid": lambda value: isinstance(value, str) and UUID.fullmatch(value) is not None,
    "$time": lambda value: isinstance(value, str) and TIME.fullmatch(value) is not None,
    "$integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "$number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "$null": lambda value: value is None,
}


class Mismatch(AssertionError):
    """A value does not match its pattern."""


def equal(left: Any, right: Any) -> bool:
    """Equality as JSON has it: true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return type(left) is type(right) and left == right or MATCHERS["$number"](left) and left == right


def match(pattern: Any, value: Any, path: str = "") -> None:
    """Raises Mismatch, with the place, unless the value matches."""
    if isinstance(pattern, str) and pattern in MATCHERS:
        if not MATCHERS[pattern](value):
            raise Mismatch(f"{path or '/'}: {value!r} is not {pattern}")
    elif isinstance(pattern, dict) and set(pattern) == {"$exact"}:
        if not equal(pattern["$exact"], value):
            raise Mismatch(f"{path or '/'}: {value!r} is not exactly {pattern['$exact']!r}")
    elif isinstance(pattern, dict):
        if not isinstance(value, dict):
            raise Mismatch(f"{path or '/'}: {value!r} is not an object")
        for key, expected in pattern.items():
            if key not in value:
                raise Mismatch(f"{path}/{key}: is missing")
            match(expected, value[key], f"{path}/{key}")
    elif isinstance(pattern, list):
        if not isinstance(value, list) or len(value) != len(pattern):
            raise Mismatch(f"{path or '/'}: {value!r} is not an array of {len(pattern)}")
        for index, expected in enumerate(pattern):
            match(expected, value[index], f"{path}/{index}")
    elif not equal(pattern, value):
        raise Mismatch(f"{path or '/'}: {value!r} is not {pattern!r}")


def substitute(value: Any, saved: Dict[str, Any]) -> Any:
    """The value with saved values in the place of their names."""
    if isinstance(value, str):
        whole = NAME.fullmatch(value)
        return saved[whole[1]] if whole else NAME.sub(lambda found: str(saved[found[1]]), value)
    if isinstance(value, list):
        return [substitute(item, saved) for item in value]
    if isinstance(value, dict):
        return {substitute(key, saved): substitute(item, saved) for key, item in value.items()}
    return value


def pointer(document: Any, path: str) -> Any:
    """The value at a JSON pointer."""
    for part in path.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def run_step(plane: muster.Plane, step: Dict[str, Any], saved: Dict[str, Any]) -> None:
    """Makes the call of a step and compares what comes back."""
    status, http_status = "OK", None
    try:
        answer = plane.call(step["call"], substitute(step["args"], saved))
    except muster.MusterError as error:
        status, http_status, answer = error.status_name, error.http_status, {"detail": error.detail}
    if status != step.get("status", "OK"):
        raise Mismatch(f"status {status} with {answer!r}, not {step.get('status', 'OK')}")
    if "http_status" in step and http_status != step["http_status"]:
        raise Mismatch(f"HTTP status {http_status} with {answer!r}, not {step['http_status']}")
    if "answer" in step:
        match(substitute(step["answer"], saved), answer)
    for name, path in step.get("save", {}).items():
        saved[name] = pointer(answer, path)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path, store: str, model_server: ModelServer) -> None:
    """Every case of the conformance suite holds."""
    case = json.loads(path.read_text(encoding="utf-8"))
    saved: Dict[str, Any] = {"MODEL_BASE": model_server.base}
    config = {"store": store, "default_model": model_server.default_model()}
    config.update(substitute(case.get("config", {}), saved))
    with muster.Plane(config) as plane:
        for number, step in enumerate(case["steps"], 1):
            try:
                run_step(plane, step, saved)
            except Mismatch as mismatch:
                pytest.fail(f"{path.name}, step {number}, {step['call']} {json.dumps(step['args'])}: {mismatch}")


def test_there_are_cases() -> None:
    """The suite is found, so that passing it means something."""
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    "pattern, value",
    [
        ({"a": 1}, {"b": 1}),
        ({"a": None}, {}),
        ({"$exact": {"a": 1}}, {"a": 1, "b": 2}),
        ([1], [1, 2]),
        ([1, 2], [2, 1]),
        (1, True),
        (0, False),
        (1, "1"),
        ("$uuid", "0045CF07-8AF6-4C69-8D13-0A13C631A5D0"),
        ("$time", "2026-02-05T18:54:51Z"),
        ("$integer", 1.5),
        ("$integer", True),
        ("$number", "1"),
        ("$null", 0),
        ("$nonempty", ""),
        ("$nonempty", []),
        ("$string", None),
        ({"a": {"b": [{"c": "$null"}]}}, {"a": {"b": [{"c": 0}]}}),
    ],
)
def test_patterns_refuse(pattern: Any, value: Any) -> None:
    """The matchers of the runner can fail."""
    with pytest.raises(Mismatch):
        match(pattern, value)
