"""The plane: an open control plane, and how it is opened, called and closed."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Type, TypeVar, Union, overload

from . import _native
from ._area import given
from ._functions import ToolCall, ToolFunction
from ._hooks import Hooks, Probe
from ._native import HTTPAnswer
from ._operations import BLOCKING_OPERATIONS, STREAM_OPERATIONS, Agents, Keys, LlmProviders, Store, Tasks
from ._server import Server
from ._streams import EventStream
from ._tools import Tools
from .errors import MusterError

if TYPE_CHECKING:
    import asyncio

    from ._loops import AsyncEventStream, LoopQueue

_Answer = TypeVar("_Answer")
_Function = TypeVar("_Function", bound=Callable[..., Any])

# No limit, for a call that is submitted: some hundred thousand years.
_NO_LIMIT_MS = 2**53


class Plane:
    """An open control plane. Use it from any thread, several at once; close it, or leave its ``with`` block, when done.

    A plane that is forgotten is closed when it is collected, or when the interpreter exits. A plane does not survive
    ``fork``: the child opens one of its own.
    """

    def __init__(self, config: Mapping[str, Any], log: Optional[_native.Log] = None) -> None:
        """Opens a plane with a configuration as ``muster_open`` describes it; see :func:`muster.open`."""
        self._store = config.get("store")
        self._log = _native.log_hook(log) if log is not None else None
        self._handle = _native.open_plane(_native.encode(config), self._log)
        # By the id of the event loop; each is touched by the thread of its loop.
        self._loop_queues: Dict[int, LoopQueue] = {}
        self._tools = Tools(self._handle)
        self._finalizer = weakref.finalize(self, _close, self._handle, self._loop_queues, self._tools, 0.0, self._log)

    @property
    def agents(self) -> Agents:
        """The operations on agents."""
        return Agents(self)

    @property
    def tasks(self) -> Tasks:
        """The operations on tasks."""
        return Tasks(self)

    @property
    def keys(self) -> Keys:
        """The operations on API keys, which callers of the REST service need."""
        return Keys(self)

    @property
    def store(self) -> Store:
        """Checking the store, and copying it while others write; for the host alone."""
        return Store(self)

    @property
    def llm_providers(self) -> LlmProviders:
        """The catalogue of providers of models."""
        return LlmProviders(self)

    def call(
        self,
        operation: str,
        args: Optional[Mapping[str, Any]] = None,
        /,
        *,
        timeout: Optional[float] = None,
        ticket: Optional[int] = None,
        **more: Any,
    ) -> Any:
        """Calls any operation by its name, for example ``plane.call("agents.get", agent_id="...")``.

        Arguments are those of the operation by name, its request body under ``body``; they come as a mapping, as
        keywords, or both. ``timeout`` is in seconds: ``None`` takes the plane's own limit, ``math.inf`` none.
        ``ticket`` is from :meth:`ticket`. Gives the parsed answer, ``None`` for an operation without one.
        """
        return self._call(operation, {**(args or {}), **more}, timeout, ticket)

    async def acall(
        self,
        operation: str,
        args: Optional[Mapping[str, Any]] = None,
        /,
        *,
        timeout: Optional[float] = None,
        ticket: Optional[int] = None,
        **more: Any,
    ) -> Any:
        """As :meth:`call`, for asyncio: no thread waits for it, however many such calls are under way.

        Cancelling the asyncio task that awaits it cancels the call. For a run, ``timeout`` of ``None`` is
        ``limits.run_timeout_ms`` of the plane. Needs a plane with a store of its own, and an event loop that has
        ``add_reader``.
        """
        return await self._acall(operation, {**(args or {}), **more}, timeout, ticket)

    def stream(
        self,
        operation: str,
        args: Optional[Mapping[str, Any]] = None,
        /,
        *,
        timeout: Optional[float] = None,
        ticket: Optional[int] = None,
        **more: Any,
    ) -> EventStream:
        """Begins an operation that gives events: ``agents.invoke_stream`` or ``tasks.events``.

        Arguments are as for :meth:`call`. A run that is still read after ``timeout`` seconds is stopped; ``None`` takes
        ``limits.run_timeout_ms`` of the plane. Needs a plane with a store of its own.
        """
        return self._stream(operation, {**(args or {}), **more}, timeout, ticket)

    def astream(
        self,
        operation: str,
        args: Optional[Mapping[str, Any]] = None,
        /,
        *,
        timeout: Optional[float] = None,
        ticket: Optional[int] = None,
        **more: Any,
    ) -> AsyncEventStream:
        """As :meth:`stream`, for ``async for`` on the running event loop, which must have ``add_reader``."""
        return self._astream(operation, {**(args or {}), **more}, timeout, ticket)

    def http(
        self,
        method: str,
        target: str,
        headers: Optional[Mapping[str, str]] = None,
        body: Union[bytes, str] = b"",
    ) -> HTTPAnswer:
        """Answers a request as the REST service does, without a socket: for programs that have a server of their own.

        ``target`` is path and query as they were sent. Who calls is told by the header ``x-api-key``, as over a socket.
        There is an answer whatever is wrong with the request: errors are statuses from 400 on, not exceptions. A
        request that waits for a model blocks its thread; when Ctrl-C ends the waiting of the main thread, the request
        itself goes on, as when a client has gone away.
        """
        content = body.encode() if isinstance(body, str) else body

        def perform() -> HTTPAnswer:
            return _native.http(self._handle, method, target, headers or {}, content)

        if threading.current_thread() is threading.main_thread():
            return _on_helper("http", perform, None)
        return perform()

    def serve(self, options: Optional[Mapping[str, Any]] = None, **more: Any) -> Server:
        """Serves the REST interface on a socket until the server is stopped or the plane is closed.

        Options are those of ``muster_serve`` by name, as a mapping, as keywords, or both; for example
        ``plane.serve(listen="127.0.0.1:8080", rate_limit="off")``. Without ``listen``, it is a free port of this
        machine: see :attr:`Server.url`. Clients need a key: ``plane.call("keys.create", body={"name": "me"})["key"]``.
        """
        return Server(self, self._handle, {**(options or {}), **more})

    @property
    def tools(self) -> Tools:
        """The tools that :meth:`tool` has made of functions."""
        return self._tools

    @overload
    def tool(self, function: _Function, /) -> _Function: ...

    @overload
    def tool(
        self,
        /,
        *,
        name: Optional[str] = None,
        description: Optional[str] = None,
        parameters: Optional[Mapping[str, Any]] = None,
        read_only: bool = False,
        idempotent: bool = False,
        timeout: Optional[float] = None,
        result_limit: Optional[int] = None,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        probe: Optional[Callable[..., Any]] = None,
        before: Optional[Callable[[ToolCall, Any], Any]] = None,
        after: Optional[Callable[[ToolCall, Any, Any], Any]] = None,
        on_error: Optional[Callable[[ToolCall, Any, BaseException], Any]] = None,
    ) -> Callable[[_Function], _Function]: ...

    def tool(
        self,
        function: Optional[Callable[..., Any]] = None,
        /,
        *,
        name: Optional[str] = None,
        description: Optional[str] = None,
        parameters: Optional[Mapping[str, Any]] = None,
        read_only: bool = False,
        idempotent: bool = False,
        timeout: Optional[float] = None,
        result_limit: Optional[int] = None,
        loop: Optional[asyncio.AbstractEventLoop] = None,
        probe: Optional[Callable[..., Any]] = None,
        before: Optional[Callable[[ToolCall, Any], Any]] = None,
        after: Optional[Callable[[ToolCall, Any, Any], Any]] = None,
        on_error: Optional[Callable[[ToolCall, Any, BaseException], Any]] = None,
    ) -> Any:
        """Makes a function a tool, which agents of this plane can call: those that list it, as in
        ``tools=["weather"]``, or all, with ``muster.open(…, tools="all")``. As a decorator, alone or with options; the
        function stays as it is.

        The model is told its name, the first paragraph of its docstring, and the JSON Schema of its parameters: from
        their annotations, defaults, and descriptions in the docstring (in the style of Google, NumPy or Sphinx, or as
        ``Annotated[str, "…"]``). It gets arguments of the annotated types. A parameter that is annotated
        :class:`ToolCall` gets the call itself. What it returns has to be what JSON has, dataclasses or enums; what it
        raises, the model is told without a traceback, which is logged by the logger ``muster``.

        Functions run on threads of the plane, at most 64 at a time; ``async def`` functions on one event loop of the
        plane, or on ``loop``, and are cancelled when nobody waits for them any more. They may call the plane; one that
        waits for a turn of its own task waits until its time is over.

        ``before``, ``after`` and ``on_error`` watch the calls, on the thread or the loop of the function: what they return
        does not count, and they have a copy of the arguments as the model gave them. What ``before`` raises keeps the
        function from being called, and the model is told; what the others raise is logged.

        A process may end in the middle of a call. The run that is gone on with calls a function again if it is
        ``read_only`` or ``idempotent``; else it asks ``probe``, if there is one, and a person (``plane.tasks.approve``)
        if there is none, or if that does not know. A probe takes those of the function's arguments that it names, and
        the :class:`ToolCall` where it has a parameter annotated so. It returns ``muster.Done(result)``, or ``True``, when
        the call was done; ``False`` when it was not, and is to be made; ``None``, or raises, when it cannot tell.

        Args:
            function: A function whose parameters can all be given by name.
            name: 1 to 64 letters, digits, ``_`` and ``-``; by default that of the function.
            description: Told to the model in place of the docstring's first paragraph.
            parameters: JSON Schema of the arguments, in place of the annotations; then the function gets what JSON has.
            read_only: It changes nothing.
            idempotent: A second call with the same ``idempotency_key`` does nothing more.
            timeout: Seconds, 60 by default, at most 3600: then the model is told that the call failed.
            result_limit: The most bytes of an answer's text, 65536 by default; what is more is cut off.
            loop: The running event loop that an ``async def`` function belongs to, and a probe that is one.
            probe: Tells what became of a call whose process has ended.
            before: Called with the call and its arguments before the function is.
            after: Called with the call, its arguments and the result when the function has returned.
            on_error: Called with the call, its arguments and the exception when the call has failed.
        """
        options: Dict[str, Any] = {
            "read_only": read_only,
            "idempotent": idempotent,
            "timeout_ms": None if timeout is None else _native.milliseconds(timeout),
            "result_limit": result_limit,
            "probe": True if probe is not None else None,
        }

        def add(function: Callable[..., Any], frame: FrameType) -> Callable[..., Any]:
            # Annotations may name classes of the function in which the tool stands.
            made = ToolFunction(
                function,
                name=name,
                description=description,
                parameters=parameters,
                loop=loop,
                local=lambda: frame.f_locals,
            )
            if before is not None or after is not None or on_error is not None:
                made.hooks = Hooks(before, after, on_error)
                made.hooks.check(made)
            if probe is not None:
                made.probe = Probe(probe, made, loop=loop, local=lambda: frame.f_locals)
            self._tools._register(made, options)
            return function

        if function is not None:
            return add(function, sys._getframe(1))
        return lambda function: add(function, sys._getframe(1))

    def ticket(self) -> int:
        """Makes a number that names one later call, so that another thread can cancel it."""
        ticket = _native.new_ticket(self._handle)
        if ticket == 0:
            # The library does not say why; a call on a plane that is closed or inherited does.
            _native.call(self._handle, "agents.list", b'{"per_page":1}', 0)
            raise RuntimeError("too many tickets of this plane wait unused")
        return ticket

    def cancel(self, ticket: int) -> None:
        """Cancels the call that carries ``ticket``: it raises :class:`CancelledError`, and its task ends ``stopped``.

        Also works before the call has begun; harmless after it has ended. Does not wait for the call to end.
        """
        _native.cancel(self._handle, ticket)

    def resume(self) -> None:
        """Goes on with the runs that earlier processes left unfinished.

        Runs of ``invoke_async``, ``ainvoke``, ``stream`` (but for ``on_disconnect="cancel"``) and ``tasks.fork`` go on
        where their journals end, and those that a person was asked about, once that is decided (``tasks.approve``,
        ``tasks.reject``). A run that a blocking ``invoke`` waited for ends ``error``, ``interrupted``.

        Calls of tools whose outcome is not known are made again if the tool is ``read_only`` or ``idempotent``; for
        others the ``probe`` is asked, and if there is none, or it does not know, the task is paused and asks a person. A
        run that needs a tool which is not registered waits until it is. The runs of living processes are not touched.

        It blocks as long as reading those journals takes; the runs go on on threads of the plane. Needs a plane with a
        store of its own.
        """
        _native.resume(self._handle)

    def close(self) -> None:
        """Closes the plane: calls under way raise :class:`ClosedError`, and the store is closed when this returns.

        Tools that are running are told, and waited for: an ``async def`` function is cancelled, any other can see it in
        :attr:`ToolCall.cancelled`. Those on an event loop of the program's are not waited for. A tool may not close its
        plane.

        Closing twice is harmless. Any later call raises :class:`BadHandleError`.
        """
        self._tools._check_close()
        _close(self._handle, self._loop_queues, self._tools, None, None)
        self._finalizer.detach()

    def __enter__(self) -> Plane:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<muster.Plane {self._store!r}>"

    def _call(
        self, operation: str, args: Mapping[str, Any], timeout: Optional[float] = None, ticket: Optional[int] = None
    ) -> Any:
        """Calls an operation. One that can take long does not keep the main thread from Ctrl-C."""
        timeout_ms = _native.milliseconds(timeout)
        if ticket is not None:
            args = _with_ticket(args, ticket)
        waits = operation in BLOCKING_OPERATIONS or operation in STREAM_OPERATIONS
        if waits and threading.current_thread() is threading.main_thread():
            return self._call_interruptibly(operation, args, timeout_ms)
        return _native.call(self._handle, operation, _native.encode(args), timeout_ms)

    async def _acall(
        self, operation: str, args: Mapping[str, Any], timeout: Optional[float] = None, ticket: Optional[int] = None
    ) -> Any:
        """Submits a call and awaits its answer."""
        return await self._loop_queue().submit(operation, _submitted(args, timeout, ticket)).answer()

    def _stream(
        self, operation: str, args: Mapping[str, Any], timeout: Optional[float] = None, ticket: Optional[int] = None
    ) -> EventStream:
        """Begins an operation that gives events."""
        _check_stream(operation)
        return EventStream(self, self._handle, operation, _submitted(args, timeout, ticket))

    def _astream(
        self, operation: str, args: Mapping[str, Any], timeout: Optional[float] = None, ticket: Optional[int] = None
    ) -> AsyncEventStream:
        """Begins an operation that gives events to the running event loop."""
        from ._loops import AsyncEventStream

        _check_stream(operation)
        return AsyncEventStream(self, self._loop_queue(), operation, _submitted(args, timeout, ticket))

    def _loop_queue(self) -> LoopQueue:
        """The queue of the running event loop."""
        # asyncio takes as long to import as everything else together, and whoever gets here has it.
        import asyncio

        from ._loops import LoopQueue

        loop = asyncio.get_running_loop()
        queue = self._loop_queues.get(id(loop))
        # The id may be that of a loop that is gone.
        if queue is None or queue.loop is not loop or not queue.is_open:
            for key, other in list(self._loop_queues.items()):
                if not other.is_open:
                    self._loop_queues.pop(key, None)
            queue = self._loop_queues[id(loop)] = LoopQueue(self._handle, loop)
        return queue

    def _call_interruptibly(self, operation: str, args: Mapping[str, Any], timeout_ms: int) -> Any:
        """Calls on a helper thread, because Python runs signal handlers on the main one and only between its own steps.

        When a handler raises, as that of Ctrl-C does, the call is cancelled and its end is waited for.
        """
        ticket = _ticket_of(args)
        if ticket is None:
            ticket = _native.new_ticket(self._handle)
            args = _with_ticket(args, ticket)
        text = _native.encode(args)
        named = ticket

        def cancel() -> None:
            # The ticket is sticky, so this also holds when the helper has not reached the call yet. It fails only when
            # the plane is closed, and then the call has ended.
            with contextlib.suppress(MusterError):
                _native.cancel(self._handle, named)

        return _on_helper(operation, lambda: _native.call(self._handle, operation, text, timeout_ms), cancel)


def _close(
    handle: int, loop_queues: Dict[int, LoopQueue], tools: Tools, seconds: Optional[float], log: Optional[Any]
) -> None:
    """Closes a plane; what waits in event loops is told there, and tools that run are waited for so long. ``log`` is
    only kept alive until then."""
    _native.close_plane(handle, log)
    for queue in list(loop_queues.values()):
        queue.retire()
    loop_queues.clear()
    tools._close(seconds)


def _check_stream(operation: str) -> None:
    """Refuses operations that have an answer instead of events."""
    if operation not in STREAM_OPERATIONS:
        raise ValueError(f"{operation} does not give events: use call or acall")


def _on_helper(name: str, perform: Callable[[], _Answer], cancel: Optional[Callable[[], None]]) -> _Answer:
    """Runs a call on a helper thread and waits for it.

    When a signal handler raises meanwhile, the call is cancelled and its end is waited for; one that cannot be
    cancelled is left to end by itself.
    """
    answers: List[_Answer] = []
    failures: List[BaseException] = []
    finished = threading.Event()

    def run() -> None:
        try:
            answers.append(perform())
        except BaseException as failure:
            failures.append(failure)
        finally:
            finished.set()

    helper = threading.Thread(target=run, name=f"muster {name}", daemon=True)
    try:
        helper.start()
        finished.wait()
    except BaseException:
        if cancel is not None:
            cancel()
            while not finished.wait(1) and helper.is_alive():
                pass
        raise
    if failures:
        try:
            raise failures[0]
        finally:
            failures.clear()
    return answers[0]


def _ticket_of(args: Mapping[str, Any]) -> Optional[int]:
    """The ticket that the arguments carry."""
    context = args.get("context")
    ticket = context.get("ticket") if isinstance(context, Mapping) else None
    return ticket if isinstance(ticket, int) else None


def _with_ticket(args: Mapping[str, Any], ticket: int) -> Mapping[str, Any]:
    """The arguments with a ticket."""
    return _with_context(args, {"ticket": ticket})


def _with_context(args: Mapping[str, Any], added: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments with more context; one that is no object is left for the library to refuse."""
    context = args.get("context", {})
    return {**args, "context": {**context, **added}} if isinstance(context, Mapping) else args


