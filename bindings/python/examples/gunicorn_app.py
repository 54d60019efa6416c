"""A web application with a plane in each worker process.

    pip install gunicorn
    STORE=agents.db MODEL_BASE=http://127.0.0.1:8080/v1 gunicorn --config gunicorn_app.py gunicorn_app:application

GET / lists the agents, POST / invokes the first one with the body as its input. gunicorn forks its workers; a plane
belongs to the process that opened it, so each worker opens one of its own after the fork. All share the store.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

import muster

# The configuration of gunicorn.
bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WORKERS", "4"))
preload_app = True

_plane: Optional[muster.Plane] = None


def open_plane() -> muster.Plane:
    name, base = os.environ.get("MODEL", "default"), os.environ["MODEL_BASE"]
    model = {"provider": "openai_compatible", "name": name, "api_base": base}
    return muster.open(os.environ["STORE"], default_model=model)


def on_starting(server: Any) -> None:
    """The first process makes the agent, once, and keeps no plane open."""
    with open_plane() as plane:
        if plane.agents.list()["total"] == 0:
            plane.agents.create(name="Guide")


def post_fork(server: Any, worker: Any) -> None:
    # The configuration and the application may be two modules: the plane is kept where the application looks for it.
    import gunicorn_app

    gunicorn_app._plane = open_plane()


Start = Callable[[str, List[Tuple[str, str]]], Any]


def application(environ: Dict[str, Any], start_response: Start) -> Iterable[bytes]:
    plane = _plane
    assert plane is not None, "post_fork has not run"
    if environ["REQUEST_METHOD"] == "POST":
        text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        agent = plane.agents.list()["items"][0]
        task = plane.agents.invoke(agent["id"], text, timeout=60)
        answer: Dict[str, Any] = {"result": task["result"], "status": task["status"], "worker": os.getpid()}
    else:
        answer = {"agents": [agent["name"] for agent in plane.agents.iter()], "worker": os.getpid()}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
