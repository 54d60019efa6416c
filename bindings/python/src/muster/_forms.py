"""Python types as JSON Schema, and JSON values back as what the types say."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import types
import typing
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, Type

from ._docstrings import parse

_UNIONS = (typing.Union, getattr(types, "UnionType", typing.Union))
_LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Collection)
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_SCALARS: Dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
# Of TypedDicts: what stands around the type of a key.
_QUALIFIERS = ("Required", "NotRequired", "ReadOnly")


class Mismatch(ValueError):
    """A JSON value is not of the type."""


class Form(NamedTuple):
    """What a type is in JSON."""

    schema: Dict[str, Any]
    """Its JSON Schema."""
    read: Callable[[Any], Any]
    """Makes a value of the type from a JSON value, or raises :class:`Mismatch`."""


class Member(NamedTuple):
    """A member of an object: a parameter, or a field."""

    name: str
    form: Form
    is_required: bool


Local = Callable[[], Mapping[str, Any]]
"""What is visible where a tool is made. It is asked only if need be: looking at the variables of a frame keeps them."""


def hints_of(owner: Any, scope: Optional[Mapping[str, Any]], local: Local) -> Dict[str, Any]:
    """The types that annotations name. Texts are looked up in ``scope``, which a class brings itself; what is not
    there, in ``local``."""
    known = None if scope is None else dict(scope)
    try:
        return typing.get_type_hints(owner, known, include_extras=True)
    except NameError:
        return typing.get_type_hints(owner, known, dict(local()), include_extras=True)


class Forms:
    """Translates types; ``local`` is what their annotations see beside the globals of their modules."""

    def __init__(self, local: Local) -> None:
        self._local = local
        self._open: List[Any] = []

    def of(self, hint: Any) -> Form:
        """The form of a type; one that has none is a ``TypeError`` that says why."""
        if hint is Any or hint is object or hint is inspect.Parameter.empty:
            return Form({}, lambda value: value)
        if hint is None:
            hint = type(None)
        if hasattr(hint, "__metadata__"):  # Annotated
            return described(self.of(hint.__origin__), _words(hint.__metadata__))
        if isinstance(hint, type) and hint in _SCALARS:
            return _scalar(hint)
        origin = typing.get_origin(hint)
        arguments = typing.get_args(hint)
        if getattr(origin, "_name", None) in _QUALIFIERS:
            return self.of(arguments[0])
        if origin is typing.Literal:
            return _choice([(_json_of_choice(value, hint), value) for value in arguments])
        if origin in _UNIONS:
            return self._union(arguments)
        if hasattr(hint, "__supertype__"):  # NewType
            return self.of(hint.__supertype__)
        if type(hint).__name__ == "TypeAliasType":
            return self._guarded(hint, lambda: self.of(hint.__value__))
        return self._container(origin or hint, arguments, hint)

    def _container(self, kind: Any, arguments: Tuple[Any, ...], hint: Any) -> Form:
        """The form of a type that holds others."""
        if kind in _LISTS:
            return _array(self.of(arguments[0] if arguments else Any), list)
        if kind in _SETS:
            return _array(self.of(arguments[0] if arguments else Any), frozenset if kind is frozenset else set)
        if kind is tuple:
            return self._tuple(arguments, hint)
        if kind in _MAPPINGS:
            if arguments and arguments[0] not in (str, Any):
                raise TypeError(f"{_name(hint)}: the keys of a JSON object are texts, so they have to be str")
            return _mapping(self.of(arguments[1] if arguments else Any))
        if isinstance(kind, type) and not arguments:
            if issubclass(kind, enum.Enum):
                return _choice([(_json_of_choice(member.value, kind), member) for member in kind])
            if issubclass(kind, dict) and hasattr(kind, "__total__"):
                return self._guarded(kind, lambda: self._typed_dict(kind))
            if dataclasses.is_dataclass(kind):
                return self._guarded(kind, lambda: self._dataclass(kind))
            if issubclass(kind, (bytes, bytearray, memoryview)):
                raise TypeError(f"{_name(hint)}: JSON has no bytes; take a str, for example in base64")
        raise TypeError(f"{_name(hint)}: there is no JSON for this type; pass parameters=, and take what JSON has")

    def _guarded(self, hint: Any, make: Callable[[], Form]) -> Form:
        """The form of a type with a name, which must not be inside of itself."""
        if any(hint is other for other in self._open):
            raise TypeError(f"{_name(hint)} refers to itself; pass parameters= with a schema that does")
        self._open.append(hint)
        try:
            return make()
        finally:
            self._open.pop()

    def _union(self, arguments: Tuple[Any, ...]) -> Form:
        """Any of several: the first that a value is of."""
        # What is an integer is a number, too.
        forms = [self.of(argument) for argument in sorted(arguments, key=lambda argument: argument is float)]
        schemas: List[Dict[str, Any]] = []
        for schema in (self.of(argument).schema for argument in arguments):
            if schema not in schemas:
                schemas.append(schema)

        def read(value: Any) -> Any:
            for form in forms:
                try:
                    return form.read(value)
                except Mismatch:
                    continue
            raise Mismatch(f"{value!r} is none of the types")

        if {} in schemas:
            return Form({}, read)
        return Form(schemas[0] if len(schemas) == 1 else {"anyOf": schemas}, read)

    def _tuple(self, arguments: Tuple[Any, ...], hint: Any) -> Form:
        if not arguments and hint in (tuple, typing.Tuple):
            return _array(self.of(Any), tuple)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return _array(self.of(arguments[0]), tuple)
        forms = [self.of(argument) for argument in arguments if argument != ()]
        schema: Dict[str, Any] = {"type": "array", "minItems": len(forms), "maxItems": len(forms)}
        if forms:
            schema["prefixItems"] = [form.schema for form in forms]

        def read(value: Any) -> Any:
            if not isinstance(value, list) or len(value) != len(forms):
                raise Mismatch(f"{value!r} is no list of {len(forms)}")
            return tuple(form.read(item) for form, item in zip(forms, value))

        return Form(schema, read)

    def _typed_dict(self, kind: Any) -> Form:
        hints = self._hints(kind)
        about = parse(kind.__doc__)
        members = []
        for name, hint in hints.items():
            qualifiers = _qualifiers(hint)
            is_required = "NotRequired" not in qualifiers and (
                "Required" in qualifiers or name in getattr(kind, "__required_keys__", hints)
            )
            form = described(self.of(hint), about.parameters.get(name))
            members.append(Member(name, form, is_required))
        return _object(members, about.description, dict)

    def _dataclass(self, kind: Any) -> Form:
        hints = self._hints(kind)
        # The docstring that dataclasses write is the signature.
        text = kind.__doc__ or ""
        about = parse("" if text.startswith(f"{kind.__name__}(") else text)
        members = []
        for field in dataclasses.fields(kind):
            if field.init:
                given = field.default
                is_required = given is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
                form = described(self.of(hints[field.name]), about.parameters.get(field.name))
                members.append(Member(field.name, form, is_required))
        return _object(members, about.description, kind)

    def _hints(self, kind: Any) -> Dict[str, Any]:
        return hints_of(kind, None, self._local)


def _scalar(kind: Type[Any]) -> Form:
    """The form of a type that JSON has."""

    def read(value: Any) -> Any:
        # bool is an int in Python, and not in JSON.
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value)
        if kind is int and type(value) is float and value.is_integer():
            return int(value)
        raise Mismatch(f"{value!r} is not {_SCALARS[kind]}")

    return Form({"type": _SCALARS[kind]}, read)


def _choice(choices: List[Tuple[Any, Any]]) -> Form:
    """One of some values: as JSON has them, and as Python does."""
    values = [value for value, _ in choices]
    meanings = {(type(value), value): meaning for value, meaning in reversed(choices)}
    kinds = {_SCALARS[type(value)] for value in values}
    schema: Dict[str, Any] = {"type": kinds.pop()} if len(kinds) == 1 else {}

    def read(value: Any) -> Any:
        key = (type(value), value) if isinstance(value, (str, int, float, type(None))) else None
        if key not in meanings:
            raise Mismatch(f"{value!r} is none of {values!r}")
        return meanings[key]

    return Form({**schema, "enum": values}, read)


def _json_of_choice(value: Any, owner: Any) -> Any:
    """A value of a Literal or an Enum as JSON has it."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, (bool, type(None))):
        return value
    for kind in (int, float, str):
        # A bare one, where the class is derived from it.
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(f"{_name(owner)}: {value!r} is no value of JSON: a choice is a text, a number, a boolean or None")


