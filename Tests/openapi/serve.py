#!/usr/bin/env python3
"""Serves a store in memory over HTTP, for programs that test the REST service from outside.

    python3 serve.py FOLDER

Makes two agents, a task and a template, writes their ids (`agent`, `runner`, `task`, `template`), `key` and `url` into the
folder, the url last, and serves until its standard input closes. Models are answered by the mock model
server, so that no test leaves the machine; agents cannot reach other addresses.
"""

import ctypes
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))

import muster  # noqa: E402
from muster import _library  # noqa: E402


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
        server = Server(plane)
        made = {"key": key, "agent": agent, "runner": runner, "task": task, "template": template, "url": server.url}
        for name, text in made.items():
            (folder / f"{name}.new").write_text(text)
            (folder / f"{name}.new").rename(folder / name)
        sys.stdin.read()
        server.stop()
    model.stdin.close()
    model.wait()


class Server:
    """A server of a plane, over the C interface."""

    def __init__(self, plane: muster.Plane) -> None:
        self.library = _library.load()
        self.handle = ctypes.c_void_p()
        error = ctypes.c_void_p()
        status = self.library.muster_serve(
            ctypes.c_void_p(plane._handle), b'{"rate_limit":"off"}', ctypes.byref(self.handle), ctypes.byref(error)
        )
        if status != 0:
            raise SystemExit(self.library.muster_error_message(error).decode())
        url = ctypes.c_char_p()
        self.library.muster_server_url(self.handle, ctypes.byref(url), None, None)
        self.url = url.value.decode()

    def stop(self) -> None:
        self.library.muster_server_stop(self.handle)


if __name__ == "__main__":
    main()
