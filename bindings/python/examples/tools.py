"""Lets an agent call functions of this program, and shows each call.

    MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=qwen3 python tools.py agents.db

MODEL_BASE is the address of a server that speaks OpenAI's chat completions, MODEL a model there that can use tools.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime, timezone
from typing import Any, Dict, Literal

import muster


def main(store: str) -> None:
    model = {
        "provider": "openai_compatible",
        "name": os.environ.get("MODEL", "default"),
        "api_base": os.environ["MODEL_BASE"],
    }
    with muster.open(store, default_model=model, tools="all") as plane:

        @plane.tool(read_only=True)
        def weather(city: str, unit: Literal["C", "F"] = "C") -> Dict[str, Any]:
            """The weather in a city.

            Args:
                city: Its name.
                unit: Of the temperature: Celsius or Fahrenheit.
            """
            return {"city": city, "temperature": 21 if unit == "C" else 70, "sky": "clear"}

        @plane.tool(read_only=True, timeout=5)
        async def now(call: muster.ToolCall) -> str:
            """The date and the time of day, in UTC."""
            await asyncio.sleep(0.01)
            return datetime.now(timezone.utc).isoformat(timespec="seconds")

        agent = plane.agents.create(name="Guide", instructions={"general": "Use the tools. Answer briefly."})
        for question in ("What is the weather in Paris?", "What time is it?"):
            print(question)
            for event in plane.agents.stream(agent["id"], question, timeout=120):
                if event.tool and event.tool.is_over:
                    print(f"  {event.tool.name}({event.tool.arguments}) -> {event.tool.result}")
            print(f"{event.data['status']}: {event.data['result']}\n")
            if event.data["status"] != "completed":
                sys.exit("the model did not answer as it should")


if __name__ == "__main__":
    if len(sys.argv) != 2 or "MODEL_BASE" not in os.environ:
        sys.exit("usage: MODEL_BASE=URL MODEL=NAME tools.py STORE")
    main(sys.argv[1])
