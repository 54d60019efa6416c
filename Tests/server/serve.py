"""A server in a process of its own, for tests that treat it badly: serve.py LIBRARY CONFIG OPTIONS

Prints the address and a key, then obeys lines on standard input: `stop` stops the server and closes the plane, `exit`
ends the process while it serves, the end of the input does what `stop` does."""

import ctypes
import json
import os
import resource
import sys


def main() -> None:
    library = ctypes.CDLL(sys.argv[1])
    handle = ctypes.c_void_p
    library.muster_error_message.restype = ctypes.c_char_p
    library.muster_error_message.argtypes = [handle]
    for name in ("muster_close", "muster_server_stop", "muster_free"):
        getattr(library, name).argtypes = [handle]
    library.muster_call.argtypes = [
        handle, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int64, handle, handle, handle,
    ]
    library.muster_server_url.argtypes = [handle, handle, handle, handle]
    library.muster_serve.argtypes = [handle, ctypes.c_char_p, handle, handle]
    error = handle()

    def check(status: int) -> None:
        if status != 0:
            sys.exit(f"status {status}: {library.muster_error_message(error).decode()}")

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    plane, server, text = handle(), handle(), ctypes.c_char_p()
    check(library.muster_open(sys.argv[2].encode(), None, ctypes.byref(plane), ctypes.byref(error)))
    body = json.dumps({"body": {"name": "trouble", "can_manage_keys": True}}).encode()
    check(library.muster_call(plane, b"keys.create", body, 0, ctypes.byref(text), None, ctypes.byref(error)))
    key = json.loads(text.value)["key"]
    check(library.muster_serve(plane, sys.argv[3].encode(), ctypes.byref(server), ctypes.byref(error)))
    check(library.muster_server_url(server, ctypes.byref(text), None, ctypes.byref(error)))
    print(text.value.decode(), key, flush=True)
    for line in sys.stdin:
        match line.split():
            case ["exit"]:
                library.exit(7)
            case ["limit", size]:
                resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY))
                print("limited", flush=True)
            case ["stop"]:
                break
    check(library.muster_server_stop(server))
    check(library.muster_close(plane))
    # Python's own threads and descriptors are none of the test's business.
    os._exit(0)


main()
