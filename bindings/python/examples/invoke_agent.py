"""Talks to an agent in two turns of one thread.

    MODEL_BASE=http://127.0.0.1:8080/v1 MODEL=smollm2 python invoke_agent.py agents.db

MODEL_BASE is the address of a server that speaks OpenAI's chat completions, MODEL the model to ask there.
"""

from __future__ import annotations

import os
import sys

import muster


def main(store: str) -> None:
    model = {
        "provider": "openai_compatible",
        "name": os.environ.get("MODEL", "default"),
        "api_base": os.environ["MODEL_BASE"],
    }
    with muster.open(store, default_model=model) as plane:
        if plane.agents.list()["total"] == 0:
            plane.agents.create(name="Poet", instructions={"general": "Answer in rhymes."})
            plane.agents.create(
                name="Guide", instructions={"general": "You are a helpful guide. Answer in one short sentence."}
            )
        print(f"{'ID':36}  {'NAME':12}  {'STATUS':8}  MODEL")
        for agent in plane.agents.iter():
            print(f"{agent['id']}  {agent['name']:12}  {agent['status']:8}  {agent['model_name']}")

        agent_id = plane.agents.list()["items"][0]["id"]
        thread_id = None
        for question in ("What is the capital of France?", "And of Italy?"):
            task = plane.agents.invoke(agent_id, question, id=thread_id, timeout=120)
            thread_id = task["id"]
            tokens = task["tokens"]
            total = tokens["total_tokens"] if tokens else 0
            print(f"\n{question}\n{task['status']}: {task['result']}\n({total} tokens)")
            if task["status"] != "completed" or total <= 0:
                sys.exit("the model did not answer as it should")

        print("\nThe thread:")
        for message in plane.tasks.thread(thread_id or ""):
            print(f"{message['role']}: {message['content']}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or "MODEL_BASE" not in os.environ:
        sys.exit("usage: MODEL_BASE=URL MODEL=NAME invoke_agent.py STORE")
    main(sys.argv[1])
