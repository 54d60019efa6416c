"""What a Python function is as a tool: its description, the schema of its arguments, and how it is called with them."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import json
import types
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional

from . import _native
from ._docstrings import parse
from ._forms import Form, Forms, Local, Member, described, hints_of, object_form

if TYPE_CHECKING:
    import asyncio

    from ._hooks import Hooks, Probe


class ToolCall:
    """The call of a tool. A tool that has a parameter with this annotation gets its own; the model does not see it."""

    __slots__ = ("_handle", "id", "idempotency_key", "name", "task_id", "agent_id", "organization_id", "repeat")

    id: str
    """Unique for ever."""
    idempotency_key: str
    """The same when the same call is made again: pass it on to services that take such keys."""
    name: str
    """Of the tool."""
    task_id: str
    """The task whose model asked for it."""
    agent_id: str
    """The agent that runs."""
    organization_id: str
    """Whose task it is."""
    repeat: bool
    """Whether the same call was begun before, by a process that has ended or in vain."""

    def __init__(self, handle: int, document: Mapping[str, Any]) -> None:
        """Of a plane, as the library describes the call."""
        self._handle = handle
        self.id = document["call_id"]
        self.idempotency_key = document["idempotency_key"]
        self.name = document["name"]
        self.task_id = document["task_id"]
        self.agent_id = document["agent_id"]
        self.organization_id = document["organization_id"]
        self.repeat = document["repeat"]

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the answer any more: the run has ended, the time is over, the tool was unregistered,
        or the plane is being closed; also true once the call was answered. A function that takes long asks now and
        then, and before it changes something, and returns early. An ``async def`` function need not: its asyncio task
        is cancelled."""
        return _native.is_tool_cancelled(self._handle, self.id)

    def __repr__(self) -> str:
        return f"<muster.ToolCall {self.id!r} of {self.name!r}>"


