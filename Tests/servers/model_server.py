#!/usr/bin/env python3
"""A model server for tests: OpenAI's chat completions over HTTP/1.1, with every way to fail on demand.

    python3 model_server.py [--port N] [--port-file F] [--tls-cert F --tls-key F] [--idle-ms N] [--until-stdin-closes]

It prints `listening on http://127.0.0.1:PORT/v1` once it listens (port 0, the default, takes a free one), and writes
the port to the port file, whole or not at all. With --until-stdin-closes it ends when its standard input does, so that
it never outlives a test that crashed. --idle-ms closes a kept connection that was silent for so long.

What it does is chosen by the `model` of the request, so tests can share one server:

    echo             "echo: " and the last user message (so do names that begin with gpt-)
    transcript       the received `messages` as compact JSON text
    request          the whole received body as compact JSON text
    headers          the received headers as JSON text, names in lower case
    fixed            "Hello from the model."
    reply:TEXT       TEXT
    script:A|B|C     the part whose number is the count of assistant messages in the request; the last part beyond that
    slow:MS          answers after MS milliseconds
    drip:MS          sends a byte of the body each MS milliseconds
    huge:BYTES       an answer of BYTES letters
    parts            content as an array of text parts
    tools            tool_calls, no content
    refusal          a refusal, no content
    length           finish_reason "length"
    filter           finish_reason "content_filter"
    nousage          no usage
    empty            no choices
    nocontent        content null
    nul              content with the escape for U+0000
    bigint           a number beyond 64 bits
    deep             an answer nested 5,000 deep
    badutf8          an answer that is not UTF-8
    html[:CODE]      an HTML page
    halfjson         well framed, but the JSON ends in the middle
    half             promises more bytes than it sends, then closes
    hangup           closes without an answer
    hang             never answers; notes when and how the client went away
    endless          a chunked body without end
    garbage          something that is not HTTP
    interim          103 Early Hints, then a chunked answer
    stale            answers, promises to keep the connection, and closes it
    once             answers if it is the first request of its connection, else closes without an answer
    redirect         307 to another path
    status:CODE[:RETRY_AFTER]   that status with an error document
    flaky:N:CODE:KEY            the first N requests with this very name get CODE, then "recovered after N"

    GET /v1/models     some names
    GET /observed      {"requests", "connections", "disconnects": [{"model", "after_ms", "how"}],
                        "models": {name: count}, "last": the last body, "last_headers", "last_target"}
    POST /reset        forgets all that

`requests` and `connections` count chat completions and the connections that carried them.
"""

import argparse
import json
import os
import select
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

REASONS = {403: "permission_error", 408: "timeout", 409: "conflict", 429: "rate_limit_exceeded"}

def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def text_of(message):
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        return " ".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


