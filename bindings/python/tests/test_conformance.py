"""Runs the cases of Tests/conformance, which every face of Muster must pass, and compares what the faces answer."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from conftest import TOP, ModelServer
from faces import AsyncFace, CallFace, Face, HTTPFace, NotExpressible, SocketFace, compact

import muster

CASES = sorted((TOP / "Tests" / "conformance").glob("*.json"))
UNIQUE_NAME = re.compile(r"[a-z]+-[a-z]+")
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


def run_step(face: Face, step: Dict[str, Any], saved: Dict[str, Any]) -> Any:
    """Makes the call of a step and compares what comes back, which it gives."""
    answer = face.call(step["call"], substitute(step.get("args", {}), saved))
    wanted = step.get("status", "OK")
    if answer.status is not None and answer.status != wanted:
        raise Mismatch(f"status {answer.status} with {answer.document!r}, not {wanted}")
    if answer.http_status is not None and (answer.http_status < 400) != (wanted == "OK"):
        raise Mismatch(f"HTTP status {answer.http_status} with {answer.document!r}, not {wanted}")
    if "http_status" in step and answer.http_status != step["http_status"]:
        raise Mismatch(f"HTTP status {answer.http_status} with {answer.document!r}, not {step['http_status']}")
    if "answer" in step:
        match(substitute(step["answer"], saved), answer.document)
    for name, path in step.get("save", {}).items():
        saved[name] = pointer(answer.document, path)
    return answer.document


def run_case(path: Path, name: str, store: str, model_server: ModelServer) -> List[Any]:
    """Runs a case over a face; gives the answers of its steps, the exception in place of one that the face cannot make."""
    case = json.loads(path.read_text(encoding="utf-8"))
    saved: Dict[str, Any] = {"MODEL_BASE": model_server.base}
    # API callers may reach the mock, which is on this machine.
    config = {"store": store, "default_model": model_server.default_model(), "network": "open"}
    config.update(substitute(case.get("config", {}), saved))
    answers: List[Any] = []
    with muster.Plane(config) as plane, opened(name, plane) as face:
        for number, step in enumerate(case["steps"], 1):
            try:
                answers.append(run_step(face, step, saved))
            except NotExpressible as reason:
                assert not step.get("save"), f"{path.name}, step {number}: steps below need it"
                answers.append(reason)
            except Mismatch as mismatch:
                pytest.fail(f"{path.name}, step {number}, {step['call']} {json.dumps(step.get('args'))}: {mismatch}")
    return answers


@contextlib.contextmanager
def opened(name: str, plane: muster.Plane) -> Iterator[Face]:
    """The face with this name on a plane."""
    if name == "socket":
        with plane.serve(rate_limit="off", allow_network=["loopback"]) as server:
            face = SocketFace(plane, server.url)
            yield face
            face.connection.close()
    else:
        yield {"http": HTTPFace, "acall": AsyncFace, "call": CallFace}[name](plane)


CHANGING = re.compile(
    # Ids; times; the random names of agents; the seconds of messages.
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z"
    r'|(?<="unique_name":")[a-z-]+|(?<="id":")[0-9a-f]{16}(?=")|(?<="created_at":)\d+|muster_[0-9a-f_]+|after \d+ ms'
    # Where an answer of a model is wrong: one that is read while it comes is another text.
    r"|line \d+, column \d+ \(byte \d+\)|(?<=the answer has )no (?:choices|content)"
)


def comparable(answers: List[Any]) -> List[str]:
    """The answers as texts in which ids, times and random names are replaced by the order in which they came."""
    known: Dict[str, str] = {}

    def name(found: "re.Match[str]") -> str:
        text = found[0]
        # Two times may fall together in one run and not in the other.
        if text.startswith("after ") or text.isdigit() or "T" in text:
            return "TIME"
        if text.startswith(("line ", "no ")):
            return "PLACE"
        # Two agents may draw the same name in one run and not in the other.
        if UNIQUE_NAME.fullmatch(text):
            return "NAME"
        return known.setdefault(text, f"#{len(known)}")

    return [CHANGING.sub(name, compact(answer).decode()) for answer in answers]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path, tmp_path: Path, model_server: ModelServer) -> None:
    """Every case of the conformance suite holds over every face, and the faces give the same bytes."""
    is_of_host = json.loads(path.read_text(encoding="utf-8")).get("caller") == "host"
    direct = run_case(path, "call", str(tmp_path / "call.db"), model_server)
    for name in ("acall",) if is_of_host else ("acall", "http", "socket"):
        answers = run_case(path, name, str(tmp_path / f"{name}.db"), model_server)
        made = [number for number, answer in enumerate(answers) if not isinstance(answer, NotExpressible)]
        assert comparable([answers[number] for number in made]) == comparable([direct[number] for number in made])


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
