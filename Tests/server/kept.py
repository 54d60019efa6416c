"""Answers that a server gives again: never older than what was acknowledged, by whatever process, before the request: kept.py LIBRARY FOLDER"""

from __future__ import annotations

import datetime
import json
import re
import sqlite3
import sys
import threading
import time

import harness
from harness import Server, check, read_answer

LIBRARY, FOLDER = sys.argv[1:3]


def get(server: Server, target: str, key: str | None = None, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """A GET on a connection of its own: its status, headers and body."""
    request = f"{method} {target} HTTP/1.1\r\nHost: x\r\nx-api-key: {key or server.key}\r\nConnection: close\r\n\r\n"
    head, body = server.send(request.encode()).split(b"\r\n\r\n", 1)
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}, body


def page(server: Server, target: str = "/v1/agents?per_page=50", key: str | None = None) -> dict:
    status, _, body = get(server, target, key)
    check(status == 200, f"{target}: {status}")
    return json.loads(body)


def ids(listed: dict) -> list[str]:
    return [item["id"] for item in listed["items"]]


def create(server: Server, name: str = "one more") -> str:
    status, body = server.ask("POST", "/v1/agents", {"name": name})
    check(status == 201, f"an agent is made: {status}")
    return json.loads(body)["id"]


def make_key(server: Server, **body: object) -> dict:
    status, text = server.ask("POST", "/v1/keys", {"name": "k", **body})
    check(status == 201, f"a key is made: {status} {text!r}")
    return json.loads(text)


def what_others_commit_is_seen_by_the_next_request(first: Server, second: Server) -> None:
    for number in range(50):
        maker = second if number % 2 == 0 else first
        made = create(maker)
        for target in ("/v1/agents", "/v1/agents/full?per_page=1"):
            listed = page(first, target)
            check(ids(listed)[0] == made, f"a new agent is in {target} at once, round {number}")
            check(page(first, target) == listed, f"{target} stays as it is while nothing is committed")
        target = f"/v1/agents/{made}"
        for name in ("before", "after"):
            check(maker.ask("PATCH", target, {"name": name})[0] == 200, "an agent is changed")
            for _ in range(2):
                check(json.loads(get(first, target)[2])["name"] == name, f"the change is seen at once, round {number}")
        check(maker.ask("DELETE", target)[0] == 202, "an agent is deleted")
        check(get(first, target)[0] == 404 and get(first, target)[0] == 404, f"it is gone at once, round {number}")
        check(made not in ids(page(first)), f"also from the list, round {number}")


def nobody_sees_less_than_was_acknowledged_under_load(first: Server, second: Server) -> None:
    acknowledged = [page(first)["total"]]
    end = time.monotonic() + 4
    problems: list[str] = []

    def write(server: Server) -> None:
        while time.monotonic() < end:
            create(server)
            with lock:
                acknowledged[0] += 1
            time.sleep(0.002)

    def read(server: Server) -> None:
        with server.connect() as connection:
            while time.monotonic() < end:
                with lock:
                    least = acknowledged[0]
                connection.sendall(server.request("GET", "/v1/agents?per_page=1"))
                status, body = read_answer(connection)
                if status != 200 or json.loads(body)["total"] < least:
                    problems.append(f"{status}, {body[-80:]!r}, {least} were acknowledged")

    lock = threading.Lock()
    threads = [threading.Thread(target=write, args=(server,)) for server in (first, second)]
    threads += [threading.Thread(target=read, args=(server,)) for server in (first, second) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not problems, f"{len(problems)} answers were too old: {problems[:3]}")


def a_key_ends_with_its_revocation(first: Server, second: Server) -> None:
    for number in range(30):
        key = make_key(first)
        for _ in range(3):
            check(get(first, "/v1/agents", key["key"])[0] == 200, "a key is good")
        revoking = second if number % 2 == 0 else first
        check(revoking.ask("DELETE", f"/v1/keys/{key['id']}")[0] == 204, "it is revoked")
        check(get(first, "/v1/agents", key["key"])[0] == 401, f"a revoked key is refused at once, round {number}")
    check(get(first, "/v1/agents")[0] == 200, "other keys are not")


def a_key_ends_with_its_time(server: Server) -> None:
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    key = make_key(server, expires_at=end.isoformat())["key"]
    seen = set()
    while time.time() < end.timestamp() + 1:
        before = time.time()
        status = get(server, "/v1/agents", key)[0]
        after = time.time()
        seen.add(status)
        check(status == (200 if after < end.timestamp() else 401) or before <= end.timestamp() <= after, f"{status} at {before - end.timestamp():.3f} s")
    check(seen == {200, 401}, f"it was good, and then it was not: {seen}")