class State:
    """What was seen, shared by all connections."""

    def __init__(self):
        self.lock = threading.Lock()
        self.flaky = {}
        self.generation = 0
        self.reset()

    def reset(self):
        with self.lock:
            self.generation += 1
            self.flaky.clear()
            self.requests = 0
            self.connections = 0
            self.disconnects = []
            self.models = {}
            self.last = None
            self.last_headers = None
            self.last_target = None

    def observed(self):
        with self.lock:
            return {"requests": self.requests, "connections": self.connections, "disconnects": list(self.disconnects),
                    "models": dict(self.models), "last": self.last, "last_headers": self.last_headers,
                    "last_target": self.last_target}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "model-server"
    sys_version = ""
    disable_nagle_algorithm = True
    counted_in = None
    completions = 0

    def log_message(self, format, *arguments):
        pass

    @property
    def state(self):
        return self.server.state

    # ---- sending ----

    def frame(self, status, body, content_type="application/json", headers=(), promised=None):
        """The bytes of an answer: status line, headers and body in one piece."""
        lines = [f"HTTP/1.1 {status} {self.responses.get(status, ('Status',))[0]}", f"Date: {self.date_time_string()}",
                 f"Content-Type: {content_type}", f"Content-Length: {len(body) if promised is None else promised}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body

    def answer(self, status, value, headers=()):
        body = value if isinstance(value, bytes) else compact(value).encode()
        self.connection.sendall(self.frame(status, body, headers=headers))

    def fail(self, status, message, headers=(), code=None):
        kind = REASONS.get(status, "server_error" if status >= 500 else "invalid_request_error")
        self.answer(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, headers)

    def hang_up(self):
        self.close_connection = True
        try:
            # Also under TLS the peer must see the end at once, not when this object is collected.
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        except OSError:
            pass

    # ---- routes ----

    def path_only(self):
        """The path of the target, which has a scheme and a host when we are somebody's proxy."""
        return urlsplit(self.path).path

    def do_GET(self):
        path = self.path_only()
        if path == "/v1/models":
            self.answer(200, {"object": "list", "data": [
                {"id": name, "object": "model", "created": 1700000000, "owned_by": "tests"}
                for name in ["gpt-4.1"] + [name[6:] for name in dir(self) if name.startswith("model_")]]})
        elif path == "/observed":
            self.answer(200, self.state.observed())
        else:
            self.fail(404, f"Unknown request URL: GET {path}")

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = 0
        body = self.rfile.read(length)
        path = self.path_only()
        if path == "/reset":
            self.state.reset()
            self.answer(200, {})
        elif path == "/v1/chat/completions":
            self.complete(body)
        else:
            self.fail(404, f"Unknown request URL: POST {path}")

    def complete(self, body):
        try:
            request = json.loads(body)
        except ValueError:
            request = None
        model = request.get("model") if isinstance(request, dict) else None
        state = self.state
        with state.lock:
            state.requests += 1
            if self.counted_in != state.generation:
                self.counted_in = state.generation
                state.connections += 1
            state.last = request if request is not None else body.decode("utf-8", "replace")
            state.last_headers = {name.lower(): value for name, value in self.headers.items()}
            state.last_target = self.path
            if isinstance(model, str):
                state.models[model] = state.models.get(model, 0) + 1
        if request is None:
            return self.fail(400, "We could not parse the JSON body of your request.")
        if not isinstance(model, str) or not model:
            return self.fail(400, "you must provide a model parameter")
        messages = request.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
            return self.fail(400, "Missing required parameter: 'messages'.", code="missing_required_parameter")
        if request.get("stream"):
            return self.fail(400, "This server does not stream.")
        name, _, argument = model.partition(":")
        if model.startswith("gpt-"):
            name = "echo"
        behaviour = getattr(self, "model_" + name, None)
        if behaviour is None:
            return self.fail(404, f"The model `{model}` does not exist or you do not have access to it.",
                             code="model_not_found")
        self.completions += 1
        started = time.monotonic()
        try:
            behaviour(request, model, argument)
        except (BrokenPipeError, ConnectionResetError) as error:
            self.went_away(model, started, type(error).__name__)

    # ---- answers ----

    def completion(self, request, content, finish="stop", message=None, usage=True, **more):
        text = content if isinstance(content, str) else ""
        message = {"role": "assistant", "content": content, "refusal": None, **(message or {})}
        document = {"id": "chatcmpl-test", "object": "chat.completion", "created": int(time.time()),
                    "model": request["model"],
                    "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}]}
        if usage:
            prompt = sum(len(text_of(one).split()) for one in request["messages"])
            answer = len(text.split())
            document["usage"] = {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
        document["system_fingerprint"] = None
        document.update(more)
        return document

    def say(self, request, content, **options):
        self.answer(200, self.completion(request, content, **options))

    def went_away(self, model, started, how):
        self.close_connection = True
        state = self.state
        with state.lock:
            after = round((time.monotonic() - started) * 1000)
            state.disconnects.append({"model": model, "after_ms": after, "how": how})

    def wait(self, model, milliseconds=None):
        """Waits, and notes it when the client goes away meanwhile. False: it did."""
        started = time.monotonic()
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        while True:
            left = None
            if milliseconds is not None:
                left = milliseconds - (time.monotonic() - started) * 1000
                if left <= 0:
                    return True
            if not poll.poll(left):
                continue
            try:
                self.connection.settimeout(None)
                gone = "closed" if self.connection.recv(1) == b"" else None
            except OSError as error:
                gone = type(error).__name__
            if gone:
                self.went_away(model, started, gone)
                return False

    def model_echo(self, request, model, argument):
        users = [one for one in request["messages"] if one.get("role") == "user"]
        self.say(request, "echo: " + (text_of(users[-1]) if users else ""))

    def model_transcript(self, request, model, argument):
        self.say(request, compact(request["messages"]))

    def model_request(self, request, model, argument):
        self.say(request, compact(request))

    def model_headers(self, request, model, argument):
        self.say(request, compact({name.lower(): value for name, value in self.headers.items()}))

    def model_fixed(self, request, model, argument):
        self.say(request, "Hello from the model.")

    def model_reply(self, request, model, argument):
        self.say(request, argument)

    def model_script(self, request, model, argument):
        parts = argument.split("|")
        turn = sum(1 for one in request["messages"] if one.get("role") == "assistant")
        self.say(request, parts[min(turn, len(parts) - 1)])

    def model_slow(self, request, model, argument):
        if self.wait(model, int(argument or 0)):
            self.say(request, f"answered after {argument} ms")

    def model_drip(self, request, model, argument):
        answer = self.frame(200, compact(self.completion(request, "drop by drop")).encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        self.connection.sendall(head + b"\r\n\r\n")
        for byte in body:
            if not self.wait(model, int(argument or 0)):
                return
            self.connection.sendall(bytes([byte]))

    def model_huge(self, request, model, argument):
        self.say(request, "x" * int(argument or 0))

    def model_parts(self, request, model, argument):
        self.say(request, [{"type": "text", "text": "one "}, {"type": "text", "text": "and two"}])

    def model_tools(self, request, model, argument):
        calls = [{"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{\"q\":\"x\"}"}}]
        self.say(request, None, finish="tool_calls", message={"tool_calls": calls})

    def model_refusal(self, request, model, argument):
        self.say(request, None, message={"refusal": "I cannot help with that."})

    def model_length(self, request, model, argument):
        self.say(request, "cut off in the mid", finish="length")

    def model_filter(self, request, model, argument):
        self.say(request, "", finish="content_filter")

    def model_nousage(self, request, model, argument):
        self.say(request, "no numbers", usage=False)

    def model_empty(self, request, model, argument):
        self.say(request, "", choices=[])

    def model_nocontent(self, request, model, argument):
        self.say(request, None)

    def model_nul(self, request, model, argument):
        self.answer(200, compact(self.completion(request, "a@b")).replace("a@b", "a\\u0000b").encode())

    def model_bigint(self, request, model, argument):
        self.answer(200, self.completion(request, "big", usage=False, created=123456789012345678901234567890))

    def model_deep(self, request, model, argument):
        body = compact(self.completion(request, "deep", nested="@")).replace('"@"', "[" * 5000 + "]" * 5000)
        self.answer(200, body.encode())

    def model_badutf8(self, request, model, argument):
        self.answer(200, compact(self.completion(request, "a@b")).encode().replace(b"a@b", b"a\xff\xfeb"))

    def model_html(self, request, model, argument):
        page = b"<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body>Something went wrong.</body></html>\n"
        self.connection.sendall(self.frame(int(argument or 200), page, content_type="text/html; charset=utf-8"))

    def model_halfjson(self, request, model, argument):
        body = compact(self.completion(request, "half of it")).encode()
        self.answer(200, body[:len(body) // 2])

    def model_half(self, request, model, argument):
        body = compact(self.completion(request, "half of it")).encode()
        self.connection.sendall(self.frame(200, body[:len(body) // 2], promised=len(body)))
        self.hang_up()

    def model_hangup(self, request, model, argument):
        self.hang_up()

    def model_hang(self, request, model, argument):
        self.wait(model)

    def model_endless(self, request, model, argument):
        self.connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            self.connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def model_garbage(self, request, model, argument):
        self.connection.sendall(b"220 mail.example ESMTP\r\n")
        self.hang_up()

    def model_interim(self, request, model, argument):
        body = compact(self.completion(request, "at last")).encode()
        self.connection.sendall(
            b"HTTP/1.1 103 Early Hints\r\nLink: </early>\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Final:  yes \r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")

    def model_once(self, request, model, argument):
        if self.completions > 1:
            return self.hang_up()
        self.say(request, "the first of its connection")

    def model_stale(self, request, model, argument):
        self.say(request, "the connection is gone")
        self.hang_up()

    def model_redirect(self, request, model, argument):
        self.answer(307, {}, [("Location", "/v1/models")])

    def model_status(self, request, model, argument):
        code, _, retry_after = argument.partition(":")
        self.fail(int(code or 500), f"status {code} on demand", [("Retry-After", retry_after)] if retry_after else ())

    def model_flaky(self, request, model, argument):
        count, code, _ = (argument + "::").split(":", 2)
        with self.state.lock:
            seen = self.state.flaky.get(model, 0)
            self.state.flaky[model] = seen + 1
        if seen < int(count or 0):
            return self.fail(int(code or 500), f"failure {seen + 1} of {count}")
        self.say(request, f"recovered after {count}")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    allow_reuse_address = True

    def server_bind(self):
        # Not HTTPServer's: it asks the resolver for our own name, which can take seconds.
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, ssl.SSLError, TimeoutError)):
            super().handle_error(request, client_address)


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description="A model server for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--idle-ms", type=int)
    parser.add_argument("--until-stdin-closes", action="store_true")
    options = parser.parse_args()
    if options.idle_ms:
        Handler.timeout = options.idle_ms / 1000
    server = Server(("127.0.0.1", options.port), Handler)
    server.state = State()
    scheme = "http"
    if options.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_cert, options.tls_key)
        # The handshake belongs to the connection's thread; here a silent client would stop everybody.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    if options.until_stdin_closes:
        threading.Thread(target=end_with_stdin, daemon=True).start()
    print(f"listening on {scheme}://127.0.0.1:{server.server_port}/v1", flush=True)
    if options.port_file:
        with open(options.port_file + ".new", "w") as file:
            file.write(f"{server.server_port}\n")
        os.replace(options.port_file + ".new", options.port_file)
    try:
        server.serve_forever(poll_interval=60)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
