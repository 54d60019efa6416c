"""What a function is as a tool: its description, the schema of its arguments, and the values that it gets and gives."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import sys
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    List,
    Literal,
    Mapping,
    NewType,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypedDict,
    Union,
)

import pytest
from typing_extensions import Annotated, NotRequired

import muster
from muster._functions import ToolFunction, encode


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass
class Point:
    """A place.

    Attributes:
        x: To the right.
        y: Upwards.
    """

    x: int
    y: int = 0


@dataclasses.dataclass
class Line:
    points: List[Point]
    color: Color = Color.RED


@dataclasses.dataclass
class Node:
    children: List[Node]


class Hotel(TypedDict):
    name: str
    stars: NotRequired[int]


class Options(TypedDict, total=False):
    limit: int


City = NewType("City", str)


def made(function: Callable[..., Any], **options: Any) -> ToolFunction:
    frame = sys._getframe(1)
    return ToolFunction(function, local=lambda: frame.f_locals, **options)


def form(hint: Any) -> ToolFunction:
    """A function with one parameter of a type, which returns it."""

    def function(value: Any) -> Any:
        return value

    function.__annotations__["value"] = hint
    return made(function)


def schema(hint: Any) -> Any:
    return form(hint).schema["properties"]["value"]


def read(hint: Any, value: Any) -> Any:
    return form(hint).call(None, {"value": value})  # type: ignore[arg-type]


POINT = {
    "type": "object",
    "properties": {
        "x": {"type": "integer", "description": "To the right."},
        "y": {"type": "integer", "description": "Upwards."},
    },
    "required": ["x"],
    "additionalProperties": False,
    "description": "A place.",
}


@pytest.mark.parametrize(
    "hint, expected",
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (List[str], {"type": "array", "items": {"type": "string"}}),
        (list, {"type": "array"}),
        (Sequence[int], {"type": "array", "items": {"type": "integer"}}),
        (Set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        (Dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (Mapping[str, Any], {"type": "object"}),
        (dict, {"type": "object"}),
        (Tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (
            Tuple[int, str],
            {
                "type": "array",
                "minItems": 2,
                "maxItems": 2,
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
            },
        ),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a", 1, None], {"enum": ["a", 1, None]}),
        (Color, {"type": "string", "enum": ["red", "blue"]}),
        (Size, {"type": "integer", "enum": [1, 2]}),
        (Annotated[int, "How many."], {"type": "integer", "description": "How many."}),
        (City, {"type": "string"}),
        (Point, POINT),
        (
            Hotel,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "stars": {"type": "integer"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        ),
        (Options, {"type": "object", "properties": {"limit": {"type": "integer"}}, "additionalProperties": False}),
    ],
)
def test_a_type_has_a_schema(hint: Any, expected: Any) -> None:
    """Each type that JSON can say has the JSON Schema that says it."""
    assert schema(hint) == expected


@pytest.mark.parametrize(
    "hint, value, expected",
    [
        (float, 3, 3.0),
        (int, 3.0, 3),
        (Set[int], [1, 2], {1, 2}),
        (FrozenSet[int], [1, 2], frozenset([1, 2])),
        (Tuple[int, Color], [1, "blue"], (1, Color.BLUE)),
        (Tuple[int, ...], [1, 2], (1, 2)),
        (List[Point], [{"x": 1}], [Point(1)]),
        (Dict[str, Color], {"a": "red"}, {"a": Color.RED}),
        (Optional[Point], {"x": 1, "y": 2}, Point(1, 2)),
        (Optional[Point], None, None),
        (Size, 2, Size.LARGE),
        (Union[int, float], 5, 5),
        (Union[float, int], 5, 5),
        (Union[float, int], 5.5, 5.5),
        (Union[bool, int, str], True, True),
        (Union[Point, Line], {"points": [{"x": 1}], "color": "blue"}, Line([Point(1)], Color.BLUE)),
        (Union[Literal[1], Literal[True]], True, True),
        (Hotel, {"name": "A", "stars": 3}, {"name": "A", "stars": 3}),
        (Any, {"a": [1]}, {"a": [1]}),
    ],
)
def test_arguments_have_the_annotated_types(hint: Any, value: Any, expected: Any) -> None:
    """A function gets values of the types that its annotations name."""
    found = read(hint, value)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    "hint, word",
    [
        (bytes, "JSON has no bytes"),
        (List[bytes], "JSON has no bytes"),
        (complex, "no JSON for this type"),
        (Callable[[], int], "no JSON for this type"),
        (Dict[int, str], "keys"),
        (Node, "refers to itself"),
        (Literal[b"a"], "no value of JSON"),
        ("Nowhere", "Nowhere"),
        ("List[", "understood"),
    ],
)
def test_types_without_json_are_refused(hint: Any, word: str) -> None:
    """A type that JSON cannot say is refused when the tool is made, and the message names the tool."""
    with pytest.raises(TypeError, match="function: ") as caught:
        form(hint)
    assert word in str(caught.value)


def test_the_description_is_the_first_paragraph() -> None:
    """Of a docstring the model gets the first paragraph, as one line."""

    def tool() -> None:
        """Finds what is
        looked for.

        And more.
        """

    assert made(tool).description == "Finds what is looked for."
    assert made(tool, description="Other.").description == "Other."
    assert made(lambda: None, name="nothing").description == ""


def google(city: str, days: int = 3, *, unit: str = "C") -> None:
    """The weather.

    Args:
        city (str): Its name,
            in English.
        days: How many: 1 to 7.
        unit (Literal["C", "F"], optional): Of the temperature.

    Returns:
        city: not this.
    """


def numpy(city: str, days: int = 3, *, unit: str = "C") -> None:
    """The weather.

    Parameters
    ----------
    city : str
        Its name,
        in English.
    days : int, optional
        How many: 1 to 7.
    unit
        Of the temperature.

    Returns
    -------
    city : str
        Not this.
    """


def sphinx(city: str, days: int = 3, *, unit: str = "C") -> None:
    """The weather.

    :param city: Its name,
        in English.
    :param int days: How many: 1 to 7.
    :param unit: Of the temperature.
    :type unit: str
    :returns: Not this.
    """


@pytest.mark.parametrize("function", [google, numpy, sphinx])
def test_docstrings_describe_parameters(function: Callable[..., Any]) -> None:
    """Descriptions of parameters are found in the styles of Google, NumPy and Sphinx."""
    tool = made(function)
    assert tool.description == "The weather."
    assert tool.schema == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Its name, in English."},
            "days": {"type": "integer", "description": "How many: 1 to 7.", "default": 3},
            "unit": {"type": "string", "description": "Of the temperature.", "default": "C"},
        },
        "required": ["city"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Args:",
        "Args:\n",
        "Parameters\n----------",
        "Args:\nnot indented: x",
        ":param",
        ":param x",
        ":param :",
        "----\n----",
        "Args:\n    city: a\n\n\n    days\n        b\n  : x",
    ],
)
def test_odd_docstrings_do_no_harm(text: Optional[str]) -> None:
    """A docstring in no known style describes nothing, and is no error."""

    def tool(city: str) -> None: ...

    tool.__doc__ = text
    assert made(tool).schema["properties"]["city"]["type"] == "string"


def test_an_annotation_describes_more_closely_than_the_docstring() -> None:
    """The text of Annotated comes before that of the docstring."""

    def tool(city: Annotated[str, "Nearest."], country: str) -> None:
        """T.

        :param city: Farther.
        :param country: Its code.
        """

    properties = made(tool).schema["properties"]
    assert [properties[name]["description"] for name in ("city", "country")] == ["Nearest.", "Its code."]


def test_defaults_make_parameters_optional() -> None:
    """A parameter with a default need not be given; one whose default is None may be null."""

    def tool(a: int, b: Color = Color.RED, c: int = None, d: Any = object()) -> None:  # type: ignore[assignment]
        ...

    schema = made(tool).schema
    assert schema["required"] == ["a"]
    assert schema["properties"]["b"] == {"type": "string", "enum": ["red", "blue"], "default": "red"}
    assert schema["properties"]["c"] == {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
    assert schema["properties"]["d"] == {}


def test_further_arguments() -> None:
    """**kwargs takes arguments by any name, each of the annotated type."""

    def tool(a: int, **more: Point) -> Any:
        return a, more

    function = made(tool)
    assert function.schema["additionalProperties"] == POINT
    assert function.call(None, {"a": 1, "b": {"x": 2}}) == (1, {"b": Point(2)})  # type: ignore[arg-type]
    assert made(lambda **more: None, name="t").schema["additionalProperties"] is True


def positional(a: int, /) -> None: ...


def starred(*values: int) -> None: ...


def generator() -> Any:
    yield 1


def two_calls(one: muster.ToolCall, two: muster.ToolCall) -> None: ...


@pytest.mark.parametrize(
    "function, word",
    [
        (positional, "positional only"),
        (starred, "has no [*]values"),
        (generator, "generator"),
        (two_calls, "one parameter"),
        (functools.partial(google, "Rome"), "no name"),
        (5, "is a function"),
    ],
)
def test_functions_that_cannot_be_tools_are_refused(function: Any, word: str) -> None:
    """A function that a model cannot call is refused when the tool is made."""
    with pytest.raises(TypeError, match=word):
        made(function)


def test_loops_are_for_coroutines() -> None:
    """A plain function cannot be on an event loop."""
    with pytest.raises(TypeError, match="not async"):
        made(google, loop=object())


def test_a_schema_of_ones_own() -> None:
    """With `parameters` the annotations are not looked at, and the function gets what JSON has."""

    def tool(where: complex, call: muster.ToolCall) -> Any:
        return where, call

    given = {"type": "object", "properties": {"where": {"type": "array"}}}
    function = made(tool, parameters=given)
    assert function.schema == given
    assert function.call("call", {"where": [1]}) == ([1], "call")  # type: ignore[arg-type]


def test_the_call_is_not_part_of_the_schema() -> None:
    """A parameter for the call is hidden from the model, whether or not others may leave it out."""

    def one(a: int, call: muster.ToolCall) -> Any:
        return a, call

    def two(a: int, call: Optional[muster.ToolCall] = None) -> Any:
        return a, call

    for function in (made(one), made(two)):
        assert list(function.schema["properties"]) == ["a"]
        assert function.call("call", {"a": 1}) == (1, "call")  # type: ignore[arg-type]


def test_local_classes() -> None:
    """Annotations may name classes of the function in which the tool is made."""

    @dataclasses.dataclass
    class Local:
        inner: Inner

    @dataclasses.dataclass
    class Inner:
        value: int

    def tool(given: Local) -> Any:
        return given

    assert made(tool).call(None, {"given": {"inner": {"value": 1}}}) == Local(Inner(1))  # type: ignore[arg-type]


class Service:
    """Methods and objects are functions, too."""

    def find(self, name: str) -> str:
        """Finds.

        Args:
            name: What.
        """
        return name

    def __call__(self, number: int) -> int:
        return number


def test_methods_partials_and_objects() -> None:
    """Whatever can be called with named arguments can be a tool."""
    method = made(Service().find)
    assert (method.name, method.description) == ("find", "Finds.")
    assert method.schema["properties"] == {"name": {"type": "string", "description": "What."}}
    thing = made(Service(), name="thing")
    assert thing.schema["required"] == ["number"]
    partial = made(functools.partial(google, unit="F"), name="partial")
    assert partial.schema["properties"]["unit"]["default"] == "F"


@pytest.mark.skipif(sys.version_info < (3, 10), reason="needs types of Python 3.10")
def test_newer_unions() -> None:
    """`int | None` is as Optional[int]."""
    assert schema("int | None") == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert schema("list[int | str]")["items"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}


@pytest.mark.parametrize(
    "value, expected",
    [
        (Line([Point(1, 2)]), {"points": [{"x": 1, "y": 2}], "color": "red"}),
        ([Color.BLUE, Size.LARGE], ["blue", 2]),
        ({"a": (1, None, 2.5)}, {"a": [1, None, 2.5]}),
        ({1}, [1]),
        ("ä", "ä"),
        (None, None),
    ],
)
def test_results(value: Any, expected: Any) -> None:
    """What JSON has, dataclasses and enums can be returned."""
    assert json.loads(encode(value)) == expected


@pytest.mark.parametrize("value", [b"x", {"a": b"x"}, object(), float("nan"), "\ud800", {(1, 2): 3}])
def test_what_cannot_be_returned(value: Any) -> None:
    """Bytes and whatever else JSON has not is refused."""
    with pytest.raises((TypeError, ValueError)):
        encode(value)
