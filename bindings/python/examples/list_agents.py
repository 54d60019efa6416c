"""Lists the agents of a store; makes two if there are none.

python list_agents.py agents.db
"""

from __future__ import annotations

import sys

import muster


def main(store: str) -> None:
    with muster.open(store) as plane:
        if plane.agents.list()["total"] == 0:
            plane.agents.create(name="Translator", instructions={"role": ["Translate what you are given to French."]})
            plane.agents.create(name="Poet", instructions={"general": "Answer in rhymes."})

        rows = [("ID", "NAME", "STATUS", "MODEL")]
        for agent in plane.agents.iter():
            model = f"{agent['model_provider']}/{agent['model_name']}"
            rows.append((agent["id"], agent["name"], agent["status"] or "", model))

        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: list_agents.py STORE")
    main(sys.argv[1])
