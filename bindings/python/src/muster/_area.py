"""What the generated classes of operations share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, Mapping, Optional, Protocol, Set

from ._streams import EventStream

if TYPE_CHECKING:
    from ._loops import AsyncEventStream


class Unset:
    """The type of :data:`UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()
"""Stands for a field that is not sent at all, where ``None`` would be sent as ``null``."""


class Caller(Protocol):
    """What an area needs of a plane."""

    def _call(
        self, operation: str, args: Mapping[str, Any], timeout: Optional[float] = None, ticket: Optional[int] = None
    ) -> Any: ...

    async def _acall(
        self, operation: str, args: Mapping[str, Any], timeout: Optional[float] = None, ticket: Optional[int] = None
    ) -> Any: ...

    def _stream(
        self, operation: str, args: Mapping[str, Any], timeout: Optional[float] = None, ticket: Optional[int] = None
    ) -> EventStream: ...

    def _astream(
        self, operation: str, args: Mapping[str, Any], timeout: Optional[float] = None, ticket: Optional[int] = None
    ) -> AsyncEventStream: ...


class Area:
    """A group of operations of one plane."""

    __slots__ = ("_plane",)

    def __init__(self, plane: Caller) -> None:
        self._plane = plane

    def _call(
        self,
        operation: str,
        args: Mapping[str, Any],
        body: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
        ticket: Optional[int] = None,
    ) -> Any:
        """Calls an operation without the arguments that were not given."""
        return self._plane._call(operation, _arguments(args, body), timeout, ticket)

    async def _acall(
        self,
        operation: str,
        args: Mapping[str, Any],
        body: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
        ticket: Optional[int] = None,
    ) -> Any:
        """As ``_call``, for asyncio."""
        return await self._plane._acall(operation, _arguments(args, body), timeout, ticket)

    def _stream(
        self,
        operation: str,
        args: Mapping[str, Any],
        body: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
        ticket: Optional[int] = None,
    ) -> EventStream:
        """Begins an operation that gives events."""
        return self._plane._stream(operation, _arguments(args, body), timeout, ticket)

    def _astream(
        self,
        operation: str,
        args: Mapping[str, Any],
        body: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
        ticket: Optional[int] = None,
    ) -> AsyncEventStream:
        """As ``_stream``, for asyncio."""
        return self._plane._astream(operation, _arguments(args, body), timeout, ticket)

    def _iterate(self, operation: str, args: Mapping[str, Any]) -> Iterator[Any]:
        """Walks a listing page by page. An item that moved to the next page meanwhile is given once."""
        arguments = given(args)
        page = 0
        seen: Set[Any] = set()
        while True:
            page += 1
            answer: Dict[str, Any] = self._plane._call(operation, {**arguments, "page": page})
            items = answer["items"]
            for item in items:
                if item.get("id") not in seen:
                    yield item
            if not items or page >= answer["total_pages"]:
                return
            seen = {item.get("id") for item in items}


def _arguments(args: Mapping[str, Any], body: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """The arguments that were given, and the body if there is one."""
    arguments = given(args)
    if body is not None:
        arguments["body"] = body
    return arguments


def given(values: Mapping[str, Any]) -> Dict[str, Any]:
    """The members that are not ``None``."""
    return {key: value for key, value in values.items() if value is not None}


def present(values: Mapping[str, Any]) -> Dict[str, Any]:
    """The members that are not :data:`UNSET`."""
    return {key: value for key, value in values.items() if not isinstance(value, Unset)}
