"""Kills workers hundreds of times, and looks after each kill whether the store holds what they were told it holds."""

import collections
import os
import random
import signal
import sqlite3
import subprocess
import time

import muster

HERE = os.path.dirname(os.path.abspath(__file__))

#: How a worker dies: the fault that kills it, with %d for a number up to the limit; "" leaves it to chance.
DEATHS = {
    "at any moment": ("", 0, "echo"),
    "during the model's answer": ("", 0, "drip:1"),
    "before a write to the log": ("kill-before:write:wal:%d", 1500, "echo"),
    "in the middle of a write to the log": ("kill-half:write:wal:%d", 1500, "echo"),
    "after a write to the log": ("kill-after:write:wal:%d", 1500, "echo"),
    "before a sync": ("kill-before:sync:wal:%d", 150, "echo"),
    "after a sync": ("kill-after:sync:wal:%d", 150, "echo"),
    "in the middle of a checkpoint": ("kill-half:write:db:%d", 60, "echo"),
    "before the sync of a checkpoint": ("kill-before:sync:db:%d", 2, "echo"),
    "after the sync of a checkpoint": ("kill-after:sync:db:%d", 2, "echo"),
    "while the index of the log grows": ("kill-half:write:shm:%d", 8, "echo"),
    "while the store is opened": ("kill-half:write:any:%d", 12, "echo"),
    "while the locks are opened": ("kill-after:open:lock:%d", 2, "echo"),
    "at a byte of the model's answer": ("kill-half:recv:any:%d", 700, "drip:1"),
}


class Book:
    """What the workers of one store were told."""

    def __init__(self):
        self.agents = {}  # id -> (lowest value of the description, may be one more)
        self.versions = {}  # (id, version) -> description
        self.turns = collections.defaultdict(dict)  # task -> {turn: (agent, input, result)}
        self.deleting = set()
        self.deleted = set()
        self.fails = []
        self.count = 0

    def read(self, path):
        """Takes in the notes of one worker; gives the tasks that it was told about."""
        tasks = set()
        if not os.path.exists(path):
            return tasks
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")[:-1]
        for line in lines:
            verb, *rest = line.split("\t")
            self.count += verb not in ("fail", "deleting")
            if verb == "create":
                self.agents[rest[0]] = 0
                self.versions[rest[0], 2] = "0"
            elif verb == "update":
                self.agents[rest[0]] = int(rest[1])
            elif verb in ("deploy", "shared"):
                self.versions[rest[0], int(rest[1])] = rest[2]
                if verb == "deploy":
                    self.agents[rest[0]] = int(rest[2])
            elif verb == "turn":
                self.turns[rest[0]][int(rest[2])] = (rest[1], rest[3], rest[4])
                tasks.add(rest[0])
            elif verb == "deleting":
                self.deleting.add(rest[0])
            elif verb == "delete":
                self.deleted.add(rest[0])
            else:
                self.fails.append(line)
        return tasks


def queries():
    """The queries of invariants.sql, each with its comment."""
    with open(os.path.join(HERE, "invariants.sql"), encoding="utf-8") as file:
        parts = [part.strip().split("\n") for part in file.read().split(";")]
    for lines in parts:
        query = "\n".join(line for line in lines if not line.startswith("--")).strip()
        if query:
            yield [line for line in lines if line.startswith("--")][-1].lstrip("- "), query


def invariants(path):
    """What is wrong in a store by itself: texts."""
    wrong = []
    database = sqlite3.connect(path)
    for what, query in queries():
        rows = database.execute(query).fetchall()
        if rows:
            wrong.append(f"{what}: {len(rows)} rows, the first {rows[0]}")
    database.close()
    return wrong


