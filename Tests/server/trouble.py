"""The server among clients that are slow, broken or hostile: a proper answer or a closed connection, never a crash, a
leak or a run that stays behind.

    trouble.py LIBRARY FOLDER [NAME...]
"""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import threading
import time
import traceback

import harness
from harness import Server, check, read_all, read_answer, statuses, until

LIBRARY, FOLDER = sys.argv[1], sys.argv[2]


def slow_clients_are_shown_out() -> None:
    server = Server(f"{FOLDER}/slow.db", LIBRARY, header_timeout_ms=1000, idle_timeout_ms=1000)
    descriptors = server.descriptors()

    def dribble(first: bytes, rest: bytes) -> float:
        began = time.monotonic()
        with server.connect() as connection:
            connection.sendall(first)
            try:
                for byte in rest:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.1)
                    connection.settimeout(0.01)
                    try:
                        if connection.recv(1000) == b"":
                            break
                    except TimeoutError:
                        pass
            except OSError:
                pass
        return time.monotonic() - began

    cases = {
        "headers": (b"GET /v1/agents HTTP/1.1\r\nHost: x\r\n", b"X-Slow: " + b"a" * 1000),
        "the first line": (b"", b"GET /" + b"a" * 1000),
        "a body": (server.request("POST", "/v1/agents", headers="Content-Length: 1000\r\n"), b" " * 1000),
        "a chunked body": (server.request("POST", "/v1/agents", headers="Transfer-Encoding: chunked\r\n") + b"3e8\r\n", b" " * 1000),
        "nothing": (b"", b""),
    }
    for name, (first, rest) in cases.items():
        seconds = dribble(first, rest) if rest else time_until_closed(server)
        check(seconds < 6, f"slow {name}: closed after {seconds:.1f} s")
    # Kept connections that rest are closed, too.
    with server.connect() as connection:
        connection.sendall(server.request("GET", "/v1/agents"))
        check(read_answer(connection)[0] == 200, "a kept connection is answered")
        began = time.monotonic()
        read_all(connection, 10)
        check(time.monotonic() - began < 6, "a kept connection that rests is closed")
    # Who does not read what was asked for is no different.
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for number in range(50):
            server.ask("POST", "/v1/agents", {"name": f"a{number}", "description": "x" * 20000})
        try:
            for _ in range(200):
                connection.sendall(server.request("GET", "/v1/agents/full?per_page=50"))
        except OSError:
            pass
        check(until(lambda: server.count("fd") <= descriptors, 20), "who does not read is closed")
    check(until(lambda: server.count("fd") == descriptors), "no descriptor stays behind")
    check(server.stop() == 0, "it stops properly")


def time_until_closed(server: Server) -> float:
    began = time.monotonic()
    with server.connect() as connection:
        read_all(connection, 20)
    return time.monotonic() - began


