#!/usr/bin/env python3
"""Serves a store in memory over HTTP, for programs that test the REST service from outside.

    python3 serve.py FOLDER

Makes two agents, a task and a template, writes their ids (`agent`, `runner`, `task`, `template`), `key` and `url` into the
folder, the url last, and serves until its standard input closes. Models are answered by the mock model
server, so that no test leaves the machine; agents cannot reach other addresses.
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))

import muster  # noqa: E402


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    model = subprocess.Popen(
        [sys.executable, str(ROOT / "Tests" / "servers" / "model_server.py"), "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    base = model.stdout.readline().split()[-1]
    default = {"provider": "openai_compatible", "name": "echo", "api_base": base}
    with muster.open(":memory:", default_model=default) as plane:
        key = plane.call("keys.create", body={"name": "tests", "can_manage_keys": True})["key"]
        agent = plane.agents.create(name="Guide")["id"]
        runner = plane.agents.create(name="Runner")["id"]
        task = plane.agents.invoke(agent, "Who are you?")["id"]
        template = plane.agents.export(agent, name="Guide")["id"]
        server = plane.serve(rate_limit="off")
        made = {"key": key, "agent": agent, "runner": runner, "task": task, "template": template, "url": server.url}
        for name, text in made.items():
            (folder / f"{name}.new").write_text(text)
            (folder / f"{name}.new").rename(folder / name)
        sys.stdin.read()
        server.stop()
    model.stdin.close()
    model.wait()


if __name__ == "__main__":
    main()
