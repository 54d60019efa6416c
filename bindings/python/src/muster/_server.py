"""The REST service of a plane on a socket."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Any, Mapping, Optional, Type

from . import _native


class Server:
    """A running server. Stop it, or leave its ``with`` block, when done; closing its plane stops it, too.

    A server does not survive ``fork``: the child neither serves nor holds its sockets.
    """

    def __init__(self, plane: Any, handle: int, options: Mapping[str, Any]) -> None:
        """Starts a server on an open plane; see :meth:`Plane.serve`."""
        # The plane must not be collected, and closed with that, while it is served.
        self._plane = plane
        self._handle = _native.serve(handle, _native.encode(options))
        self._url = _native.server_url(self._handle)
        self._finalizer = weakref.finalize(self, _native.stop_server, self._handle)

    @property
    def url(self) -> str:
        """How clients reach it: ``"http://127.0.0.1:8080"``, or ``"unix:PATH"``."""
        return self._url

    def stop(self) -> None:
        """Takes no more connections, lets requests under way end for as long as ``stop_timeout_ms``, interrupts the
        rest, and returns when all that is done. Stopping twice is harmless."""
        _native.stop_server(self._handle)
        self._finalizer.detach()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<muster.Server {self._url!r}>"