def what_is_too_large_is_refused() -> None:
    server = Server(f"{FOLDER}/large.db", LIBRARY, max_body_bytes=100_000, max_header_bytes=8192)
    resident = server.resident()
    for size in (9_000, 100_000, 2_000_000):
        answer = statuses(server.send(server.request("GET", "/v1/agents", headers=f"X-Large: {'a' * size}\r\n")))
        check(answer in ([431], [413], []), f"a header of {size} bytes: {answer}")
        answer = statuses(server.send(server.request("GET", "/v1/agents?x=" + "a" * size)))
        check(answer in ([414], [431], []), f"a target of {size} bytes: {answer}")
    answer = statuses(server.send(server.request("GET", "/v1/agents", headers="X-Many: 1\r\n" * 5000)))
    check(answer in ([431], [413], []), f"5000 headers: {answer}")
    status, body = server.ask("POST", "/v1/agents", {"name": "x" * 200_000})
    check(status == 413 and b"detail" in body, f"a body of 200,000 bytes: {status}")
    chunk = b"2710\r\n" + b" " * 10_000 + b"\r\n"
    head = server.request("POST", "/v1/agents", headers="Transfer-Encoding: chunked\r\n")
    answer = statuses(server.send(head + chunk * 20 + b"0\r\n\r\n"))
    check(answer == [413], f"chunks of 200,000 bytes: {answer}")
    answer = statuses(server.send(head + chunk * 5000))
    check(answer in ([413], []), f"chunks without end: {answer}")
    fits = json.dumps({"name": "fits", "description": "x" * 99_000}).encode()
    answer = statuses(server.send(head + f"{len(fits):x}\r\n".encode() + fits + b"\r\n0\r\n\r\n"))
    check(answer == [201], f"a chunked body that fits: {answer}")
    with server.connect() as connection:
        connection.sendall(server.request("POST", "/v1/agents", headers="Content-Length: 17\r\nExpect: 100-continue\r\n"))
        check(connection.recv(100).startswith(b"HTTP/1.1 100 "), "a client that asks first may go on")
        connection.sendall(b'{"name":"polite"}')
        check(read_answer(connection)[0] == 201, "and is answered")
    check(server.resident() - resident < 64 << 20, "memory stays bounded")
    check(server.ask("GET", "/v1/agents")[0] == 200, "it goes on")
    check(server.stop() == 0, "it stops properly")


