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
    nousage          no usage, also when it is asked for
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

These ask for tools, in requests that have `tools`, with ids `call_1_1`, `call_1_2` …, of which the first number is the
count of the request's messages; other requests get an echo. Tools that the request does not have are asked for as well.

    call:NAME[:ARGS]     a call of NAME with that text as its arguments ({}); to the results "The tool said: " and what
                         they are, with " | " between them
    call:NAME*N[:ARGS]   N calls at once; # in ARGS is the number of the call, from 1
    badcall:NAME         the same, but first with arguments that end in the middle; to the result of that, with {}
    loop:NAME[:ARGS]     a call again and again, whatever the results are
    think:NAME[:ARGS]    as call, with reasoning in the message and a signature in the call; HTTP 400 when one of them
                         does not come back as it was
    saycall:NAME[:ARGS]  as call, and "I ask NAME. " before it
    steps:A+B*2|C        a call of A and two of B; to the results, one of C; to that "All done." Each call has the argument
                         "call", its step and its number therein ("1.3"); where the tool wants a "task", that too

Each request has to have its tools and calls in order, or gets HTTP 400 that says what is wrong: tools have names of
[A-Za-z0-9_-]{1,64}, each another, and parameters for an object; ids of calls are unique in their message, their names
are such names, and their arguments are the text of a JSON object (as llama.cpp and vLLM demand); a message with calls
is followed by one result for each of them, in any order, and there are no other results.

Requests with `"stream": true` are answered as OpenAI streams: a chunk with the role, one for each word, one with the
reason, one with the usage if `stream_options` asks for it, and [DONE], each in an HTTP chunk of its own. Arguments of
calls come in pieces of 7 characters. All names that
say something do so in a stream too; those that break HTTP or JSON break the stream's. In a stream,

    slow:MS          waits MS milliseconds before each chunk
    drip:MS          sends a byte each MS milliseconds

and these are for streams; other requests get an echo:

    split            an echo, sent byte by byte: lines end with CR LF, between them are comments and empty events
    break:N[:KEY]    an echo of which N words are sent, then the connection breaks; with KEY the first request with this
                     very name only
    cut:N            an echo of which N words are sent, then a good end of HTTP but none of the answer
    stall[:N]        an echo of which N words (1) are sent, then nothing until the client goes away
    nodone           an echo without [DONE]
    streamerror[:CODE]   an echo of which 2 words are sent, then an error with that code (500) and [DONE]
    nostream         an echo that is not streamed

    GET /v1/models     some names
    GET /observed      {"requests", "connections", "disconnects": [{"model", "after_ms", "how"}],
                        "models": {name: count}, "last": the last body, "last_headers", "last_target",
                        "streams": the streams under way, "most_streams": the most there were at once}
    POST /reset        forgets all that

