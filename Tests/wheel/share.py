"""Uses one database file through the package and through Python's own sqlite3 in one process, while a second process
writes to it.

    python share.py STORE first|after

first: sqlite3 has the file open before muster is imported; after: sqlite3 is imported once a plane is open. Prints
"one SQLite" or "two SQLites" as the process has loaded them. Fails with "locks lost" when a connection of sqlite3 that
is closed takes the plane's locks along, and when an acknowledged write is not there in the end.
"""

import fcntl
import os
import subprocess
import sys
from typing import List

WRITES = 100
# Another process asks who would be in the way of a lock on the whole file.
# struct flock: type, whence, start, length, process.
ASK = (
    "import fcntl, struct, sys\n"
    "with open(sys.argv[1], 'r+b') as file:\n"
    "    asked = struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0)\n"
    "    print(*struct.unpack('hhqqi4x', fcntl.fcntl(file, fcntl.F_GETLK, asked)))\n"
)
WRITE = (
    "import muster, sys\n"
    "with muster.open(sys.argv[1]) as plane:\n"
    "    for number in range(int(sys.argv[2])):\n"
    "        print(plane.agents.create(name=f'other {number}')['id'])\n"
)


def held(store: str) -> List[bool]:
    """Whether this process holds locks on the database file and on the index of its log. SQLite takes the log away when
    it thinks that nobody else has the file open, so the index may be gone."""
    answers = []
    for file in (store, store + "-shm"):
        if not os.path.exists(file):
            answers.append(False)
            continue
        done = subprocess.run([sys.executable, "-c", ASK, file], check=True, capture_output=True, text=True)
        kind, _whence, _start, _length, owner = (int(word) for word in done.stdout.split())
        answers.append(kind != fcntl.F_UNLCK and owner == os.getpid())
    return answers


def main(store: str, order: str) -> None:
    if order == "first":
        import sqlite3

        early = sqlite3.connect(store)
        early.execute("SELECT count(*) FROM sqlite_master").fetchone()

    from loaded import loaded

    import muster

    plane = muster.open(store)
    acknowledged = [plane.agents.create(name="the first")["id"]]
    import sqlite3

    print({1: "one SQLite", 2: "two SQLites"}[len(loaded("libsqlite3"))], *loaded("libsqlite3"), flush=True)

    def look() -> int:
        connection = sqlite3.connect(store)
        (count,) = connection.execute("SELECT count(*) FROM agents").fetchone()
        connection.close()
        return int(count)

    before = held(store)
    assert before == [True, True], f"the plane holds no locks: {before}"
    assert look() == 1
    if held(store) != before:
        sys.exit("locks lost")

    other = subprocess.Popen([sys.executable, "-c", WRITE, store, str(WRITES)], stdout=subprocess.PIPE, text=True)
    for number in range(WRITES):
        acknowledged.append(plane.agents.create(name=f"own {number}")["id"])
        assert look() >= number + 2
    printed, _ = other.communicate()
    assert other.returncode == 0
    acknowledged += printed.split()
    assert len(acknowledged) == 2 * WRITES + 1
    if order == "first":
        early.close()
    plane.close()

    with muster.open(store) as plane:
        kept = {agent["id"] for agent in plane.agents.iter()}
    assert kept == set(acknowledged), f"{len(set(acknowledged) - kept)} acknowledged writes are lost"
    connection = sqlite3.connect(store)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
