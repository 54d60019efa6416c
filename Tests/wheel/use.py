"""Uses the installed package: create, list and invoke, where only what the wheel brings is there.

    python use.py STORE MODEL_BASE curl|no-curl

With no-curl, the machine has no libcurl: everything but a run works, and the run says what is missing.
"""

import importlib.metadata
import os
import sys

from loaded import loaded

import muster

store, base, curl = sys.argv[1:]
package = os.path.dirname(os.path.abspath(muster.__file__))

assert {muster.__version__, importlib.metadata.version("libmuster")} == {muster.library_version()}
assert loaded("libmuster") == [os.path.join(package, "libmuster.so.1")], loaded("libmuster")
for name in ("libjansson.so.4", "libsqlite3.so.0"):
    assert [os.path.realpath(path) for path in loaded(name[:7])] == [os.path.join(package, name)], loaded(name[:7])

model = {"provider": "openai_compatible", "name": "echo", "api_base": base}
with muster.open(store, default_model=model) as plane:
    agent = plane.agents.create(name="Guide", instructions={"general": "Answer."})
    assert agent["id"] in [item["id"] for item in plane.agents.iter()]
    if curl == "curl":
        task = plane.agents.invoke(agent["id"], "Hello", timeout=30)
        assert (task["status"], task["result"]) == ("completed", "echo: Hello"), task
        assert [message["role"] for message in plane.tasks.thread(task["id"])] == ["user", "assistant"]
    else:
        task = plane.agents.invoke(agent["id"], "Hello", timeout=30)
        assert (task["status"], task["internal_status"]) == ("error", "model_not_configured"), task
        print(task["result"])
        plane.agents.update(agent["id"], name="Still here", deploy=True)