def broken_requests_are_answered_or_closed() -> None:
    server = Server(f"{FOLDER}/broken.db", LIBRARY, header_timeout_ms=1000)
    descriptors, key = server.descriptors(), f"x-api-key: {server.key}\r\n"
    chunked = server.request("POST", "/v1/agents", headers="Transfer-Encoding: chunked\r\n")

    def post(headers: str, body: bytes = b"") -> bytes:
        return f"POST /v1/agents HTTP/1.1\r\nHost: x\r\n{key}{headers}\r\n".encode() + body

    bad = {
        "a chunk size that is none": chunked + b"zz\r\nabc\r\n0\r\n\r\n",
        "a chunk size beyond 64 bits": chunked + b"fffffffffffffffffff\r\nabc",
        "a negative chunk size": chunked + b"-5\r\nabc\r\n",
        "a chunk longer than it says": chunked + b"2\r\nabcdef\r\n0\r\n\r\n",
        "a negative length": post("Content-Length: -1\r\n"),
        "a length that is none": post("Content-Length: ten\r\n"),
        "a length beyond 64 bits": post("Content-Length: 99999999999999999999999\r\n"),
        "two lengths": post("Content-Length: 2\r\nContent-Length: 17\r\n", b'{"name":"double"}'),
        "a length and chunks": post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
        "an unknown encoding": post("Transfer-Encoding: gzip, pigeon\r\n", b"abc"),
        "no host": f"GET /v1/agents HTTP/1.1\r\n{key}\r\n".encode(),
        "no version": b"GET /health\r\n\r\n",
        "an unknown version": b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        "noise": bytes(range(256)) * 40,
        "empty lines": b"\r\n" * 1000,
        "zeros": bytes(10_000),
        "a header without a name": b"GET /v1/agents HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
        "a header without a colon": b"GET /v1/agents HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n",
        "a header with a zero": b"GET /v1/agents HTTP/1.1\r\nHost: x\r\nX-Zero: a\0b\r\n\r\n",
    }
    for name, data in bad.items():
        answer = statuses(server.send(data))
        check(all(status < 500 or status in (501, 505) for status in answer), f"{name}: {answer}")
        if name.startswith(("a chunk size", "a negative", "a length", "two lengths")):
            check(201 not in answer and 200 not in answer, f"{name} is not taken: {answer}")
        check(server.process.poll() is None, f"it survives {name}")

    targets = {
        "/v1/agents/%zz": 400, "/v1/agents/%4": 400, "/v1/agents/%ff%fe": 400, "/v1/agents/a%00b": 400,
        "/v1/../v1/agents": 404, "/v1/agents/..": 404, "/v1/%2e%2e/agents": 404, "//v1/agents": 404, "/v1//agents": 404,
        "/v1/agents/": 404, "/V1/agents": 404, "/v1/agents/..%2f..%2fetc%2fpasswd": 404, "/v1/agents;a=b": 404, "*": 404,
        "/v1/agents?page=%ff": 400, "/v1/agents#part": 200, "/v1/agents?": 200, "/v1/agents?&&=&a": 200,
    }
    for target, wanted in targets.items():
        answer = statuses(server.send(server.request("GET", target, headers="Connection: close\r\n")))
        check(answer == [wanted], f"{target}: {answer}, not {wanted}")
    for data in (b"GET /v1/agents/\xff\xfe HTTP/1.1\r\n", b"GET /v1/agents/\xc3\x28?a=\x80 HTTP/1.1\r\n"):
        answer = statuses(server.send(data + f"Host: x\r\n{key}Connection: close\r\n\r\n".encode()))
        check(answer in ([400], [404], []), f"{data!r}: {answer}")

    many = b"".join(server.request("GET", f"/v1/agents?page={number}") for number in range(1, 101))
    with server.connect() as connection:
        connection.sendall(many)
        data = b""
        connection.settimeout(10)
        while data.count(b"HTTP/1.1 200") < 100 and (part := connection.recv(65536)):
            data += part
        pages = [json.loads(part.split(b"\r\n\r\n", 1)[1])["page"] for part in data.split(b"HTTP/1.1 ")[1:]]
        check(pages == list(range(1, 101)), "pipelined requests are answered in order")
    for target, wanted in {"/v1/agents": ([200], []), "/health": ([200],)}.items():
        with server.connect() as connection:
            connection.sendall(server.request("GET", target))
            connection.shutdown(socket.SHUT_WR)
            began = time.monotonic()
            answer = statuses(read_all(connection))
            check(answer in wanted and time.monotonic() - began < 10, f"a half-closed connection is answered or closed: {target}, {answer}")
    with server.connect() as connection:
        connection.sendall(server.request("POST", "/v1/agents", headers="Content-Length: 500\r\n") + b'{"name":"cut off"')
    with server.connect() as connection:
        connection.sendall(f"GET /v1/agents HTTP/1.0\r\n{key}\r\n".encode())
        check(statuses(read_all(connection)) == [200], "HTTP/1.0 is answered, and closed")
    with server.connect() as connection:
        connection.sendall(server.request("HEAD", "/v1/agents", headers="Connection: close\r\n"))
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
        check(b" 200 " in head and b"Content-Length: 6" in head and body == b"", "HEAD has the length and no body")
    status, body = server.ask("GET", "/v1/agents")
    check(status == 200 and json.loads(body)["total"] == 0, "nothing of it became an agent")
    check(until(lambda: server.count("fd") == descriptors), "no descriptor stays behind")
    check(server.stop() == 0, "it stops properly")


def a_run_holds_nobody_up_however_its_path_is_written() -> None:
    server = Server(f"{FOLDER}/paths.db", LIBRARY, model="slow:2000")
    agent = json.loads(server.ask("POST", "/v1/agents", {"name": "slow"})[1])["id"]
    paths = [
        f"/%761/agents/{agent}/invoke", f"/agent-execution/{agent}", f"//None//%61gent-execution/{agent}",
    ]
    for path in paths:
        with server.connect() as connection:
            connection.sendall(server.request("POST", path, {"input": {"text": "hello"}}))
            time.sleep(0.3)
            began = time.monotonic()
            check(server.ask("GET", "/health")[0] == 200 and time.monotonic() - began < 1, f"{path} holds nobody up")
            check(read_answer(connection)[0] == 200, f"{path} is answered")
    check(server.stop() == 0, "it stops properly")


