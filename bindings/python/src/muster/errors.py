"""What can go wrong: one class for each kind of failure, all of them :class:`MusterError`."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple, Type


class MusterError(Exception):
    """A call of the library failed.

    ``detail`` is what the REST service sends under ``detail`` for the same failure: a text, for a validation failure a
    list of ``{"loc", "msg", "type"}``, and for a call that was cut short an object with ``message`` and ``task_id``.
    """

    status: int
    """The library's number for the failure, for example 20."""
    status_name: str
    """Its name, for example ``"API"``."""
    http_status: int
    """The status with which the REST service answers the same failure, for example 404."""
    message: str
    """One line for people."""
    detail: Any
    """The parsed error document."""
    retryable: bool
    """Whether the same call may succeed later without a change."""

    def __init__(
        self,
        status: int,
        status_name: str,
        http_status: int,
        message: str,
        detail: Any = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.status_name = status_name
        self.http_status = http_status
        self.message = message
        self.detail = detail
        self.retryable = retryable

    @property
    def task_id(self) -> Optional[str]:
        """The task that the failed call had started, if it had started one."""
        task_id = self.detail.get("task_id") if isinstance(self.detail, dict) else None
        return task_id if isinstance(task_id, str) else None

    def __reduce__(self) -> Tuple[Type[MusterError], Tuple[int, str, int, str, Any, bool]]:
        fields = (self.status, self.status_name, self.http_status, self.message, self.detail, self.retryable)
        return type(self), fields


class MisuseError(MusterError):
    """The call was wrong: an unknown operation or configuration key, a value out of range, a request too large."""


class JSONError(MisuseError, ValueError):
    """A value cannot be sent: it is not valid JSON for the library, for example an integer beyond 64 bits."""


class ClosedError(MusterError):
    """The plane was closed while the call was under way."""


class BadHandleError(MisuseError, ClosedError):
    """The plane is closed, or was opened before this process was forked."""


class APIError(MusterError):
    """The control plane refused the call; see ``http_status`` and ``detail``."""


class ForbiddenError(APIError):
    """The resource is not yours to use that way (403)."""


class NotFoundError(APIError, LookupError):
    """There is no such agent, task or version (404)."""


class ValidationError(APIError, ValueError):
    """An argument or a field is missing or not valid (422); ``detail`` lists each ``loc``, ``msg`` and ``type``."""


class UnsupportedError(MusterError):
    """This version of the library cannot do that (501)."""


class BusyError(MusterError):
    """Something stayed busy for longer than the plane may wait; trying again later may help."""


class TimeoutError_(MusterError, TimeoutError):
    """The time given to the call ran out; ``task_id`` names the task that was stopped."""


class StoreError(MusterError):
    """The store could not be opened, read or written."""


class NetworkError(MusterError):
    """The network failed."""


class CancelledError(MusterError):
    """The call was cancelled with :meth:`muster.Plane.cancel`."""


class InternalError(MusterError):
    """A defect in the library."""


_BY_STATUS: Dict[int, Type[MusterError]] = {
    2: BadHandleError,
    3: JSONError,
    4: JSONError,
    8: BadHandleError,
    40: BusyError,
    41: TimeoutError_,
    42: StoreError,
    43: NetworkError,
    60: CancelledError,
    61: ClosedError,
    90: UnsupportedError,
    99: InternalError,
}

_BY_HTTP_STATUS: Dict[int, Type[MusterError]] = {
    403: ForbiddenError,
    404: NotFoundError,
    422: ValidationError,
    501: UnsupportedError,
}


def error_class(status: int, http_status: int) -> Type[MusterError]:
    """The class for a failure; an unknown number, from a newer library, gets the nearest general one."""
    if status == 20:
        return _BY_HTTP_STATUS.get(http_status, APIError)
    if 1 <= status <= 19:
        return _BY_STATUS.get(status, MisuseError)
    return _BY_STATUS.get(status, MusterError)