`requests` and `connections` count chat completions and the connections that carried them. Each connection has a thread.
A thousand streams at once are nearly on time (measured: 1,000 with slow:200 took 2.5 s instead of 1.6; without pauses
17,000 chunks a second); four thousand work, but late.
"""

import argparse
import json
import os
import re
import resource
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


class Wrong(Exception):
    """What is wrong with a request."""


def is_object(text):
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def check_name(place, name):
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z0-9_-]{1,64}", name):
        raise Wrong(f"Invalid '{place}': {compact(name)} does not match the pattern '^[a-zA-Z0-9_-]{{1,64}}$'.")


def check_tools(tools):
    if not isinstance(tools, list) or not tools:
        raise Wrong("Invalid 'tools': expected an array with at least one element.")
    names = set()
    for index, tool in enumerate(tools):
        place = f"tools[{index}]"
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or tool.get("type") != "function":
            raise Wrong(f"Invalid '{place}': expected a function.")
        check_name(place + ".function.name", function.get("name"))
        if function["name"] in names:
            raise Wrong(f"Invalid '{place}': the name '{function['name']}' is not unique.")
        names.add(function["name"])
        parameters = function.get("parameters", {"type": "object"})
        if not isinstance(parameters, dict) or parameters.get("type") != "object":
            raise Wrong(f"Invalid schema for function '{function['name']}': schema must be of type 'object'.")
        if not isinstance(function.get("description", ""), str):
            raise Wrong(f"Invalid '{place}.function.description': expected a string.")


def check_calls(place, calls):
    """The ids of the calls of a message."""
    if not isinstance(calls, list) or not calls:
        raise Wrong(f"Invalid '{place}': expected an array with at least one element.")
    ids = []
    for index, call in enumerate(calls):
        one = f"{place}[{index}]"
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or call.get("type") != "function":
            raise Wrong(f"Invalid '{one}': expected the call of a function.")
        if not isinstance(call.get("id"), str) or not call["id"] or call["id"] in ids:
            raise Wrong(f"Invalid '{one}.id': {compact(call.get('id'))} is no id, or not unique.")
        ids.append(call["id"])
        check_name(one + ".function.name", function.get("name"))
        if not is_object(function.get("arguments")):
            raise Wrong(f"Invalid '{one}.function.arguments': failed to parse tool call arguments as a JSON object.")
    return ids


def check_messages(messages):
    waiting = []
    for index, message in enumerate([*messages, {}]):
        place = f"messages[{index}]"
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in waiting:
                raise Wrong(f"Invalid '{place}': messages with role 'tool' must be a response to a preceeding message "
                            f"with 'tool_calls', one for each call; there is none for "
                            f"{compact(message.get('tool_call_id'))}.")
            if not isinstance(message.get("content"), str):
                raise Wrong(f"Invalid '{place}.content': expected a string.")
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            raise Wrong("An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                        "'tool_call_id'. The following tool_call_ids did not have response messages: "
                        + ", ".join(waiting))
        if "tool_calls" in message:
            if message.get("role") != "assistant":
                raise Wrong(f"Invalid '{place}': only messages of the assistant have 'tool_calls'.")
            waiting = check_calls(place + ".tool_calls", message["tool_calls"])
        elif message and message.get("content") is None:
            raise Wrong(f"Invalid value for '{place}.content': expected a string, got null.")


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
            self.streams = 0
            self.most_streams = 0

    def streaming(self, change):
        with self.lock:
            self.streams += change
            self.most_streams = max(self.most_streams, self.streams)

    def observed(self):
        with self.lock:
            return {"requests": self.requests, "connections": self.connections, "disconnects": list(self.disconnects),
                    "models": dict(self.models), "last": self.last, "last_headers": self.last_headers,
                    "last_target": self.last_target, "streams": self.streams, "most_streams": self.most_streams}


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
        try:
            if "tools" in request:
                check_tools(request["tools"])
            check_messages(messages)
        except Wrong as wrong:
            return self.fail(400, str(wrong), code="invalid_value")
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
        document = self.completion(request, content, **options)
        if request.get("stream"):
            self.stream(request, document)
        else:
            self.answer(200, document)

    def garble(self, request, document, change):
        """Answers with a document whose text is changed as bytes."""
        if request.get("stream"):
            self.stream(request, document, change=change)
        else:
            self.answer(200, change(compact(document).encode()))

    # ---- streams ----

    def events(self, request, document):
        """The data of the events of a stream: the role, words, the reason, the usage."""
        usage = document.pop("usage", None)
        choices = document.pop("choices")
        document["object"] = "chat.completion.chunk"
        asked = (request.get("stream_options") or {}).get("include_usage")
        more = {"usage": None} if asked and usage else {}
        if choices:
            choice = choices[0]
            message = choice.pop("message")
            content = message.get("content")
            first = {"role": "assistant", "content": "" if isinstance(content, str) else None, "refusal": None}
            deltas = [first]
            for name in ("content", "refusal"):
                words = re.findall(r"\S{1,1000}\s*|\s+", message.get(name) or "") \
                    if isinstance(message.get(name), str) else []
                deltas += [{name: word} for word in words]
            if isinstance(content, list):
                deltas += [{"content": [part]} for part in content]
            known = {"role", "content", "refusal", "tool_calls"}
            deltas += [{name: value} for name, value in message.items() if name not in known]
            for index, call in enumerate(message.get("tool_calls") or []):
                function = call["function"]
                begun = {"index": index, **call, "function": {"name": function["name"], "arguments": ""}}
                deltas.append({"tool_calls": [begun]})
                for piece in re.findall(r"(?s).{1,7}", function["arguments"]):
                    deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            for delta in deltas:
                yield {**document, "choices": [{**choice, "delta": delta, "finish_reason": None}], **more}
            yield {**document, "choices": [{**choice, "delta": {}}], **more}
        if more:
            yield {**document, "choices": [], "usage": usage}

    def stream(self, request, document, pause=0, change=None, words=None, done=True, drip=None, interim=b""):
        """Sends a stream; False when the client went away. With words it is left open behind so many of them."""
        self.state.streaming(1)
        try:
            return self.send_stream(request, document, pause, change, words, done, drip, interim)
        finally:
            self.state.streaming(-1)

    def send_stream(self, request, document, pause, change, words, done, drip, interim):
        self.connection.sendall(
            interim + f"HTTP/1.1 200 OK\r\nDate: {self.date_time_string()}\r\n".encode()
            + b"Content-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
        for index, event in enumerate(self.events(request, document)):
            # The first chunk has the role only.
            if words is not None and index > words:
                return True
            data = compact(event).encode()
            event = b"data: " + (change(data) if change else data) + b"\n\n"
            if drip is not None:
                event = b": drip\r\n\r\ndata:\r\n\r\n" + event.replace(b"\n", b"\r\n")
            if not self.send_event(request["model"], event, pause, drip):
                return False
        if words is not None:
            return True
        if done and not self.send_event(request["model"], b"data: [DONE]\n\n", pause, drip):
            return False
        self.end_stream()
        return True

    def send_event(self, model, event, pause=0, drip=None):
        """False: the client went away."""
        for piece in [event] if drip is None else [bytes([byte]) for byte in event]:
            if not self.wait(model, drip or pause):
                return False
            self.connection.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
        return True

    def end_stream(self):
        self.connection.sendall(b"0\r\n\r\n")

    def went_away(self, model, started, how):
        self.close_connection = True
        state = self.state
        with state.lock:
            after = round((time.monotonic() - started) * 1000)
            # One that was asked before the reset may be noticed after it.
            if self.counted_in == state.generation:
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

    def echo(self, request):
        users = [one for one in request["messages"] if one.get("role") == "user"]
        return "echo: " + (text_of(users[-1]) if users else "")

    def model_echo(self, request, model, argument):
        self.say(request, self.echo(request))

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
        content = f"answered after {argument} ms"
        if request.get("stream"):
            self.stream(request, self.completion(request, content), pause=int(argument or 0))
        elif self.wait(model, int(argument or 0)):
            self.say(request, content)

    def model_drip(self, request, model, argument):
        if request.get("stream"):
            return self.stream(request, self.completion(request, "drop by drop"), drip=int(argument or 0))
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

    # ---- tools ----

    def ask_tools(self, request, argument, content=None, call=None, **message):
        """Asks for tools; with `call`, those members are in each call."""
        name, _, arguments = argument.partition(":")
        name, _, count = name.partition("*")
        calls = []
        for number in range(1, int(count or 1) + 1):
            text = arguments.replace("#", str(number)) if count else arguments
            calls.append({"id": f"call_{len(request['messages'])}_{number}", "type": "function",
                          "function": {"name": name, "arguments": text or "{}"}, **(call or {})})
        self.say(request, content, finish="tool_calls", message={**message, "tool_calls": calls})

    def results(self, request):
        """The results at the end of the conversation."""
        found = []
        for message in reversed(request["messages"]):
            if message.get("role") != "tool":
                break
            found.insert(0, message["content"])
        return found

    def model_call(self, request, model, argument, **more):
        results = self.results(request)
        if results:
            self.say(request, "The tool said: " + " | ".join(results))
        elif "tools" in request:
            self.ask_tools(request, argument, **more)
        else:
            self.model_echo(request, model, argument)

    def model_badcall(self, request, model, argument):
        users = [index for index, one in enumerate(request["messages"]) if one.get("role") == "user"]
        asked = sum("tool_calls" in one for one in request["messages"][(users or [0])[-1]:])
        if self.results(request) and asked == 1:
            self.ask_tools(request, argument.partition(":")[0])
        else:
            self.model_call(request, model, argument.partition(":")[0] + ':{"cut":"in the mid')

    def model_loop(self, request, model, argument):
        if "tools" in request:
            self.ask_tools(request, argument)
        else:
            self.model_echo(request, model, argument)

    def model_saycall(self, request, model, argument):
        self.model_call(request, model, argument, content=f"I ask {argument.partition(':')[0]}. ")

    def model_steps(self, request, model, argument):
        if "tools" not in request:
            self.model_echo(request, model, argument)
            return
        users = [index for index, one in enumerate(request["messages"]) if one.get("role") == "user"]
        asked = sum("tool_calls" in one for one in request["messages"][(users or [0])[-1]:])
        steps = argument.split("|")
        if asked >= len(steps):
            return self.say(request, "All done.")
        names = []
        for part in steps[asked].split("+"):
            name, _, count = part.partition("*")
            names += [name] * int(count or 1)
        agents = {tool["function"]["name"] for tool in request.get("tools", ())
                  if "task" in tool["function"]["parameters"].get("required", ())}
        calls = []
        for number, name in enumerate(names, 1):
            place = f"{asked + 1}.{number}"
            arguments = {"call": place, "task": f"do {place}"} if name in agents else {"call": place}
            calls.append({"id": f"call_{place}", "type": "function",
                          "function": {"name": name, "arguments": compact(arguments)}})
        self.say(request, None, finish="tool_calls", message={"tool_calls": calls})

    def model_think(self, request, model, argument):
        thought = {"reasoning_content": "I need \"a tool\".\n", "reasoning_details": [{"type": "x", "n": 1.50}]}
        signature = {"extra_content": {"google": {"thought_signature": "c2lnbmVk+/="}}}
        for message in request["messages"]:
            for call in message.get("tool_calls") or []:
                if any(message.get(name) != value for name, value in thought.items()):
                    return self.fail(400, "Missing `reasoning_content` field in the assistant message.")
                if any(call.get(name) != value for name, value in signature.items()):
                    return self.fail(400, "Function call is missing a thought_signature.")
        self.model_call(request, model, argument, call=signature, **thought)

    # ---- ways to fail ----

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
        self.garble(request, self.completion(request, "a@b"), lambda text: text.replace(b"a@b", b"a\\u0000b"))

    def model_bigint(self, request, model, argument):
        self.say(request, "big", usage=False, created=123456789012345678901234567890)

    def model_deep(self, request, model, argument):
        self.garble(request, self.completion(request, "deep", nested="@"),
                    lambda text: text.replace(b'"@"', b"[" * 5000 + b"]" * 5000))

    def model_badutf8(self, request, model, argument):
        self.garble(request, self.completion(request, "a@b"), lambda text: text.replace(b"a@b", b"a\xff\xfeb"))

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
        if request.get("stream"):
            return self.stream(request, self.completion(request, "at last"),
                               interim=b"HTTP/1.1 103 Early Hints\r\nLink: </early>\r\n\r\n")
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

    def is_first(self, model):
        """Whether this is the first request with this name."""
        with self.state.lock:
            seen = self.state.flaky.get(model, 0)
            self.state.flaky[model] = seen + 1
        return seen == 0

    def model_split(self, request, model, argument):
        if request.get("stream"):
            return self.stream(request, self.completion(request, self.echo(request)), drip=0)
        self.model_echo(request, model, argument)

    def model_break(self, request, model, argument):
        count, _, key = argument.partition(":")
        if not request.get("stream") or (key and not self.is_first(model)):
            return self.model_echo(request, model, argument)
        if self.stream(request, self.completion(request, self.echo(request)), words=int(count or 0)):
            self.hang_up()

    def model_cut(self, request, model, argument):
        if not request.get("stream"):
            return self.model_echo(request, model, argument)
        if self.stream(request, self.completion(request, self.echo(request)), words=int(argument or 0)):
            self.end_stream()

    def model_stall(self, request, model, argument):
        if not request.get("stream"):
            return self.model_echo(request, model, argument)
        if self.stream(request, self.completion(request, self.echo(request)), words=int(argument or 1)):
            self.wait(model)

    def model_nodone(self, request, model, argument):
        if not request.get("stream"):
            return self.model_echo(request, model, argument)
        self.stream(request, self.completion(request, self.echo(request)), done=False)

    def model_streamerror(self, request, model, argument):
        if not request.get("stream"):
            return self.model_echo(request, model, argument)
        if self.stream(request, self.completion(request, self.echo(request)), words=2):
            code = int(argument or 500)
            error = {"message": f"error {code} on demand", "type": REASONS.get(code, "server_error"), "code": code}
            self.send_event(model, b"data: " + compact({"error": error}).encode() + b"\n\n")
            self.send_event(model, b"data: [DONE]\n\n")
            self.end_stream()

    def model_nostream(self, request, model, argument):
        self.answer(200, self.completion(request, self.echo(request)))

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
    request_queue_size = 4096
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
    # Thousands of streams at once.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    threading.stack_size(262_144)
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