def _array(item: Form, make: Callable[[List[Any]], Any]) -> Form:
    schema: Dict[str, Any] = {"type": "array"}
    if item.schema:
        schema["items"] = item.schema
    if make in (set, frozenset):
        schema["uniqueItems"] = True

    def read(value: Any) -> Any:
        if not isinstance(value, list):
            raise Mismatch(f"{value!r} is no list")
        return make([item.read(one) for one in value])

    return Form(schema, read)


def _mapping(item: Form) -> Form:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(f"{value!r} is no object")
        return {key: item.read(one) for key, one in value.items()}

    return Form({"type": "object", **({"additionalProperties": item.schema} if item.schema else {})}, read)


def _object(members: List[Member], description: str, make: Callable[..., Any]) -> Form:
    """An object with these members and no others."""
    form = object_form(members)
    schema = {**form.schema, "description": description} if description else form.schema
    return Form(schema, lambda value: make(**form.read(value)))


def object_form(members: List[Member], rest: Optional[Form] = None) -> Form:
    """An object with these members, as a dict; ``rest`` is the form of further ones, which there are not without it."""
    schema: Dict[str, Any] = {"type": "object", "properties": {member.name: member.form.schema for member in members}}
    required = [member.name for member in members if member.is_required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False if rest is None else rest.schema or True
    known = {member.name: member.form for member in members}

    def read(value: Any) -> Dict[str, Any]:
        if not isinstance(value, dict):
            raise Mismatch(f"{value!r} is no object")
        for name in required:
            if name not in value:
                raise Mismatch(f"{name} is missing")
        made = {}
        for name, one in value.items():
            form = known.get(name, rest)
            if form is None:
                raise Mismatch(f"{name} is not known")
            made[name] = form.read(one)
        return made

    return Form(schema, read)


def described(form: Form, text: Optional[str]) -> Form:
    """A form with a description; one that is there already says more about the place where it stands."""
    return form._replace(schema={**form.schema, "description": text}) if text else form


def _words(metadata: Tuple[Any, ...]) -> Optional[str]:
    """The first text of Annotated."""
    return next((text for text in metadata if isinstance(text, str)), None)


def _qualifiers(hint: Any) -> List[str]:
    """What stands around the type of a key."""
    found: List[str] = []
    while hint is not None:
        name = getattr(typing.get_origin(hint), "_name", None)
        if name in _QUALIFIERS:
            found.append(str(name))
            hint = typing.get_args(hint)[0]
        elif hasattr(hint, "__metadata__"):
            hint = hint.__origin__
        else:
            break
    return found


def _name(hint: Any) -> str:
    return hint.__qualname__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
