"""The events of a task, and what a queue of the library gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

from .errors import MusterError


class ToolUse(NamedTuple):
    """The call of a tool, as the events of a task tell it."""

    id: str
    """The call: :attr:`muster.ToolCall.id` in the function that is called."""
    name: str
    """The tool, as the model named it."""
    arguments: Any
    """As the model wrote them: an object, or a text when it is none."""
    is_over: bool
    """Whether it has returned."""
    result: Any
    """What it returned; ``None`` before."""
    is_error: bool
    """Whether it failed, and :attr:`result` says why."""


@dataclass
class Event:
    """Something that happened to a task.

    A turn has ``task_created``, then ``task_updated``, ``chunk``, ``tool_call_request``, ``sub_agent_trigger`` and
    ``tool_call_result`` in any number, and at last ``task_finished``.

    A task that waits for a person has a ``task_updated`` whose task is ``paused`` and has a ``hitl_request``. It is the
    last event of the stream that runs the task, as is the ``pending`` of a task that waits for one below it; a stream
    of ``plane.tasks.events`` stays. After the decision, and when a run is gone on with, another ``task_updated``
    (``executing``) follows, and text in front of calls of tools stands. Only a ``task_updated`` right behind chunks
    says that those count no more: the attempt broke off, or its answer was sent back, and the model is asked again.

    A newer library may give other types; pass over those that you do not know.
    """

    __slots__ = ("type", "task_id", "organization_id", "time", "id", "data", "sequence")

    type: str
    """What happened: ``"task_created"``, ``"task_updated"``, ``"chunk"``, ``"tool_call_request"``,
    ``"sub_agent_trigger"``, ``"tool_call_result"``, ``"task_finished"``, or something newer."""
    task_id: str
    """The task, which is also its thread."""
    organization_id: str
    """Whose task it is."""
    time: str
    """When it happened, in UTC: ``"2026-06-01T10:00:00.000001Z"``."""
    id: str
    """The place behind the event: ``plane.tasks.events(task_id, after=event.id)`` goes on there."""
    data: Any
    """Of a chunk, a piece of what the model says; of a call of a tool, an object, see :attr:`tool`; of an agent that is
    asked, an object with ``request_id``, ``agent_id`` and ``query``; of the other types, the task as
    :class:`muster.types.AgentExecution`."""
    sequence: int
    """The last record of the task's journal before the end of the event."""

    @property
    def text(self) -> str:
        """The piece of text that a chunk is; empty for every other event."""
        return self.data if self.type == "chunk" and isinstance(self.data, str) else ""

    @property
    def tool(self) -> Optional[ToolUse]:
        """The call of a tool that the event tells of; ``None`` for every other event."""
        data = self.data
        if self.type not in ("tool_call_request", "tool_call_result") or not isinstance(data, dict):
            return None
        get = data.get
        is_over = self.type == "tool_call_result"
        return ToolUse(
            *(get("request_id", ""), get("tool_name", ""), get("payload")),
            *(is_over, get("result"), bool(get("is_error"))),
        )


class Item(NamedTuple):
    """What a queue gives of one call."""

    is_final: bool
    """Whether it is the last of the call."""
    sequence: int
    """The last journal record before its end, of an event of a task."""
    value: Any
    """The parsed event or answer; ``None`` when there is none."""
    failure: Optional[MusterError]
    """Of the last: why the call failed, if it did."""

    def event(self) -> Optional[Event]:
        """The event of a task that it is, if it is one."""
        value = self.value
        if not isinstance(value, dict):
            return None
        get = value.get
        return Event(
            get("type", ""),
            get("task_id", ""),
            get("organization_id", ""),
            get("time", ""),
            get("id", ""),
            get("data"),
            self.sequence,
        )