def thousands_may_connect_at_once() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(10_000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = Server(f"{FOLDER}/many.db", LIBRARY, max_connections=wanted + 100, header_timeout_ms=60_000, idle_timeout_ms=60_000)
    few = Server(f"{FOLDER}/few.db", LIBRARY, max_connections=50, header_timeout_ms=1000, idle_timeout_ms=1000)
    descriptors, threads = server.descriptors(), server.count("task")
    connections = []
    for _ in range(wanted):
        connections.append(server.connect())
    for connection in connections:
        connection.sendall(server.request("GET", "/health"))
    good = sum(read_answer(connection)[0] == 200 for connection in connections)
    check(good == wanted, f"{good} of {wanted} connections are answered")
    check(server.ask("GET", "/v1/agents")[0] == 200, "and one more")
    for connection in connections:
        connection.close()
    check(until(lambda: server.count("fd") == descriptors, 30), "no descriptor stays behind")
    check(until(lambda: server.count("task") == threads, 30), "no thread stays behind")
    # More than it may have: they wait for a place, and get one.
    connections = [few.connect() for _ in range(400)]
    check(few.count("fd") < 120, "no more than it may have")
    for connection in connections[:60]:
        connection.close()
    check(few.ask("GET", "/v1/agents")[0] == 200, "whoever waits is answered")
    for connection in connections:
        connection.close()
    check(server.stop() == 0 and few.stop() == 0, "they stop properly")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Load:
    """Clients that make agents and read lists until the server is gone; they know what was acknowledged."""

    def __init__(self, server: Server, count: int = 8) -> None:
        self.server, self.acknowledged, self.statuses, self.broken = server, [], [], []
        self.is_over, self.lock = False, threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number: int) -> None:
        count = 0
        while not self.is_over:
            try:
                with self.server.connect() as connection:
                    while not self.is_over:
                        name = f"agent-{number}-{count}"
                        count += 1
                        connection.sendall(self.server.request("POST", "/v1/agents", {"name": name}))
                        status, _ = read_answer(connection)
                        with self.lock:
                            self.statuses.append(status)
                            if status == 201:
                                self.acknowledged.append(name)
                        if status == 0:
                            break
                        connection.sendall(self.server.request("GET", "/v1/agents"))
                        if read_answer(connection)[0] == 0:
                            break
            except ConnectionRefusedError:
                return
            except AssertionError as error:
                self.broken.append(str(error))
            except OSError:
                pass

    def end(self) -> None:
        self.is_over = True
        for thread in self.threads:
            thread.join(60)


def a_stop_under_load_breaks_no_answer() -> None:
    for _ in range(3):
        server = Server(f"{FOLDER}/stop.db", LIBRARY)
        load = Load(server)
        time.sleep(0.7)
        check(server.stop() == 0, "it stops properly under load")
        load.end()
        check(not load.broken, f"no answer is cut off: {load.broken[:3]}")
        check(set(load.statuses) <= {201, 503, 0}, f"answers: {set(load.statuses)}")
        again = Server(server.store, LIBRARY)
        kept = listed(again)
        check(set(load.acknowledged) <= kept, "what was acknowledged is there")
        check(again.stop() == 0, "it stops properly")


def listed(server: Server) -> set[str]:
    names, page = set(), 1
    while True:
        answer = json.loads(server.ask("GET", f"/v1/agents?per_page=50&page={page}")[1])
        names |= {agent["name"] for agent in answer["items"]}
        page += 1
        if page > answer["total_pages"]:
            return names


def a_kill_under_load_loses_nothing() -> None:
    store = f"{FOLDER}/kill.db"
    acknowledged: set[str] = set()
    for _ in range(5):
        server = Server(store, LIBRARY, model="slow:3000")
        agent = json.loads(server.ask("POST", "/v1/agents", {"name": "slow"})[1])["id"]
        run = threading.Thread(target=invoke, args=(server, agent))
        run.start()
        load = Load(server, 4)
        time.sleep(0.5)
        server.kill()
        load.end()
        run.join(60)
        acknowledged |= set(load.acknowledged)
    server = Server(store, LIBRARY)
    check(acknowledged and acknowledged <= listed(server), f"{len(acknowledged)} acknowledged agents are there")
    tasks = json.loads(server.ask("GET", "/v1/tasks?per_page=50")[1])["items"]
    check(tasks and all(task["status"] not in ("pending", "executing") for task in tasks), "no run stays behind")
    check(server.stop() == 0, "it stops properly")