def check(path, book, tasks):
    """Opens the store as the next process does, and compares it with the book: texts of what is wrong."""
    wrong = []
    with muster.open(path) as plane:
        for task in tasks:
            turns = book.turns[task]
            last = max(turns)
            agent, _, result = turns[last]
            if agent in book.deleting:
                continue
            try:
                found = plane.tasks.get(task)
                thread = [message["content"] for message in plane.tasks.thread(task)]
            except muster.MusterError as error:
                wrong.append(f"task {task}: {error}")
                continue
            said = [text for turn in sorted(turns) for text in turns[turn][1:]]
            if thread[: 2 * last] != said:
                wrong.append(f"task {task}: its thread is {thread}, acknowledged was {said}")
            # The turn that ran when its process died has its own input.
            if found["input"]["text"] == turns[last][1]:
                if (found["status"], found["result"]) != ("completed", result):
                    wrong.append(f"task {task}: acknowledged {result!r}, has {found['status']} {found['result']!r}")
            elif found["input"]["text"] != f"turn {last + 1} of {task}":
                wrong.append(f"task {task}: turn {last} was acknowledged, its input is {found['input']}")
            elif found["status"] != "completed" and found["internal_status"] != "interrupted":
                wrong.append(f"task {task}: {found['status']} {found['internal_status']}")
        plane.agents.list()
    wrong += invariants(path)
    database = sqlite3.connect(path)
    rows = dict(database.execute("SELECT id, json_extract(document, '$.description') FROM agents"))
    versions = {
        (agent, version): text
        for agent, version, text in database.execute(
            "SELECT agent_id, version, json_extract(document, '$.description') FROM agent_versions"
            " UNION ALL SELECT id, version, json_extract(document, '$.description') FROM agents a WHERE NOT EXISTS"
            " (SELECT 1 FROM agent_versions v WHERE v.agent_id = a.id AND v.version = a.version)")
    }
    kept = {task for (task,) in database.execute("SELECT id FROM tasks")}
    left = database.execute("SELECT count(*) FROM owners").fetchone()[0]
    database.close()
    for agent, value in book.agents.items():
        if agent in book.deleted and agent in rows:
            wrong.append(f"agent {agent} was deleted and is there")
        elif agent not in book.deleting and rows.get(agent) not in (str(value), str(value + 1)):
            wrong.append(f"agent {agent}: {value} was acknowledged, it has {rows.get(agent)}")
    for (agent, version), text in book.versions.items():
        if agent not in book.deleting and versions.get((agent, version)) != text:
            has = versions.get((agent, version))
            wrong.append(f"agent {agent}, version {version}: {text} was acknowledged, it has {has}")
    for task, turns in book.turns.items():
        if next(iter(turns.values()))[0] not in book.deleting and task not in kept:
            wrong.append(f"task {task} was acknowledged and is missing")
    if left:
        wrong.append(f"{left} numbers of dead processes are left")
    return wrong


class Killing:
    """One store after the other, each killed several times."""

    def __init__(self, folder, tools, quick):
        self.folder = folder
        self.tools = tools
        self.rounds = 28 if quick else 420
        self.per_store = 7 if quick else 12
        self.serial = 0

    def start(self, store, model, death=""):
        self.serial += 1
        notes = os.path.join(self.folder, f"acks{self.serial}")
        environment = dict(os.environ)
        if death:
            environment.update(LD_PRELOAD=self.tools["faults.so"], FAULT_STORE=store, FAULT=death)
        threads = str(random.choice((1, 2, 6, 12)))
        process = subprocess.Popen(
            [self.tools["worker"], "work", store, notes, threads, f"w{self.serial}", model], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return process, notes

    @staticmethod
    def wait(process, seconds):
        """Waits for its death, and brings it about when the time is over. Whether it had died by itself."""
        try:
            process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False

    def run(self, table):
        results = {name: [0, 0, 0, 0] for name in DEATHS}  # kills, of them by the fault, acknowledged, wrong
        names = list(DEATHS)
        store, book = "", Book()
        for number in range(self.rounds):
            if number % self.per_store == 0:
                store, book = os.path.join(self.folder, f"kills{number}.db"), Book()
            name = names[number % len(names)]
            pattern, limit, model = DEATHS[name]
            death = pattern % random.randint(1, limit) if pattern else ""
            before = book.count
            fails = len(book.fails)
            wrong = []
            process, notes = self.start(store, model, death)
            # Every third time a second process works on the same file; it must not notice the death of the first.
            peer = self.start(store, "echo") if number % 3 == 2 else None
            seconds = 2.0 if death else random.choice((0.05, 0.2, 0.4, 0.8)) * random.uniform(0.2, 1.5)
            by_fault = self.wait(process, seconds)
            if process.returncode != -signal.SIGKILL:
                wrong.append(f"the worker ended with {process.returncode}")
            if peer:
                time.sleep(0.1)
                size = os.path.getsize(peer[1]) if os.path.exists(peer[1]) else 0
                end = time.monotonic() + 5
                while time.monotonic() < end and (os.path.getsize(peer[1]) if os.path.exists(peer[1]) else 0) <= size:
                    time.sleep(0.01)
                if time.monotonic() >= end:
                    wrong.append("the other process stands still")
                self.wait(peer[0], 0)
            tasks = book.read(notes)
            if peer:
                tasks |= book.read(peer[1])
            wrong += book.fails[fails:]
            try:
                wrong += check(store, book, tasks)
            except (muster.MusterError, sqlite3.Error) as error:
                wrong.append(f"the store cannot be read: {error}")
            results[name][0] += 1
            results[name][1] += by_fault
            results[name][2] += book.count - before
            results[name][3] += len(wrong)
            for text in wrong[:5]:
                table.complain(f"killed {name} ({death or 'by chance'}): {text}")
        for name, (kills, by_fault, acknowledged, wrong) in results.items():
            place = f" ({by_fault} there)" if DEATHS[name][0] else ""
            if place and not by_fault and kills > 3:
                wrong += 1
                table.complain(f"killed {name}: no kill came to its place")
            table.row(f"killed {name}", f"{kills} kills{place}, {acknowledged} acknowledged", wrong)
