"""An agent leads another one, and calls a function of this program that changes something.

    MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=qwen3 python team.py agents.db

Nobody's call waits for the run, so that it goes on when its process has died: kill the program in the middle, and start
it again. What was left behind is finished first. MODEL is the leader's and has to be one that can use tools;
HELPER_MODEL, if it is set, is that of the agent that is led.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Dict

import muster


def report(plane: muster.Plane, task_id: str) -> bool:
    """Waits until a task has ended, whoever began it, and prints what came of it and of its sub-tasks."""
    *_, end = plane.tasks.events(task_id)
    print(f"[{end.data['status']}] {end.data['result']}")
    for below in map(plane.tasks.get, end.data["sub_executions"]):
        print(f"Guide [{below['status']}]: {below['result']}")
    return bool(end.data["sub_executions"])


def main(store: str) -> None:
    model = {"provider": "openai_compatible", "name": os.environ["MODEL"], "api_base": os.environ["MODEL_BASE"]}
    with muster.open(store, default_model=model) as plane:
        @plane.tool(idempotent=True)
        def book(call: muster.ToolCall, nights: int = 1) -> Dict[str, Any]:
            """Books a room."""
            # The call is on disk, with this key: a booking system that knows it books once, however often it is asked.
            print(f"book {nights}, key {call.idempotency_key}{', again' if call.repeat else ''}")
            return {"booked": True}

        left = [task["id"] for task in plane.tasks.iter(status="pending") if not task.get("parent_task_id")]
        plane.resume()
        for task_id in left:
            report(plane, task_id)

        helper = os.environ.get("HELPER_MODEL") or os.environ["MODEL"]
        guide = plane.agents.create(name="Guide", description="Knows Paris.", model_name=helper)
        leader = plane.agents.create(
            name="Leader",
            instructions={"general": "Ask Guide which quarter of Paris is quiet. Then book two nights."},
            graph=[{"item_id": guide["id"], "type": "agent", "targets": []}],
            tools=["book"],
        )
        limits: muster.types.InvokeAgentLimits = {"model_calls": 12, "seconds": 240}
        task = plane.agents.invoke_async(leader["id"], "I need a room in Paris.", limits=limits)
        if not report(plane, task["id"]):
            sys.exit("the leader has asked nobody")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not {"MODEL_BASE", "MODEL"} <= os.environ.keys():
        sys.exit("usage: MODEL_BASE=URL MODEL=NAME [HELPER_MODEL=NAME] team.py STORE")
    main(sys.argv[1])