def invoke(server: Server, agent: str) -> None:
    try:
        server.ask("POST", f"/v1/agents/{agent}/invoke", {"input": {"text": "hello"}})
    except (OSError, AssertionError):
        pass


def a_full_disk_is_told_and_survived() -> None:
    server = Server(f"{FOLDER}/full.db", LIBRARY)
    server.say("limit 600000")
    server.process.stdout.readline()
    load = Load(server, 4)
    check(until(lambda: any(status >= 400 for status in load.statuses), 30), "a full disk is told")
    time.sleep(0.5)
    check(server.ask("GET", "/v1/agents")[0] == 200, "reading goes on")
    load.end()
    check(not load.broken and all(status in (201, 503, 507, 500) for status in load.statuses), f"answers: {set(load.statuses)}")
    check(server.stop() == 0, "it stops properly")
    server = Server(server.store, LIBRARY)
    check(set(load.acknowledged) <= listed(server), "what was acknowledged is there")
    check(server.ask("POST", "/v1/agents", {"name": "room again"})[0] == 201, "with room it writes again")
    check(server.stop() == 0, "it stops properly")


def https_is_served_and_survives_trouble() -> None:
    certificate, key = f"{FOLDER}/cert.pem", f"{FOLDER}/key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", key, "-out", certificate], check=True, capture_output=True)
    options = {"tls_cert": certificate, "tls_key": key, "header_timeout_ms": 1000, "idle_timeout_ms": 1000}
    server = Server(f"{FOLDER}/https.db", LIBRARY, **options)
    descriptors = server.descriptors()
    check(server.url.startswith("https://"), "its address says so")
    check(server.ask("POST", "/v1/agents", {"name": "over https"})[0] == 201, "https is answered")
    for data in (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", bytes(1000), b"\x16\x03\x01\x02\x00" + bytes(400)):
        with server.connect(plain=True) as connection:
            connection.sendall(data)
            began = time.monotonic()
            read_all(connection)
            check(time.monotonic() - began < 6, "what is no TLS is closed")
    with server.connect(plain=True) as connection:
        began = time.monotonic()
        read_all(connection)
        check(time.monotonic() - began < 6, "a silent client of https is closed")
    check(until(lambda: server.count("fd") == descriptors), "no descriptor stays behind")
    check(server.stop() == 0, "it stops properly")
    for _ in range(10):
        server = Server(f"{FOLDER}/https.db", LIBRARY, model="slow:3000", **options)
        load = Load(server, 4)
        time.sleep(0.2)
        server.say("exit")
        code = server.process.wait(30)
        load.end()
        check(code == 7, f"a process may exit while it serves https: {code}")


TESTS = [
    slow_clients_are_shown_out, what_is_too_large_is_refused, broken_requests_are_answered_or_closed,
    a_run_holds_nobody_up_however_its_path_is_written, thousands_may_connect_at_once,
    a_stop_under_load_breaks_no_answer, a_kill_under_load_loses_nothing, a_full_disk_is_told_and_survived,
    https_is_served_and_survives_trouble,
]
for test in TESTS:
    if sys.argv[3:] and test.__name__ not in sys.argv[3:]:
        continue
    began = time.monotonic()
    try:
        test()
    except Exception:
        traceback.print_exc()
        check(False, test.__name__)
    print(f"{test.__name__}: {time.monotonic() - began:.1f} s", flush=True)
print(f"trouble {harness.passed} passed, {harness.failed} failed")
sys.exit(harness.failed != 0)
