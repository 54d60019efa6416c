"""What the generated classes of operations share."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping, Optional, Protocol, Set


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
        arguments = given(args)
        if body is not None:
            arguments["body"] = body
        return self._plane._call(operation, arguments, timeout, ticket)

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


def given(values: Mapping[str, Any]) -> Dict[str, Any]:
    """The members that are not ``None``."""
    return {key: value for key, value in values.items() if value is not None}


def present(values: Mapping[str, Any]) -> Dict[str, Any]:
    """The members that are not :data:`UNSET`."""
    return {key: value for key, value in values.items() if not isinstance(value, Unset)}
