"""A disk that is really full: a file system of a few megabytes, in a mount namespace that goes with its process.

Started by itself, it is what runs in that namespace: disk.py KIND MEGABYTES FOLDER PROGRAM closes|dies; it prints what
it found as JSON.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

import kills
import muster


class FullDisk:
    def __init__(self, folder, tools, quick):
        self.folder = folder
        self.tools = tools
        self.sizes = (32,) if quick else (32, 40, 48, 64, 96)

    def run(self, table):
        for kind in ("tmpfs", "ext4"):
            for ending in ("closes", "dies"):
                self.rounds(table, kind, ending)

    def rounds(self, table, kind, ending):
        acknowledged = refused = wrong = 0
        what = f"a full disk ({kind}), the process {ending}"
        for megabytes in self.sizes:
            found = self.round(kind, megabytes, ending)
            if "skipped" in found:
                print(f"    skipped: {found['skipped']}", flush=True)
                table.row(what, "skipped", 0)
                return
            acknowledged += found["acknowledged"]
            refused += found["refused"]
            wrong += len(found["wrong"])
            for text in found["wrong"][:10]:
                table.complain(f"{kind} of {megabytes} MB: {text}")
        table.row(what, f"{len(self.sizes)} disks, {acknowledged} kept, {refused} refused", wrong)

    def round(self, kind, megabytes, ending):
        """One disk, in a namespace where this user may mount one."""
        namespace = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            result = subprocess.run(
                [*namespace, sys.executable, __file__, kind, str(megabytes), folder, self.tools["disk"], ending],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not result.stdout.startswith("{"):
            if "unshare" in result.stderr:
                return {"skipped": f"no mount namespace: {result.stderr.strip()}"}
            return {"acknowledged": 0, "refused": 0, "wrong": [result.stderr.strip()]}
        return json.loads(result.stdout)


def mount(kind, megabytes, folder):
    """Mounts an empty disk on folder/disk: (its path, why it cannot be)."""
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    if kind == "tmpfs":
        commands = [["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "muster", disk]]
    else:
        if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
            return disk, "an ext4 in a file needs root and mkfs.ext4"
        image = os.path.join(folder, "image")
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        commands = [["mkfs.ext4", "-q", "-F", "-m", "0", image], ["mount", "-o", "loop", image, disk]]
    for command in commands:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            return disk, f"cannot mount: {result.stdout.strip()}"
    return disk, None


def ballast(path, count):
    with open(path, "wb") as file:
        for _ in range(count >> 12):
            file.write(bytes(4096))


def inside(kind, megabytes, folder, program, ending):
    disk, failure = mount(kind, megabytes, folder)
    if failure:
        return {"skipped": failure}
    store, notes = os.path.join(disk, "agents.db"), os.path.join(folder, "acks")
    first, second = os.path.join(disk, "first"), os.path.join(disk, "second")
    # What is freed has room for the whole log: only when it is copied can it be begun anew.
    found = os.statvfs(disk)
    ballast(first, found.f_bavail * found.f_frsize // 4)
    ballast(second, found.f_bavail * found.f_frsize // 2)
    wrong = []
    result = subprocess.run([program, store, notes, first, ending], stdout=subprocess.DEVNULL, timeout=300)
    if result.returncode != (-signal.SIGKILL if ending == "dies" else 0):
        wrong.append(f"the process ended with {result.returncode}")
    with open(notes, encoding="utf-8") as file:
        lines = file.read().split("\n")[:-1]
    refused = sum(int(line.split("\t")[1]) for line in lines if line.startswith("refused\t"))
    with open(notes, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines if not line.startswith("refused\t"))
    book = kills.Book()
    tasks = book.read(notes)
    wrong += book.fails
    if refused == 0:
        wrong.append("the disk never was full")
    # A process that comes while the disk is still full may be refused, but takes nothing away.
    try:
        muster.open(store).close()
    except muster.MusterError as error:
        if error.status_name != "STORE":
            wrong.append(f"opening on a full disk: {error}")
    os.unlink(second)
    wrong += kills.check(store, book, tasks) + exact(store, book)
    with muster.open(store) as plane:
        plane.agents.create(name="after")
    wrong += kills.invariants(store)
    return {"acknowledged": book.count, "refused": refused, "wrong": wrong}


def exact(store, book):
    """What was refused has not happened: texts of what is wrong."""
    database = sqlite3.connect(store)
    rows = dict(database.execute("SELECT id, json_extract(document, '$.description') FROM agents"))
    database.close()
    wrong = [] if len(rows) == len(book.agents) else [f"{len(rows)} agents, {len(book.agents)} were acknowledged"]
    wanted = {agent: str(value) for agent, value in book.agents.items()}
    return wrong + [f"agent {agent} has {rows.get(agent)}, acknowledged was {value}"
                    for agent, value in wanted.items() if rows.get(agent) != value]


if __name__ == "__main__":
    print(json.dumps(inside(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])))
