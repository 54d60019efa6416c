"""The tools of a plane: their calls come through one queue of the library, which one thread reads."""

from __future__ import annotations

import atexit
import contextlib
import functools
import inspect
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from . import _native
from ._functions import ToolCall, ToolFunction, encode, failure_text, spec
from ._hooks import Hook, Probe, begin
from ._workers import LoopThread, Workers, join
from .errors import ClosedError, JSONError, MisuseError, MusterError

if TYPE_CHECKING:
    import asyncio
    import logging

_MOST_THREADS = 64
# How long a process that ends waits for functions that were told to end.
_EXIT_SECONDS = 2.0
_MISUSE, _LIMIT, _WOULD_DEADLOCK = 1, 5, 7
_Function = Union[ToolFunction, Probe]


class Tools:
    """The tools of a plane; ``plane.tool`` adds to them."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._process = os.getpid()
        # Closing may come from a collection in the middle of this very thread's work.
        self._lock = threading.RLock()
        self._functions: Dict[str, ToolFunction] = {}
        self._queue: Optional[int] = None
        self._listener: Optional[threading.Thread] = None
        self._workers = Workers(_MOST_THREADS)
        self._own_loop: Optional[LoopThread] = None
        # By the id of the call; each is touched by the thread of its loop, and cancelled through that.
        self._tasks: Dict[str, Tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = {}
        self._is_closed = False

    def names(self) -> List[str]:
        """The names of the tools, in the order in which they were added."""
        return list(self._functions)

    def schema(self, name: str) -> Mapping[str, Any]:
        """The JSON Schema of a tool's arguments."""
        return self._functions[name].schema

    def unregister(self, name: str) -> None:
        """Takes a tool away. Calls of it that are under way end with an error; the function is told as for any call
        that is cancelled. A name that is not there is a :class:`MisuseError`."""
        if os.getpid() != self._process:
            # A forked child has a lock that may never be free. The library says what is wrong.
            _native.unregister_tool(self._handle, name)
        with self._lock:
            _native.unregister_tool(self._handle, name)
            self._functions.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._functions

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"<muster.Tools {self.names()!r}>"

    # ---- Taking tools in ----

    def _register(self, function: ToolFunction, options: Dict[str, Any]) -> None:
        """Adds a tool."""
        text = spec(function, options)
        if os.getpid() != self._process:
            # A forked child has none of the threads. The library says so, too.
            _native.register_tool(self._handle, text, self._queue or 0)
        with self._lock:
            if self._is_closed:
                # The library says what is wrong.
                _native.open_queue(self._handle)
            queue = self._open_queue()
            for each in (function, function.probe):
                if each is not None and each.is_async and each.loop is None and self._own_loop is None:
                    self._own_loop = LoopThread()
            _native.register_tool(self._handle, text, queue)
            self._functions[function.name] = function

    def _open_queue(self) -> int:
        """The queue of all tools, with its reader."""
        if self._queue is None:
            queue = _native.open_queue(self._handle)
            thread = threading.Thread(target=self._listen, args=(queue,), name="muster tools", daemon=True)
            try:
                thread.start()
            except BaseException:
                _native.close_queue(queue)
                raise
            self._queue, self._listener = queue, thread
            _under_way.add(self)
        return self._queue

    # ---- Calls ----

    def _listen(self, queue: int) -> None:
        """Reads the queue until it is closed."""
        while True:
            try:
                events = _native.wait_for_tools(queue)
            except ClosedError:
                return
            except Exception:
                _log().exception("the calls of tools cannot be read any more")
                return
            for is_cancel, document in events:
                try:
                    if is_cancel:
                        self._hear_cancel(document["call_id"])
                    else:
                        self._hear_call(document)
                except Exception:
                    _log().exception("a call of a tool was lost")

    def _hear_call(self, document: Mapping[str, Any]) -> None:
        """Has the function of a call done where it belongs."""
        # A tool that is being added may be called before that has returned.
        with self._lock:
            tool = self._functions.get(document["name"])
        if tool is None or self._is_closed:
            # It was taken away meanwhile, and the library has answered.
            return
        call = ToolCall(self._handle, document)
        function: _Function = tool.probe if document["probe"] and tool.probe is not None else tool
        try:
            if not function.is_async:
                self._workers.submit(functools.partial(self._perform, function, call, document["arguments"]))
                return
            loop = function.loop
            if loop is None and self._own_loop is not None:
                loop = self._own_loop.loop
            if loop is not None:
                loop.call_soon_threadsafe(self._begin, loop, function, call, document["arguments"])
        except RuntimeError as failure:
            # There is no thread, or the loop is closed.
            self._fail(call, failure)

    def _perform(self, function: _Function, call: ToolCall, arguments: Any) -> None:
        """Calls a plain function."""
        # Its time may have run out while it waited for a thread.
        if call.cancelled:
            return
        hooks = function.hooks
        try:
            if hooks is not None:
                begin(hooks.before, call, arguments)
            value = function.call(call, arguments)
            if inspect.iscoroutine(value):
                value.close()
                raise TypeError("the function returned a coroutine: declare it with async def")
            text = encode(function.told(value))
        except BaseException as failure:
            if hooks is not None:
                self._tell(function, hooks.on_error, call, arguments, failure)
            self._fail(call, failure)
        else:
            if hooks is not None:
                self._tell(function, hooks.after, call, arguments, value)
            self._answer(call, text)

    def _tell(self, function: _Function, hook: Optional[Hook], call: ToolCall, arguments: Any, news: Any) -> None:
        """Calls a hook behind a plain function: what it raises changes nothing any more."""
        try:
            begin(hook, call, arguments, news)
        except BaseException:
            _log().exception("a hook of the tool %s failed", function.name)

    def _begin(
        self, loop: asyncio.AbstractEventLoop, function: _Function, call: ToolCall, arguments: Any
    ) -> None:
        """Starts the task of a coroutine function, on its loop."""
        task = loop.create_task(self._await(function, call, arguments))
        self._tasks[call.id] = loop, task
        task.add_done_callback(lambda _: self._tasks.pop(call.id, None))
        # Whoever cancelled it before it was in there did not find it.
        if call.cancelled:
            task.cancel()

    async def _await(self, function: _Function, call: ToolCall, arguments: Any) -> None:
        """Calls a coroutine function."""
        import asyncio

        hooks = function.hooks
        try:
            if hooks is not None:
                await _done(begin(hooks.before, call, arguments))
            value = await function.call(call, arguments)
            text = encode(function.told(value))
        except asyncio.CancelledError as failure:
            # That of the task itself, unless somebody else cancelled it.
            if not call.cancelled:
                self._fail(call, failure)
            raise
        except BaseException as failure:
            try:
                if hooks is not None:
                    await self._await_hook(function, hooks.on_error, call, arguments, failure)
            finally:
                self._fail(call, failure)
            # Ctrl-C is for who runs the loop.
            if function.loop is not None and not isinstance(failure, Exception):
                raise
        else:
            try:
                if hooks is not None:
                    await self._await_hook(function, hooks.after, call, arguments, value)
            finally:
                self._answer(call, text)

    async def _await_hook(
        self, function: _Function, hook: Optional[Hook], call: ToolCall, arguments: Any, news: Any
    ) -> None:
        """The same as ``_tell`` behind a coroutine function."""
        try:
            await _done(begin(hook, call, arguments, news))
        except Exception:
            _log().exception("a hook of the tool %s failed", function.name)

    def _hear_cancel(self, call_id: str) -> None:
        """Cancels the task of a call. A plain function asks by itself."""
        found = self._tasks.get(call_id)
        if found is not None:
            _cancel(*found)

    def _answer(self, call: ToolCall, text: bytes) -> None:
        """Answers a call with what its function returned, as JSON."""
        try:
            _native.reply_to_tool(self._handle, call.id, text, False)
        except MusterError as failure:
            if isinstance(failure, JSONError) or failure.status == _LIMIT:
                self._fail(call, failure)
            elif not _is_unwanted(failure):
                _log().error("the answer of the tool %s was lost: %s", call.name, failure)

    def _fail(self, call: ToolCall, failure: BaseException) -> None:
        """Answers a call with an exception, unless nobody waits any more."""
        if call.cancelled:
            _log().debug("the tool %s was cancelled, and raised", call.name, exc_info=failure)
            return
        _log().error("the tool %s failed", call.name, exc_info=failure)
        text = failure_text(failure).replace("\0", "\N{REPLACEMENT CHARACTER}")
        try:
            _native.reply_to_tool(self._handle, call.id, encode(text.encode(errors="replace").decode()), True)
        except MusterError as refusal:
            if not _is_unwanted(refusal):
                _log().error("the failure of the tool %s was lost: %s", call.name, refusal)

    # ---- The end ----

    def _check_close(self) -> None:
        """Refuses what would wait for itself."""
        if threading.current_thread() in self._threads():
            message = "a tool may not close its plane: that waits for the tool"
            raise MisuseError(_WOULD_DEADLOCK, "WOULD_DEADLOCK", 409, message, message)

    def _threads(self) -> List[threading.Thread]:
        threads = list(self._workers.threads)
        if self._own_loop is not None:
            threads.append(self._own_loop.thread)
        return threads

    def _close(self, seconds: Optional[float]) -> None:
        """Ends the threads. The plane is closed, so nobody waits for any call; what runs is told, and is waited for so
        long, ``None``: until it has ended."""
        if os.getpid() != self._process:
            return
        self._is_closed = True
        # Whoever adds a tool at this moment finds the plane closed, and leaves no more than a reader that ends at once.
        with self._lock:
            queue, listener = self._queue, self._listener
        if queue is None or listener is None:
            return
        _native.close_queue(queue)
        join([listener], seconds)
        for found in list(self._tasks.values()):
            _cancel(*found)
        self._workers.close()
        if self._own_loop is not None:
            self._own_loop.close()
        if join(self._threads(), seconds):
            _under_way.discard(self)


async def _done(value: Any) -> None:
    """Waits for what a hook gave, if that can be waited for."""
    if inspect.isawaitable(value):
        await value


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Cancels a task, from any thread."""
    with contextlib.suppress(RuntimeError):  # The loop is closed, and has no tasks.
        loop.call_soon_threadsafe(task.cancel)


def _is_unwanted(failure: MusterError) -> bool:
    """Whether an answer was refused because nobody waits for it any more."""
    return isinstance(failure, ClosedError) or failure.status == _MISUSE


def _log() -> logging.Logger:
    """Where the failures of tools are told."""
    import logging

    return logging.getLogger("muster")


_under_way: weakref.WeakSet[Tools] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """Ends the tools of a process that ends: they are told, and waited for a little."""
    for tools in list(_under_way):
        if os.getpid() == tools._process:
            with contextlib.suppress(MusterError):
                _native.close_plane(tools._handle)
            tools._close(_EXIT_SECONDS)
