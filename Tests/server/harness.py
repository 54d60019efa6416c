"""What the tests of the server share: a server process, raw sockets, and counted checks."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
passed = failed = 0


def check(condition: object, what: str) -> bool:
    """Counts one check."""
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}", file=sys.stderr)
    return bool(condition)


class Server:
    """A server in a process of its own."""

    def __init__(self, store: str, library: str, *, model: str = "echo", **options: object) -> None:
        config = {"store": store, "default_model": {"provider": "openai_compatible", "name": model}}
        if "MODEL_BASE" in os.environ:
            config["default_model"]["api_base"] = os.environ["MODEL_BASE"]
        options.setdefault("rate_limit", "off")
        self.store = store
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "serve.py"), library, json.dumps(config), json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.url, self.key = self.process.stdout.readline().split()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.is_secure = self.url.startswith("https")

    def connect(self, seconds: float = 20, *, plain: bool = False) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), seconds)
        if self.is_secure and not plain:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection = context.wrap_socket(connection)
        return connection

    def ask(self, method: str, target: str, body: object = None) -> tuple[int, bytes]:
        """One request on a connection of its own."""
        with self.connect() as connection:
            connection.sendall(self.request(method, target, body))
            return read_answer(connection)

    def request(self, method: str, target: str, body: object = None, headers: str = "") -> bytes:
        text = b"" if body is None else json.dumps(body).encode()
        length = f"Content-Length: {len(text)}\r\n" if body is not None else ""
        return f"{method} {target} HTTP/1.1\r\nHost: x\r\nx-api-key: {self.key}\r\n{length}{headers}\r\n".encode() + text

    def send(self, data: bytes, seconds: float = 20) -> bytes:
        """Sends raw bytes, and gives all that comes back until the connection ends or nothing more comes."""
        with self.connect(seconds) as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass
            return read_all(connection, 1.0)

    def count(self, what: str) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/{what}"))

    def descriptors(self) -> int:
        """How many are open once it has answered a request: what it opens for good is open by then."""
        check(self.ask("GET", "/v1/agents")[0] == 200, "it answers")
        time.sleep(0.3)
        return self.count("fd")

    def resident(self) -> int:
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop(self) -> int:
        """Stops it properly; gives the exit code."""
        self.process.stdin.close()
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


def read_all(connection: socket.socket, patience: float = 20) -> bytes:
    connection.settimeout(patience)
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except OSError:
        pass
    return data


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Reads one whole answer: its status and body; 0 when the connection ends before there is any of it."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            if data:
                raise AssertionError(f"half an answer: {data!r}")
            return 0, b""
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    status = int(head.split()[1])
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            raise AssertionError("half a body")
        body += part
    return status, body


def statuses(data: bytes) -> list[int]:
    """The statuses of the answers in what was received."""
    return [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]


def until(condition, seconds: float = 10) -> bool:
    """Waits until it holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
