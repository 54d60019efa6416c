"""Events of a task, one after the other, on the thread that asks for them."""

from __future__ import annotations

import contextlib
import select
import threading
import weakref
from types import TracebackType
from typing import Any, Mapping, NamedTuple, Optional, Type

from . import _native
from ._events import Event, Item
from .errors import ClosedError, MusterError

# How long one wait of the main thread may be, in milliseconds: with a descriptor, which signals interrupt, and without.
_WAIT_MS = 1000
_BLIND_WAIT_MS = 100


class Ending(NamedTuple):
    """Whether the call behind a stream is cancelled with it."""

    when_left: bool
    """When the stream is closed early, or forgotten."""
    when_interrupted: bool
    """When waiting is interrupted: by Ctrl-C, or because the asyncio task that waits is cancelled."""

    @classmethod
    def of(cls, operation: str, args: Mapping[str, Any]) -> Ending:
        """That of a call. One that only follows a task ends with its reader, and the task goes on."""
        if operation != "agents.invoke_stream":
            return cls(True, True)
        choice = args.get("on_disconnect")
        return cls(choice == "cancel", choice is None or choice == "cancel")


class EventStream:
    """The events of a task as they happen. Iterate over it; the last one is ``task_finished``, or
    ``task_updated`` when a person is asked first.

    When the run was ended from outside, the error that says so is raised after the last event. Close the stream, or
    leave its ``with`` block, when you stop early; one that is forgotten is closed when it is collected. Ctrl-C while it
    waits ends it at once.
    """

    def __init__(self, plane: Any, handle: int, operation: str, args: Mapping[str, Any]) -> None:
        """Submits the call; see :meth:`Plane.stream`."""
        # The plane must not be collected, and closed with that, while it is listened to.
        self._plane = plane
        self._handle = handle
        self._ending = Ending.of(operation, args)
        self._failure: Optional[MusterError] = None
        self._queue = _native.open_queue(handle)
        self._finalizer = weakref.finalize(self, _native.close_queue, self._queue)
        try:
            self._ticket = _native.submit(handle, self._queue, operation, _native.encode(args))
        except BaseException:
            self.close()
            raise

    @property
    def ticket(self) -> int:
        """The number by which :meth:`Plane.cancel` ends the call, from any thread."""
        return self._ticket

    def close(self) -> None:
        """Ends the stream: nothing comes any more. The run goes on, unless ``on_disconnect`` is ``"cancel"``."""
        self._finalizer()

    def __iter__(self) -> EventStream:
        return self

    def __next__(self) -> Event:
        while self._finalizer.alive:
            try:
                item = self._wait()
            except ClosedError:
                # Another thread closed the stream meanwhile, or this is a forked child.
                if self._finalizer.alive:
                    raise
                break
            if item is None:
                continue
            if item.is_final:
                self._failure = item.failure
                self.close()
            event = item.event()
            if event is not None:
                return event
        failure, self._failure = self._failure, None
        raise failure or StopIteration

    def __enter__(self) -> EventStream:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def _wait(self) -> Optional[Item]:
        """What came, or nothing: then there may be more, or the stream was closed."""
        if threading.current_thread() is not threading.main_thread():
            return _native.next_item(self._queue, -1)
        # Python runs signal handlers on the main thread and only between its own steps, so that does not wait in the
        # library.
        try:
            item = _native.next_item(self._queue, 0)
            if item is not None:
                return item
            descriptor = _native.queue_descriptor(self._queue)
            if descriptor < 0:
                return _native.next_item(self._queue, _BLIND_WAIT_MS)
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(_WAIT_MS)
        except KeyboardInterrupt:
            self._interrupt()
            raise
        return None

    def _interrupt(self) -> None:
        """Ends the stream because waiting was interrupted. A run that this cancels has ended when it returns."""
        try:
            if self._ending.when_interrupted:
                with contextlib.suppress(MusterError):
                    _native.cancel(self._handle, self._ticket)
                    self._await_end()
        finally:
            self.close()

    def _await_end(self) -> None:
        """Drops events up to the last one; a second Ctrl-C ends this."""
        while self._finalizer.alive:
            item = _native.next_item(self._queue, _WAIT_MS)
            if item is not None and item.is_final:
                return
