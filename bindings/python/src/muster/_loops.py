"""Calls that asyncio waits for: one queue of the library for each plane and event loop, watched by the loop itself."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import errno
import os
import weakref
from collections import deque
from types import TracebackType
from typing import Any, Deque, Dict, Mapping, Optional, Type

from . import _native
from ._events import Event, Item
from ._streams import Ending
from .errors import ClosedError, MusterError, UnsupportedError

# The loop gets a turn after about so many bytes of events.
_DRAIN_BYTES = 1 << 18


class LoopQueue:
    """The queue of one plane on one event loop. Everything but :meth:`retire` and :meth:`forget` is for the loop's
    own thread, and no other thread ever calls into it."""

    def __init__(self, handle: int, loop: asyncio.AbstractEventLoop) -> None:
        """Opens a queue and has the loop watch it."""
        self.loop = loop
        self.handle = handle
        self._calls: Dict[int, Call] = {}
        self._is_retired = False
        self._queue = _native.open_queue(handle)
        # The loop holds this object as long as it watches the descriptor.
        self._finalizer = weakref.finalize(self, _native.close_queue, self._queue)
        try:
            self._descriptor = _native.queue_descriptor(self._queue)
            if self._descriptor < 0:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            loop.add_reader(self._descriptor, self._receive)
        except (AttributeError, NotImplementedError):
            self._finalizer()
            message = f"{type(loop).__name__} has no add_reader: use a loop that watches descriptors"
            raise UnsupportedError(90, "UNSUPPORTED", 501, message, message) from None
        except BaseException:
            self._finalizer()
            raise

    @property
    def is_open(self) -> bool:
        """Whether calls can be submitted."""
        return bool(self._finalizer.alive) and not self._is_retired and not self.loop.is_closed()

    def submit(self, operation: str, args: Mapping[str, Any]) -> Call:
        """Submits a call."""
        try:
            ticket = _native.submit(self.handle, self._queue, operation, _native.encode(args))
        except ClosedError:
            # The plane was closed, perhaps before it knew of this queue.
            self._retire()
            raise
        # Nothing of it was received before: that is done by this very thread.
        call = self._calls[ticket] = Call(self, ticket)
        return call

    def forget(self, ticket: int, cancels: bool) -> None:
        """Drops what still comes of a call, and cancels it if that is wanted. From any thread."""
        if self._calls.pop(ticket, None) is not None and cancels:
            with contextlib.suppress(MusterError):
                _native.cancel(self.handle, ticket)

    def retire(self) -> None:
        """Lets go of the loop once no call waits any more: the plane was closed. From any thread."""
        with contextlib.suppress(RuntimeError):  # The loop is closed, and has let go.
            self.loop.call_soon_threadsafe(self._retire)

    def _retire(self) -> None:
        self._is_retired = True
        self._shut_if_unused()

    def _shut_if_unused(self) -> None:
        if self._is_retired and not self._calls and self._finalizer.alive:
            self._shut()

    def _shut(self) -> None:
        # Before the queue closes the descriptor: its number may be somebody else's right after that.
        self.loop.remove_reader(self._descriptor)
        self._finalizer()

    def _receive(self) -> None:
        """Hands out what has come. The loop calls it while the descriptor is readable."""
        try:
            arrivals = _native.drain(self._queue, _DRAIN_BYTES)
        except MusterError as failure:
            # Nothing will come any more, for example in a forked child.
            arrivals = [(ticket, Item(True, 0, None, copy.copy(failure))) for ticket in list(self._calls)]
            self._shut()
        calls = self._calls
        for ticket, item in arrivals:
            call = calls.pop(ticket, None) if item.is_final else calls.get(ticket)
            if call is not None:
                call.take(item)
        self._shut_if_unused()


class Call:
    """One submitted call: what has come of it, and who waits for more."""

    __slots__ = ("_is_closed", "_items", "_queue", "_waiter", "ticket")

    def __init__(self, queue: LoopQueue, ticket: int) -> None:
        self._queue = queue
        self._items: Deque[Item] = deque()
        self._waiter: Optional[asyncio.Future[None]] = None
        self._is_closed = False
        self.ticket = ticket

    def take(self, item: Item) -> None:
        """Something has come."""
        self._items.append(item)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def next(self) -> Optional[Item]:
        """The next that comes; ``None`` once it is closed. For one asyncio task at a time."""
        while not self._items:
            if self._is_closed:
                return None
            if self._waiter is not None:
                raise RuntimeError("another asyncio task waits for the same events")
            self._waiter = self._queue.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._items.popleft()

    def close(self) -> None:
        """Wakes who waits: nothing comes any more."""
        self._items.clear()
        self._is_closed = True
        self._wake()

    async def answer(self) -> Any:
        """The answer of the call, which is cancelled when this is left without one."""
        try:
            while True:
                item = await self.next()
                if item is not None and item.is_final:
                    break
        finally:
            # Of a call that has ended nothing is left to cancel.
            self._queue.forget(self.ticket, True)
        if item.failure is not None:
            raise item.failure
        return item.value

    def forget(self, cancels: bool) -> None:
        """Drops what still comes. From any thread."""
        self._queue.forget(self.ticket, cancels)


class AsyncEventStream:
    """The events of a task as they happen, for ``async for``; the last one is ``task_finished``.

    When the run was ended from outside, the error that says so is raised after the last event. Close the stream with
    :meth:`aclose`, or leave its ``async with`` block, when you stop early; one that is forgotten is closed when it is
    collected. It belongs to the event loop on which it was made.
    """

    def __init__(self, plane: Any, queue: LoopQueue, operation: str, args: Mapping[str, Any]) -> None:
        """Submits the call; see :meth:`Plane.astream`."""
        # The plane must not be collected, and closed with that, while it is listened to.
        self._plane = plane
        self._ending = Ending.of(operation, args)
        self._failure: Optional[MusterError] = None
        self._call = queue.submit(operation, args)
        self._finalizer = weakref.finalize(self, self._call.forget, self._ending.when_left)

    @property
    def ticket(self) -> int:
        """The number by which :meth:`Plane.cancel` ends the call, from any thread."""
        return self._call.ticket

    async def aclose(self) -> None:
        """Ends the stream: nothing comes any more. The run goes on, unless ``on_disconnect`` is ``"cancel"``."""
        self._finalizer()
        self._call.close()

    def __aiter__(self) -> AsyncEventStream:
        return self

    async def __anext__(self) -> Event:
        while self._finalizer.alive:
            try:
                item = await self._call.next()
            except asyncio.CancelledError:
                self._interrupt()
                raise
            if item is None:
                break
            if item.is_final:
                self._failure = item.failure
                self._finalizer()
            event = item.event()
            if event is not None:
                return event
        failure, self._failure = self._failure, None
        raise failure or StopAsyncIteration

    async def __aenter__(self) -> AsyncEventStream:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    def _interrupt(self) -> None:
        """The asyncio task that waits is cancelled. A stream that does not end by that can be read on."""
        if self._ending.when_interrupted:
            self._call.forget(True)
            self._finalizer()
