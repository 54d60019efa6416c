"""Asks an agent several questions at once, and prints the answers as they come.

    MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=smollm2 python stream.py agents.db

MODEL_BASE is the address of a server that speaks OpenAI's chat completions, MODEL the model to ask there.
"""

from __future__ import annotations

import asyncio
import os
import sys

import muster

QUESTIONS = ("What is the capital of France?", "What is the capital of Italy?", "What is the capital of Spain?")


async def ask(plane: muster.Plane, agent_id: str, question: str) -> str:
    """Reads the answer piece by piece; no thread waits for it."""
    async for event in plane.agents.astream(agent_id, question, timeout=120):
        if event.text:
            print(f"{question} {event.text!r}")
    status = event.data["status"]
    print(f"{question} {status}: {event.data['result']}")
    return str(status)


async def ask_all(plane: muster.Plane, agent_id: str) -> bool:
    statuses = await asyncio.gather(*(ask(plane, agent_id, question) for question in QUESTIONS))
    return all(status == "completed" for status in statuses)


def main(store: str) -> None:
    model = {
        "provider": "openai_compatible",
        "name": os.environ.get("MODEL", "default"),
        "api_base": os.environ["MODEL_BASE"],
    }
    with muster.open(store, default_model=model) as plane:
        agent = plane.agents.create(name="Guide", instructions={"general": "Answer in one short sentence."})
        if not asyncio.run(ask_all(plane, agent["id"])):
            sys.exit("the model did not answer as it should")

        print("\nWithout asyncio:")
        for event in plane.agents.stream(agent["id"], "And of Portugal?", timeout=120):
            print(event.text, end="", flush=True)
        print()


if __name__ == "__main__":
    if len(sys.argv) != 2 or "MODEL_BASE" not in os.environ:
        sys.exit("usage: MODEL_BASE=URL MODEL=NAME stream.py STORE")
    main(sys.argv[1])