class ToolFunction:
    """A function that agents call."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: Optional[str] = None,
        description: Optional[str] = None,
        parameters: Optional[Mapping[str, Any]] = None,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        is_part: bool = False,
        local: Local,
    ) -> None:
        """Looks at a function; one that cannot be a tool is a ``TypeError``. ``local`` is what its annotations see
        beside the globals of its module. ``is_part``: it takes those of the arguments that it names."""
        if not callable(function):
            raise TypeError(f"a tool is a function, not {function!r}")
        named = name if name is not None else getattr(function, "__name__", None)
        if named is None:
            raise TypeError(f"{function!r} has no name: pass name=")
        self.name: str = named
        self.function = function
        self.loop = loop
        self.is_async = is_async(function)
        bare = _unwrapped(function)
        if inspect.isgeneratorfunction(bare) or inspect.isasyncgenfunction(bare):
            raise TypeError(f"{named} is a generator: a tool returns its answer")
        if loop is not None and not self.is_async:
            raise TypeError(f"{named} is not async: only coroutines run on a loop")
        about = parse(inspect.getdoc(function if inspect.isroutine(function) else bare))
        self.description = about.description if description is None else description
        form = self._read_signature(bare, parameters is None, about.parameters, local)
        self.schema: Mapping[str, Any] = form.schema if parameters is None else dict(parameters)
        self._read = form.read
        has_rest = any(each.kind is each.VAR_KEYWORD for each in inspect.signature(function).parameters.values())
        self._taken = set(self.schema.get("properties", {})) if is_part and not has_rest else None
        self.hooks: Optional[Hooks] = None
        self.probe: Optional[Probe] = None

    def call(self, call: ToolCall, arguments: Any) -> Any:
        """Calls the function with the arguments of the model."""
        if self._taken is not None:
            arguments = {name: value for name, value in arguments.items() if name in self._taken}
        values = self._read(arguments)
        if self._call_parameter is not None:
            values = {**values, self._call_parameter: call}
        return self.function(**values)

    def told(self, value: Any) -> Any:
        """What the library is told of what the function returned."""
        return value

    def _read_signature(
        self, bare: Callable[..., Any], is_described: bool, about: Mapping[str, str], local: Local
    ) -> Form:
        """The form of the arguments, and which parameter takes the call."""
        parameters = inspect.signature(self.function).parameters
        annotations = {
            name: parameter.annotation
            for name, parameter in parameters.items()
            if parameter.annotation is not parameter.empty
        }
        holder = types.SimpleNamespace(__annotations__=annotations)
        try:
            hints = hints_of(holder, getattr(bare, "__globals__", {}), local)
        except (NameError, SyntaxError, TypeError) as failure:
            raise TypeError(f"{self.name}: an annotation cannot be understood: {failure}") from failure
        self._call_parameter: Optional[str] = None
        forms = Forms(local)
        members: List[Member] = []
        rest: Optional[Form] = None
        for name, parameter in parameters.items():
            hint = hints.get(name, Any)
            if parameter.kind is parameter.VAR_POSITIONAL:
                raise TypeError(f"{self.name}: a model names its arguments, so a tool has no *{name}")
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise TypeError(f"{self.name}: a model names its arguments, so {name} cannot be positional only")
            if _is_call(hint):
                if self._call_parameter is not None or parameter.kind is parameter.VAR_KEYWORD:
                    raise TypeError(f"{self.name}: one parameter takes the muster.ToolCall, not {name} as well")
                self._call_parameter = name
            elif is_described:
                form = self._form_of(parameter, hint, forms)
                if parameter.kind is parameter.VAR_KEYWORD:
                    rest = form
                else:
                    form = _with_default(described(form, form.schema.get("description") or about.get(name)), parameter)
                    members.append(Member(name, form, parameter.default is parameter.empty))
        return object_form(members, rest) if is_described else Form({}, lambda value: value)

    def _form_of(self, parameter: inspect.Parameter, hint: Any, forms: Forms) -> Form:
        try:
            form = forms.of(hint)
            if parameter.default is None and hint is not Any:
                optional = forms.of(Optional[hint])
                # With the description outside, where it is looked for.
                return described(optional, form.schema.get("description")) if optional.schema != form.schema else form
            return form
        except (NameError, TypeError) as failure:
            raise TypeError(f"{self.name}: {parameter.name}: {failure}") from None


def _is_call(hint: Any) -> bool:
    """Whether a parameter takes the call: ``ToolCall``, or ``Optional[ToolCall]`` so that others can call it, too."""
    if hasattr(hint, "__metadata__"):  # Annotated
        hint = hint.__origin__
    return hint is ToolCall or hint == Optional[ToolCall]


def _with_default(form: Form, parameter: inspect.Parameter) -> Form:
    """A form that tells what is taken if nothing is given, if JSON can say that."""
    if parameter.default is parameter.empty:
        return form
    try:
        return form._replace(schema={**form.schema, "default": json.loads(encode(parameter.default))})
    except (TypeError, ValueError):
        return form


def _unwrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that was written: behind methods, partials, decorators and objects that can be called."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif not inspect.isroutine(function) and not inspect.isclass(function) and hasattr(type(function), "__call__"):
            inner = type(function).__call__
            if not inspect.isfunction(inner):
                return function
            function = inner
        else:
            return function


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))


def encode(value: Any) -> bytes:
    """The JSON text of what a function returned; what JSON cannot say is a ``TypeError`` or ``ValueError``."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.encode()


def _plain(value: Any) -> Any:
    """What JSON has in place of a value that it has not."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError("JSON has no bytes: a tool returns text, for example in base64")
    raise TypeError(f"a tool cannot return {type(value).__name__}: JSON has no such value")


def failure_text(failure: BaseException) -> str:
    """What the model is told of an exception."""
    text = str(failure)
    return f"{type(failure).__name__}: {text}" if text else type(failure).__name__


def spec(function: ToolFunction, options: Dict[str, Any]) -> bytes:
    """What the library is told of a tool."""
    return _native.encode(
        {
            "name": function.name,
            "description": function.description,
            "parameters": function.schema,
            **{key: value for key, value in options.items() if value is not None},
        }
    )