def _submitted(args: Mapping[str, Any], timeout: Optional[float], ticket: Optional[int]) -> Mapping[str, Any]:
    """The arguments of a call that is submitted: the time that it has is part of its context."""
    timeout_ms = _native.milliseconds(timeout)
    added = given({"ticket": ticket, "timeout_ms": _NO_LIMIT_MS if timeout_ms < 0 else timeout_ms or None})
    return _with_context(args, added) if added else args


def open(
    store: Union[str, os.PathLike[str]],
    *,
    organization_id: Optional[str] = None,
    user_id: Optional[str] = None,
    durability: Optional[str] = None,
    busy_timeout_ms: Optional[int] = None,
    default_model: Optional[Mapping[str, Any]] = None,
    network: Union[str, Sequence[str], None] = None,
    api_key: Optional[str] = None,
    limits: Optional[Mapping[str, Any]] = None,
    prices: Optional[Mapping[str, Mapping[str, float]]] = None,
    tools: Optional[str] = None,
    threads: Optional[int] = None,
    log: Optional[_native.Log] = None,
    **other: Any,
) -> Plane:
    """Opens a plane on a database file, or on ``":memory:"``; the file is made when there is none.

    Args:
        store: Path of the file, or the address of a service elsewhere: ``"https://muster.example.org"``.
        organization_id: Whose agents these are; by default the store's own first organization.
        user_id: Recorded as ``created_by``.
        durability: ``"full"``: what was acknowledged survives a power cut; ``"normal"``: a killed process.
        busy_timeout_ms: How long a write may wait for other processes before :class:`BusyError`.
        default_model: ``{"provider", "name", "api_base"}`` of agents that name no model.
        network: Which addresses of models an agent may name: ``"open"``: any; ``"public"``: public ones; a list:
            public ones, and ``"loopback"``, ``"private"`` or ``"HOST[:PORT]"`` as far as they are in it.
        api_key: What a service elsewhere knows the caller by; nothing but this and ``call_timeout_ms`` of ``limits``
            has a meaning for one.
        limits: A mapping with any of these keys. Of the plane: ``"call_timeout_ms"``, the time of a call without a
            timeout of its own (600,000); ``"run_timeout_ms"``, that of a run that no thread waits for (3,600,000);
            ``"runs"``, how many such runs may be under way (20,000); ``"queue_depth"``, how many calls may be open in
            one queue (65,536); ``"parallel_tool_calls"``, how many calls of one answer are made at a time (8). Of a
            turn with all its sub-tasks, where the ``limits`` of its call say nothing: ``"model_calls"``,
            ``"tool_calls"``, ``"input_tokens"``, ``"output_tokens"``, ``"seconds"``, ``"depth"`` and ``"cost"`` (US
            dollars); none by default, but 100 model calls and a depth of 8 for agents with tools.
        prices: ``{"gpt-4.1": {"input": 2.0, "output": 8.0}}``: what a million tokens of a model cost, in US dollars. A
            run with a limit of ``cost`` needs its model's.
        tools: ``"all"``: agents may call every tool of :meth:`Plane.tool`; ``"listed"``, the default: those that they
            list.
        threads: How many threads at most drive runs that no thread waits for: 1 to 64, by default 8.
        log: Called with level, component and message of each log line, on a thread that is inside a call. It must not
            call the plane.
        other: Further keys for a newer library; one that the library does not know is a :class:`MisuseError`.
    """
    config = given(
        {
            "store": os.fsdecode(store),
            "organization_id": organization_id,
            "user_id": user_id,
            "durability": durability,
            "busy_timeout_ms": busy_timeout_ms,
            "default_model": default_model,
            "network": network,
            "api_key": api_key,
            "limits": limits,
            "prices": prices,
            "tools": tools,
            "threads": threads,
        }
    )
    return Plane({**config, **other}, log)
