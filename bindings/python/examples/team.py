"""An agent leads another one, and calls a function of this program that changes something.

    MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=qwen3 python team.py agents.db

What an earlier start of it left behind goes on first: kill it in the middle, and start it again. MODEL is the leader's
and has to be one that can use tools; HELPER_MODEL, if it is set, is that of the agent that is led.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Dict

import muster


def main(store: str) -> None:
    model = {"provider": "openai_compatible", "name": os.environ["MODEL"], "api_base": os.environ["MODEL_BASE"]}
    with muster.open(store, default_model=model) as plane:

        @plane.tool(idempotent=True)
        def book(call: muster.ToolCall, nights: int = 1) -> Dict[str, Any]:
            """Books a room."""
            # The call is on disk, with this key: a booking system that knows it books once, however often it is asked.
            print(f"book {nights}, key {call.idempotency_key}{', again' if call.repeat else ''}")
            return {"booked": True}

        plane.resume()

        guide = plane.agents.create(
            name="Guide", description="Knows Paris.", model_name=os.environ.get("HELPER_MODEL") or os.environ["MODEL"]
        )
        leader = plane.agents.create(
            name="Leader",
            instructions={"general": "Ask Guide which quarter of Paris is quiet. Then book two nights."},
            graph=[
                {"item_id": guide["id"], "type": "agent", "targets": []},
                {"item_id": "book", "type": "tool", "sub_type": "local_tool", "targets": []},
            ],
        )
        limits: muster.types.InvokeAgentLimits = {"model_calls": 12, "seconds": 240}
        task = plane.agents.invoke(leader["id"], "I need a room in Paris.", limits=limits, timeout=300)
        print(f"[{task['status']}] {task['result']}")
        # What the other agent was asked is a task of its own.
        for below in map(plane.tasks.get, task["sub_executions"]):
            print(f"Guide [{below['status']}]: {below['result']}")
        if not task["sub_executions"]:
            sys.exit("the leader has asked nobody")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not {"MODEL_BASE", "MODEL"} <= os.environ.keys():
        sys.exit("usage: MODEL_BASE=URL MODEL=NAME [HELPER_MODEL=NAME] team.py STORE")
    main(sys.argv[1])
