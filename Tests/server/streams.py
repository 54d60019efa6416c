"""Runs that are streamed over REST, as curl and as readers see them that are slow, that die and that come back: streams.py LIBRARY FOLDER"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import harness
from harness import Server, check

LIBRARY, FOLDER = sys.argv[1:3]


def agent(server: Server, model: str) -> str:
    status, body = server.ask("POST", "/v1/agents", {"name": model, "model_name": model})
    check(status == 201, f"an agent is made: {status}")
    return json.loads(body)["id"]


def command(server: Server, target: str, body: object = None, *headers: str) -> list[str]:
    arguments = ["curl", "-N", "-s", "-S", "-i", server.url + target, "-H", f"x-api-key: {server.key}"]
    for header in headers:
        arguments += ["-H", header]
    if body is not None:
        arguments += ["-d", json.dumps(body), "-H", "Content-Type: application/json"]
    return arguments


def frames(text: str) -> list[tuple[str, dict]]:
    """The frames of a stream: their ids, and their data."""
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        check(len(lines) == 2 and lines[0].startswith("id: ") and lines[1].startswith("data: "), f"a frame: {lines}")
        event = json.loads(lines[1][6:])
        check(event["id"] == lines[0][4:], "the id of a frame is that of its event")
        found.append((lines[0][4:], event))
    return found


def curl(server: Server, target: str, body: object = None, *headers: str) -> tuple[int, dict[str, str], str]:
    answer = subprocess.run(command(server, target, body, *headers), capture_output=True, text=True, timeout=60)
    check(answer.returncode == 0, f"curl ends well: {answer.returncode} {answer.stderr}")
    head, body_text = answer.stdout.replace("\r\n", "\n").split("\n\n", 1)
    lines = head.split("\n")
    return int(lines[0].split()[1]), {a.lower(): b for a, b in (line.split(": ", 1) for line in lines[1:])}, body_text


def invoke(text: str = "one two three", **more: object) -> dict:
    return {"input": {"text": text}, **more}


def events(server: Server, task: str, after: str = "") -> list[tuple[str, dict]]:
    return frames(curl(server, f"/v1/tasks/{task}/events" + (f"?after={after}" if after else ""))[2])


def text_of(found: list[tuple[str, dict]]) -> str:
    return "".join(event["data"] for _, event in found if event["type"] == "chunk")


def observed() -> dict:
    base = os.environ["MODEL_BASE"].rsplit("/v1", 1)[0]
    with urllib.request.urlopen(base + "/observed") as answer:
        return json.load(answer)


def a_stream_has_the_documented_frames(server: Server) -> None:
    echo = agent(server, "echo")
    status, headers, body = curl(server, f"/v1/agents/{echo}/invoke/stream", invoke())
    check(status == 200 and headers["content-type"].startswith("text/event-stream"), f"the head: {status} {headers}")
    check(headers["cache-control"] == "no-cache", "it is not to be kept")
    found = frames(body)
    types = [event["type"] for _, event in found]
    check(types[:2] == ["task_created", "task_updated"] and types[-1] == "task_finished", f"the order: {types}")
    check(set(types[2:-1]) == {"chunk"}, f"pieces between them: {types}")
    states = [event["data"]["status"] for _, event in found if event["type"].startswith("task")]
    check(states == ["pending", "executing", "completed"], f"the task's states: {states}")
    check(text_of(found) == found[-1][1]["data"]["result"] == "echo: one two three", "the pieces make up the result")
    task = found[0][1]["task_id"]
    check({event["task_id"] for _, event in found} == {task}, "one task")
    check(json.loads(server.ask("GET", f"/v1/tasks/{task}")[1])["status"] == "completed", "the task is there")
    again = frames(curl(server, f"/v1/agents/{echo}/invoke/stream", invoke("more", id=task))[2])
    check(again[0][1]["type"] == "task_created" and again[-1][1]["task_id"] == task, "a further turn of the thread")


def what_is_wrong_is_an_ordinary_answer(server: Server) -> None:
    echo = agent(server, "echo")
    for target, body, wanted in [
        (f"/v1/agents/{echo}/invoke/stream", {}, 422),
        (f"/v1/agents/{echo}/invoke/stream?on_busy=never", invoke(), 422),
        ("/v1/agents/none/invoke/stream", invoke(), 404),
        ("/v1/tasks/none/events", None, 404),
        (f"/v1/agents/{echo}/invoke/stream?version=77", invoke(), 404),
    ]:
        status, headers, text = curl(server, target, body)
        check(status == wanted and headers["content-type"] == "application/json", f"{target}: {status} {text}")
        check("detail" in json.loads(text), "the documented error")
    failed = frames(curl(server, f"/v1/agents/{agent(server, 'status:400')}/invoke/stream", invoke())[2])
    check(failed[-1][1]["type"] == "task_finished" and failed[-1][1]["data"]["status"] == "error", "a run that fails")


def an_asynchronous_run_is_pending_and_then_done(server: Server) -> None:
    echo = agent(server, "slow:40")
    for target in (f"/v1/agents/{echo}/invoke/async", f"/v1/agents/{echo}/invoke?asynchronous=true"):
        status, body = server.ask("POST", target, invoke())
        task = json.loads(body)
        check(status == 200 and task["status"] == "pending" and task["result"] is None, f"{target}: {status} {body!r}")
        found = events(server, task["id"])
        check(found[-1][1]["data"]["status"] == "completed", "followed to its end")
        status, body = server.ask("GET", f"/v1/tasks/{task['id']}")
        check(json.loads(body)["status"] == "completed", "and polled")
    activity = json.loads(server.ask("GET", f"/v1/tasks/{task['id']}/activity")[1])
    check([entry["role"] for entry in activity["messages"]] == ["user", "agent"], "what was said in it")


def a_reader_that_comes_back_misses_nothing(server: Server) -> None:
    slow = agent(server, "slow:30")
    process = subprocess.Popen(
        command(server, f"/v1/agents/{slow}/invoke/stream", invoke("a b c d e f g h i j k l m n")),
        stdout=subprocess.PIPE, text=True)
    seen: list[tuple[str, dict]] = []
    for line in process.stdout:
        if line.startswith("data: "):
            event = json.loads(line[6:])
            seen.append((event["id"], event))
            if len(seen) == 5:
                break
    process.send_signal(signal.SIGKILL)
    process.wait()
    task = seen[0][1]["task_id"]
    status, _, body = curl(server, f"/v1/tasks/{task}/events", None, f"Last-Event-ID: {seen[-1][0]}")
    rest = frames(body)
    check(status == 200 and rest[-1][1]["type"] == "task_finished", "it gets the end")
    check(text_of(seen) + text_of(rest) == rest[-1][1]["data"]["result"], "no piece is missing, and none comes twice")
    whole = events(server, task)
    check(text_of(whole) == rest[-1][1]["data"]["result"], "who comes late gets it all")
    check(curl(server, f"/v1/tasks/{task}/events?after=x")[0] == 422, "an id that is none is refused")


def readers_that_die_or_pause_disturb_no_run(server: Server) -> None:
    slow = agent(server, "slow:20")
    readers = [
        subprocess.Popen(command(server, f"/v1/agents/{slow}/invoke/stream", invoke(id=f"reader-{number}")),
                         stdout=subprocess.DEVNULL)
        for number in range(20)
    ]
    time.sleep(0.15)
    for number, reader in enumerate(readers):
        reader.send_signal(signal.SIGKILL if number % 2 == 0 else signal.SIGSTOP)
    end = time.monotonic() + 20
    left = {f"reader-{number}" for number in range(20)}
    while left and time.monotonic() < end:
        for task in list(left):
            status, body = server.ask("GET", f"/v1/tasks/{task}")
            if status == 200 and json.loads(body)["status"] == "completed":
                left.discard(task)
        time.sleep(0.05)
    check(not left, f"all runs are completed: {left}")
    for reader in readers:
        reader.kill()
        reader.wait()


def a_client_that_goes_can_take_its_run_along(server: Server) -> None:
    for rule, wanted in (("cancel", "stopped"), ("continue", "completed")):
        slow = agent(server, "slow:150")
        task = f"gone-{rule}"
        reader = subprocess.Popen(
            command(server, f"/v1/agents/{slow}/invoke/stream?on_disconnect={rule}", invoke("a b c d e f g", id=task)),
            stdout=subprocess.PIPE)
        reader.stdout.read(200)
        time.sleep(0.3)
        reader.kill()
        reader.wait()
        end = time.monotonic() + 10
        status = ""
        while time.monotonic() < end and status not in ("stopped", "completed"):
            status = json.loads(server.ask("GET", f"/v1/tasks/{task}")[1])["status"]
            time.sleep(0.05)
        check(status == wanted, f"on_disconnect={rule}: {status}")


def a_stop_reaches_the_model_and_the_reader(server: Server) -> None:
    stall = agent(server, "stall:2")
    before = len(observed()["disconnects"])
    found: list[tuple[str, dict]] = []
    reader = threading.Thread(
        target=lambda: found.extend(
            frames(curl(server, f"/v1/agents/{stall}/invoke/stream", invoke("a b c d", id="stopped"))[2])))
    reader.start()
    end = time.monotonic() + 10
    while server.ask("GET", "/v1/tasks/stopped")[0] != 200 and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    began = time.monotonic()
    status, body = server.ask("POST", "/v1/tasks/stopped/stop")
    task = json.loads(body)
    check(status == 200 and task["status"] == "stopped" and task["is_manually_stopped"], f"stopped: {status} {body!r}")
    reader.join(10)
    check(not reader.is_alive() and time.monotonic() - began < 3, "the reader gets the end soon")
    check(found[-1][1]["data"]["status"] == "stopped", "which says so")
    check(text_of(found) == found[-1][1]["data"]["result"] != "", "the text so far is kept")
    end = time.monotonic() + 5
    while len(observed()["disconnects"]) == before and time.monotonic() < end:
        time.sleep(0.05)
    check(len(observed()["disconnects"]) > before, "the model's connection is closed")


def turns_of_a_thread_keep_their_order(server: Server) -> None:
    slow = agent(server, "slow:80")
    first = subprocess.Popen(
        command(server, f"/v1/agents/{slow}/invoke/stream", invoke("one", id="line")), stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 10
    while server.ask("GET", "/v1/tasks/line")[0] != 200 and time.monotonic() < end:
        time.sleep(0.02)
    status, body = server.ask("POST", f"/v1/agents/{slow}/invoke/stream?on_busy=reject", invoke("no", id="line"))
    check(status == 409, f"who does not wait is refused: {status} {body!r}")
    second = frames(curl(server, f"/v1/agents/{slow}/invoke/stream", invoke("two", id="line"))[2])
    check(second[-1][1]["data"]["status"] == "completed", "who waits is run")
    first.wait(10)
    thread = json.loads(server.ask("GET", "/v1/tasks/line/thread")[1])
    check([message["role"] for message in thread] == ["user", "assistant"] * 2, "two turns, one after the other")
    running = subprocess.Popen(
        command(server, f"/v1/agents/{slow}/invoke/stream", invoke("a b c d e f g h", id="line2")),
        stdout=subprocess.PIPE, text=True)
    while server.ask("GET", "/v1/tasks/line2")[0] != 200:
        time.sleep(0.02)
    found = frames(curl(server, f"/v1/agents/{slow}/invoke/stream?on_busy=replace", invoke("now", id="line2"))[2])
    check(found[-1][1]["data"]["status"] == "completed", "who replaces is run")
    replaced = frames(running.communicate(timeout=10)[0].replace("\r\n", "\n").split("\n\n", 1)[1])
    check(replaced[-1][1]["data"]["status"] == "stopped", "what was replaced is stopped")


def another_process_follows_and_stops(first: Server, second: Server) -> None:
    slow = agent(first, "slow:60")
    process = subprocess.Popen(
        command(first, f"/v1/agents/{slow}/invoke/stream", invoke("a b c d e f", id="there")), stdout=subprocess.PIPE)
    end = time.monotonic() + 10
    while second.ask("GET", "/v1/tasks/there")[0] != 200 and time.monotonic() < end:
        time.sleep(0.02)
    found = events(second, "there")
    check(found[-1][1]["data"]["status"] == "completed", "another process follows to the end")
    check(text_of(found) == found[-1][1]["data"]["result"], "and gets the text")
    process.wait(10)
    stall = agent(first, "stall:1")
    process = subprocess.Popen(
        command(first, f"/v1/agents/{stall}/invoke/stream", invoke("a b", id="far")), stdout=subprocess.PIPE, text=True)
    while second.ask("GET", "/v1/tasks/far")[0] != 200:
        time.sleep(0.02)
    check(second.ask("POST", "/v1/tasks/far/stop")[0] == 200, "another process stops")
    last = frames(process.communicate(timeout=10)[0].replace("\r\n", "\n").split("\n\n", 1)[1])[-1][1]
    check(last["type"] == "task_finished" and last["data"]["status"] == "stopped", "and the run's own reader hears of it")


def a_stop_of_the_server_ends_streams_and_runs(server: Server) -> None:
    stall = agent(server, "stall:1")
    process = subprocess.Popen(
        command(server, f"/v1/agents/{stall}/invoke/stream", invoke("a b", id="end")), stdout=subprocess.PIPE)
    while server.ask("GET", "/v1/tasks/end")[0] != 200:
        time.sleep(0.02)
    began = time.monotonic()
    check(server.stop() == 0, "the server ends well")
    check(time.monotonic() - began < 15, "and soon")
    process.wait(10)


def main() -> None:
    store = f"{FOLDER}/streams.db"
    server = Server(store, LIBRARY, stop_timeout_ms=500)
    other = Server(store, LIBRARY, stop_timeout_ms=500)
    other.key = server.key
    for test in (
        a_stream_has_the_documented_frames,
        what_is_wrong_is_an_ordinary_answer,
        an_asynchronous_run_is_pending_and_then_done,
        a_reader_that_comes_back_misses_nothing,
        readers_that_die_or_pause_disturb_no_run,
        a_client_that_goes_can_take_its_run_along,
        a_stop_reaches_the_model_and_the_reader,
        turns_of_a_thread_keep_their_order,
    ):
        test(server)
    another_process_follows_and_stops(server, other)
    a_stop_of_the_server_ends_streams_and_runs(server)
    after = json.loads(other.ask("GET", "/v1/tasks?per_page=50")[1])
    check(all(item["status"] != "executing" for item in after["items"]), "no task is left executing")
    other.stop()
    print(f"streams {harness.passed} passed, {harness.failed} failed")
    sys.exit(1 if harness.failed else 0)


main()
