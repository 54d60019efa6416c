"""What the tests of the command share: counted checks, running the program, and running it on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

MUSTER = os.path.abspath(os.environ.get("MUSTER", os.path.join(os.path.dirname(__file__), "../../build/muster")))
passed = 0
failed = 0


def check(good: bool, what: str, *found: object) -> None:
    """Counts one check."""
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}:", *map(repr, found), file=sys.stderr)


def finish(name: str) -> None:
    """Prints the counts as Tests/harness.sh reads them, and ends the program."""
    print(f"{name:<16} {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def environment(**changes: Optional[str]) -> Dict[str, str]:
    """The environment without what the program reads, but for `changes`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MUSTER_", "OPENAI_"))}
    kept.pop("NO_COLOR", None)
    kept["TERM"] = "xterm-256color"
    for key, value in changes.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value
    return kept


def muster(*words: str, env: Dict[str, str], text: Optional[str] = None) -> "subprocess.CompletedProcess[str]":
    """Runs the program to its end."""
    return subprocess.run([MUSTER, *words], env=env, input=text, capture_output=True, text=True, timeout=60)


def answer(*words: str, env: Dict[str, str]) -> Any:
    """The JSON that the program prints."""
    ran = muster("--json", *words, env=env)
    if ran.returncode != 0:
        raise AssertionError(f"{words}: {ran.returncode} {ran.stderr}")
    return json.loads(ran.stdout)


def on_terminal(
    *words: str, env: Dict[str, str], columns: int = 80, when: Optional[Callable[[str, int], None]] = None
) -> Tuple[int, str]:
    """Runs the program on a terminal; gives exit code and what the terminal was sent. `when` sees that as it comes, with the
    descriptor on which keys can be typed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(MUSTER, [MUSTER, *words], env)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    sent = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        sent += chunk
        if when:
            when(sent.decode(errors="replace"), terminal)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), sent.decode()


def plain(text: str) -> str:
    """The text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def wait_for(what: str, holds: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.05)


def lines(text: str) -> List[str]:
    """The lines of a text from a terminal."""
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")
