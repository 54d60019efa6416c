"""Power cuts: of what was not synced, any part may be missing; what was acknowledged may not."""

import os
import random
import signal
import sqlite3
import subprocess
import time

import kills
import muster

SECTOR = 512


def contents(path):
    """The bytes of a file; none when it is not there. For files that no SQLite of this process has open."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def after_power_cut(synced, written, share):
    """What is on the disk: what was synced, and of the later writes a share of the sectors."""
    if share == 0:
        return synced
    size = max(len(synced), len(written))
    before, after = synced.ljust(size, b"\0"), written.ljust(size, b"\0")
    sectors = [
        (after if random.random() < share else before)[start : start + SECTOR] for start in range(0, size, SECTOR)
    ]
    return b"".join(sectors)


class PowerCuts:
    def __init__(self, folder, tools, quick):
        self.folder = folder
        self.tools = tools
        self.rounds = 6 if quick else 60

    def cut(self, number, durability):
        """Cuts the power of one worker: (how much was acknowledged, how many states of the disk, what is wrong)."""
        store = os.path.join(self.folder, f"power-{durability}{number}.db")
        notes = store + ".acks"
        environment = dict(
            os.environ, LD_PRELOAD=self.tools["faults.so"], FAULT_STORE=store, FAULT_POWER="1", DURABILITY=durability)
        threads = ("1", "4", "12")[number % 3]
        process = subprocess.Popen(
            [self.tools["worker"], "work", store, notes, threads, f"p{number}", "echo"], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.3, 2.5))
        process.kill()
        wrong = []
        if process.wait() != -signal.SIGKILL:
            wrong.append(f"the worker ended with {process.returncode}")
        book = kills.Book()
        tasks = book.read(notes)
        wrong += book.fails
        shares = (0, 0.1, 0.5, 0.9)
        for share in shares:
            after = f"{store}.after{share}"
            for tail in ("", "-wal"):
                left = after_power_cut(contents(store + tail + ".synced"), contents(store + tail), share)
                if left or not tail:
                    with open(after + tail, "wb") as file:
                        file.write(left)
            what = f"with {share:.0%} of what was not synced"
            try:
                wrong += [f"{what}: {text}" for text in kills.check(after, book, tasks)]
            except (muster.MusterError, sqlite3.Error) as error:
                wrong.append(f"{what}: the store cannot be read: {error}")
        return book.count, len(shares), wrong

    def run(self, table):
        total = wrong = states = 0
        for number in range(self.rounds):
            acknowledged, more, complaints = self.cut(number, "full")
            total += acknowledged
            states += more
            wrong += len(complaints)
            for text in complaints[:5]:
                table.complain(f"power cut: {text}")
        table.row("power cuts", f"{states} states of the disk, {total} acknowledged", wrong)