def each_key_gets_its_own(first: Server, second: Server) -> None:
    agents = [create(first), create(first)]
    limited = make_key(first, agents=agents[:1])
    for _ in range(3):
        whole = ids(page(first))
        check(set(agents) <= set(whole), "a key without limits sees all")
        check(ids(page(first, key=limited["key"])) == agents[:1], "a limited key sees its own only")
        check(get(first, f"/v1/agents/{agents[1]}")[0] == 200, "the one may")
        check(get(first, f"/v1/agents/{agents[1]}", limited["key"])[0] == 403, "the other may not")
    check(second.ask("PATCH", f"/v1/keys/{limited['id']}", {"agents": agents[1:]})[0] == 200, "the limit is changed elsewhere")
    check(ids(page(first, key=limited["key"])) == agents[1:], "it acts at once")
    for wrong in (limited["key"][:-1] + ("0" if limited["key"][-1] != "0" else "1"), limited["key"] + "0", limited["id"], ""):
        check(get(first, "/v1/agents", wrong or " ")[0] == 401, "nearly the key is no key")


def an_answer_belongs_to_its_request(server: Server) -> None:
    for name in ("x", "y", "z"):
        create(server, name)
    page(server, "/v1/agents?per_page=2")
    for number in (1, 2):
        listed = page(server, f"/v1/agents?per_page=2&page={number}")
        check(listed["page"] == number and len(listed["items"]) == 2, f"page {number} is its own")
    for _ in range(2):
        check(get(server, "/v1/agents?page=0")[0] == 422, "a page that is none is refused")
        check(get(server, "/v1/agents", method="DELETE")[0] == 405, "another method is another request")
    (status, plain, body), (head_status, head, nothing) = get(server, "/v1/agents"), get(server, "/v1/agents", method="HEAD")
    check((status, head_status) == (200, 200) and nothing == b"", "HEAD has no body")
    ours = [name for name in plain if name not in ("date", "x-request-id")]
    check(all(head.get(name) == plain[name] for name in ours), f"and the headers of GET: {head} {plain}")
    check(plain["content-length"] == str(len(body)), "which tell the length of the body")
    given = set()
    for _ in range(3):
        given.add(get(server, "/v1/agents")[1]["x-request-id"])
    check(len(given) == 3 and all(re.fullmatch(r"[0-9a-f-]{36}", text) for text in given), f"each has an id of its own: {given}")
    answer = server.send(server.request("GET", "/v1/agents", headers="X-Request-Id: mine\r\nConnection: close\r\n"))
    check(b"\r\nX-Request-Id: mine\r\n" in answer, "or the one that it came with")


def each_is_counted(server: Server) -> None:
    def counted(method: str) -> int:
        text = server.ask("GET", "/metrics")[1].decode()
        found = re.search(rf'^muster_http_requests_total{{route="/v1/agents",method="{method}",status="200"}} (\d+)$', text, re.M)
        return int(found[1]) if found else 0

    for method, times in (("GET", 7), ("HEAD", 4)):
        before = counted(method)
        for _ in range(times):
            get(server, "/v1/agents", method=method)
        check(counted(method) == before + times, f"{times} {method} are counted: {before}, then {counted(method)}")


def what_is_kept_needs_no_worker(folder: str) -> None:
    server = Server(f"{folder}/busy.db", LIBRARY, workers=1)
    create(server)
    kept = get(server, "/v1/agents")[2]
    other = sqlite3.connect(server.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with server.connect() as connection:
        connection.sendall(server.request("POST", "/v1/agents", {"name": "waits for the writer"}))
        time.sleep(0.5)
        check(get(server, "/v1/agents?page=2")[0] == 503, "the only worker is busy")
        status, _, body = get(server, "/v1/agents")
        check((status, body) == (200, kept), f"what was asked before is answered all the same: {status}")
        other.execute("ROLLBACK")
        check(read_answer(connection)[0] == 201, "then it writes")
    check(page(server)["total"] == 2, "and that is seen")
    check(server.stop() == 0, "it stops properly")


def main() -> None:
    first, second = (Server(f"{FOLDER}/kept.db", LIBRARY) for _ in range(2))
    what_others_commit_is_seen_by_the_next_request(first, second)
    nobody_sees_less_than_was_acknowledged_under_load(first, second)
    a_key_ends_with_its_revocation(first, second)
    a_key_ends_with_its_time(first)
    each_key_gets_its_own(first, second)
    an_answer_belongs_to_its_request(first)
    each_is_counted(first)
    check([server.stop() for server in (first, second)] == [0, 0], "they stop properly")
    what_is_kept_needs_no_worker(FOLDER)


main()
print(f"kept {harness.passed} passed, {harness.failed} failed")
sys.exit(harness.failed != 0)
