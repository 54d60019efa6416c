"""What a program does around the calls of a tool, and how it tells what became of one."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

from ._functions import ToolCall, ToolFunction, is_async

if TYPE_CHECKING:
    import asyncio

    from ._forms import Local

Hook = Callable[..., Any]


class Done(NamedTuple):
    """What a probe returns of a call that was done: with what the tool would have returned."""

    result: Any = None


class Hooks(NamedTuple):
    """The functions around the calls of a tool."""

    before: Optional[Hook]
    after: Optional[Hook]
    on_error: Optional[Hook]

    def check(self, tool: ToolFunction) -> None:
        """Refuses what cannot be a hook of the tool with a ``TypeError``."""
        for name, takes, hook in (
            ("before", "the call and its arguments", self.before),
            ("after", "the call, its arguments and the result", self.after),
            ("on_error", "the call, its arguments and the exception", self.on_error),
        ):
            if hook is None:
                continue
            if not callable(hook):
                raise TypeError(f"{tool.name}: {name} is a function, not {hook!r}")
            if is_async(hook) and not tool.is_async:
                raise TypeError(f"{tool.name}: {name} is async, and the tool is not")
            try:
                inspect.signature(hook).bind(*(None,) * (2 if name == "before" else 3))
            except TypeError:
                raise TypeError(f"{tool.name}: {name} takes {takes}") from None
            except ValueError:
                pass  # A builtin that does not say what it takes.


def begin(hook: Optional[Hook], call: ToolCall, arguments: Any, *rest: Any) -> Any:
    """Calls a hook, with a copy of the arguments: it watches, and changes nothing. A coroutine, if it is async."""
    return None if hook is None else hook(call, copy.deepcopy(arguments), *rest)


class Probe:
    """A function that tells what became of a call of a tool, for who asks as if it were the tool."""

    hooks = None

    def __init__(
        self,
        function: Callable[..., Any],
        tool: ToolFunction,
        *,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        local: Local,
    ) -> None:
        """Looks at a function; one that cannot be a probe is a ``TypeError``."""
        if not callable(function):
            raise TypeError(f"{tool.name}: a probe is a function, not {function!r}")
        self.name = f"{tool.name} (probe)"
        self._function = ToolFunction(
            function, name=self.name, loop=loop if is_async(function) else None, is_part=True, local=local
        )
        self.is_async = self._function.is_async
        self.loop = self._function.loop

    def call(self, call: ToolCall, arguments: Any) -> Any:
        """Calls the function with those of the arguments that it names."""
        return self._function.call(call, arguments)

    def told(self, value: Any) -> Any:
        """What the library is told of what the function returned."""
        if isinstance(value, Done):
            return {"done": True, "result": value.result}
        if value is None or isinstance(value, bool):
            return {} if value is None else {"done": value}
        raise TypeError(f"a probe returns muster.Done, True, False or None, not {type(value).__name__}")
