"""Kills hosts whose tools have effects, lets others go on with their runs, and looks whether each effect is there once."""

import collections
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import kills
import power

#: Tools whose effect may not be there twice, those that may be called again with the same key, and those that only read.
ONCE, IDEMPOTENT, READING = ("pay", "send", "sign"), ("set",), ("look",)

#: What stands for an agent: a call is a task of its own.
AGENTS = ("hand",)

#: How many shapes effects.c has; blocking runs have the first numbers, then come asynchronous and submitted ones.
SHAPES = 13
BLOCKING, ASYNCHRONOUS, SUBMITTED = 0, SHAPES, 2 * SHAPES

#: Where a process is killed that begins runs at random: what is in KILL, with %d for a number up to the limit, and the
#: faults that it is started with.
PLACES = {
    "at any moment": ("", 0),
    "before a call of a tool": ("tool:%d", 60),
    "after an effect, before it is on disk": ("effect:%d", 60),
    "after an effect, before the tool answers": ("answer:%d", 60),
    "after a tool has answered": ("answered:%d", 60),
    "before a result is written": ("answer:%d:kill-before:write:wal:1", 60),
    "in the middle of a result": ("answer:%d:kill-half:write:wal:2", 60),
    "after a result is written": ("answer:%d:kill-after:write:wal:2", 60),
    "before a result is synced": ("answer:%d:kill-before:sync:wal:1", 60),
    "after a result is synced": ("answer:%d:kill-after:sync:wal:1", 60),
    "while a tool is asked what became of a call": ("probe:%d", 1),
    "after a tool has told what became of a call": ("probed:%d", 1),
    "before a decision is written": ("approve:%d:kill-before:write:wal:1", 5),
    "in the middle of a decision": ("approve:%d:kill-half:write:wal:2", 5),
    "after a decision is synced": ("approve:%d:kill-after:sync:wal:1", 5),
    "after a decision": ("approved:%d", 5),
    "while the store is opened": ("open:1:kill-half:write:any:%d", 12),
    "before runs are resumed": ("resume:1", 1),
    "while runs are resumed": ("resume:1:kill-half:write:wal:%d", 12),
    "after runs are resumed": ("resumed:1", 1),
    "while the plane is closed": ("close:1:kill-half:write:wal:%d", 8),
    "when the plane is closed": ("closed:1", 1),
    "at a byte of a model's answer": ("run:1:kill-before:recv:any:%d", 9000),
    "at a write to the log": ("run:1:kill-half:write:wal:%d", 900),
    "at a sync": ("run:1:kill-before:sync:wal:%d", 120),
    "in the middle of a checkpoint": ("run:1:kill-half:write:db:%d", 60),
}


class Sums(collections.Counter):
    """What was counted over all stores."""


class Host:
    """A store, and the processes that use it one after the other."""

    def __init__(self, folder, tools, durability="full"):
        self.folder = folder
        self.tools = tools
        self.store = os.path.join(folder, "effects.db")
        self.environment = dict(
            os.environ, LD_PRELOAD=tools["faults.so"], FAULT_STORE=self.store, DURABILITY=durability)
        self.serial = 0
        os.makedirs(folder, exist_ok=True)

    def start(self, threads, runs, shape=-1, end="settle", **more):
        self.serial += 1
        return subprocess.Popen(
            [self.tools["effects"], self.store, self.folder, f"p{self.serial}", str(threads), str(runs), str(shape), end],
            env={**self.environment, **more}, stdout=subprocess.DEVNULL)

    def finish(self):
        """Lets a last process go on with all that is left; texts of what is wrong."""
        process = self.start(0, 0)
        try:
            code = process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        return [f"the last process ended with {code}"] if code else []


class Transcript:
    """What the journal of a task holds of its tools."""

    def __init__(self, records):
        self.calls = {}  # the place of the call -> (tool, key, results)
        self.ends = self.decisions = self.resumed = self.asked = 0
        self.wrong = []
        self.answers = None  # the call of the task above that it answers
        self.result = None
        calls = []
        for kind, body, commands in records:
            body = json.loads(body)
            if kind == 1:
                self.answers = body.get("delegated", {}).get("call")
            elif kind == 2:
                self.result = body["text"]
                calls = []
                for index, request in enumerate(body.get("calls", ())):
                    place = json.loads(request["arguments"])["call"]
                    calls.append(place)
                    if place in self.calls:
                        self.wrong.append(f"the model was asked again for {place}")
                    self.calls[place] = (request["name"], f"{body['key']}-{index}", [])
            elif kind == 7:
                self.calls[calls[body["call"]]][2].append(body["result"])
            commands = json.loads(commands)
            self.ends += any("finish" in command for command in commands)
            self.asked += any("ask_person" in command for command in commands)
            self.resumed += kind == 8
            self.decisions += kind == 10


def read_notes(folder):
    with open(os.path.join(folder, "notes"), encoding="utf-8") as file:
        return [line.split("\t") for line in file.read().split("\n")[:-1]]


def read_effects(folder):
    """task -> place of the call -> (tool, key, whether it was a repetition), in the order of time."""
    effects = collections.defaultdict(lambda: collections.defaultdict(list))
    for tool in (*READING, *IDEMPOTENT, *ONCE):
        with open(os.path.join(folder, tool), encoding="utf-8") as file:
            for line in file.read().split("\n")[:-1]:
                task, place, key, repeat = line.split("\t")
                effects[task][place].append((tool, key, repeat == "1"))
    return effects


def check_call(place, call, lines, is_over, is_cut):
    """What is wrong with one call: its part of the transcript against what its tool did. Doubled effects come first."""
    tool, key, results = call
    wrong, doubled = [], 0
    if tool in ONCE and len(lines) > 1:
        doubled = 1
        wrong.append(f"{tool} {place} was done {len(lines)} times")
    if sum(not repeat for _, _, repeat in lines) > 1:
        wrong.append(f"{tool} {place} was called again without being told so")
    if {name for name, _, _ in lines} - {tool} or ({other for _, other, _ in lines} - {key} and not (
            is_cut and tool in READING)):
        wrong.append(f"{tool} {place} was called with other keys than {key}: {lines}")
    if len(results) > 1 or (is_over and not results):
        wrong.append(f"{tool} {place} has {len(results)} results")
    for result in results:
        said = result == {"did": key} or result == key or result == "found"
        if not said and result != "A person declined this call: no":
            wrong.append(f"{tool} {place} has the result {result}")
        elif said != bool(lines) and not (said and tool in READING and is_cut):
            wrong.append(f"{tool} {place} was done {len(lines)} times, its result is {result}")
    return wrong, doubled


def check_agent(place, call, below, is_over):
    """What is wrong with one call of an agent: its part of the transcript against the task that it is, if it is one."""
    name, _, results = call
    wrong = []
    if len(below) > 1:
        wrong.append(f"{name} {place} was started {len(below)} times")
    if len(results) > 1 or (is_over and not results):
        wrong.append(f"{name} {place} has {len(results)} results")
    for result in results:
        if not below:
            wrong.append(f"{name} {place} has the result {result}, and no task")
        elif below[0][0] == "completed" and result != below[0][1]:
            wrong.append(f"{name} {place} came to {below[0][1]}, its result is {result}")
        elif below[0][0] != "completed" and not str(result).startswith("The agent did not finish: "):
            wrong.append(f"{name} {place} has ended {below[0][0]}, its result is {result}")
    return wrong, len(below) > 1


def check(host, sums, is_cut=False):
    """What is wrong in a store whose tasks have all ended: texts. `is_cut`: what is not owed may have been lost."""
    notes, effects = read_notes(host.folder), read_effects(host.folder)
    wrong = [" ".join(line) for line in notes if line[0] == "fail"]
    wrong += [] if is_cut else kills.invariants(host.store)
    database = sqlite3.connect(host.store)
    tasks = {
        row[0]: row[1:] for row in database.execute(
            "SELECT t.id, t.key, s.word, t.internal_status, t.parent_id FROM tasks t JOIN (SELECT 1 AS n, 'pending' AS word UNION ALL"
            " SELECT 2, 'executing' UNION ALL SELECT 3, 'paused' UNION ALL SELECT 4, 'error' UNION ALL SELECT 5, 'failed'"
            " UNION ALL SELECT 6, 'completed' UNION ALL SELECT 7, 'stopped') s ON s.n = t.status")
    }
    accepted = {line[1] for line in notes if line[0] in ("accepted", "ended")}
    for task in accepted - set(tasks):
        sums["lost"] += 1
        wrong.append(f"task {task} was accepted and is missing")
    for task in set(effects) - set(tasks):
        if not is_cut or any(line[0] not in READING for lines in effects[task].values() for line in lines):
            wrong.append(f"task {task} had effects and is missing")
    transcripts = {
        task: Transcript(database.execute(
            "SELECT kind, CAST(body AS TEXT), CAST(commands AS TEXT) FROM journal WHERE task = ? ORDER BY sequence", (row[0],)))
        for task, row in tasks.items()
    }
    below = collections.defaultdict(list)
    # A run that has asked a person goes on without its caller, and so does what it starts then.
    asked = {task for task, transcript in transcripts.items() if transcript.asked}
    asked |= {row[3] for task, row in tasks.items() if task in asked}
    asked |= {task for task, row in tasks.items() if row[3] in asked}
    for task, row in tasks.items():
        if row[3] is not None:
            below[row[3], transcripts[task].answers].append((row[1], transcripts[task].result))
    for task, (key, status, internal, parent) in tasks.items():
        transcript = transcripts[task]
        found = list(transcript.wrong)
        waited_for = (parent or task)[0] == "b"
        if status in ("pending", "executing", "paused"):
            sums["left"] += 1
            found.append(f"it is left {status}")
        elif transcript.ends != 1:
            found.append(f"it has ended {transcript.ends} times")
        was_interrupted = (status, internal) == ("error", "interrupted")
        if was_interrupted and (not waited_for or transcript.decisions or transcript.resumed):
            found.append("it was interrupted, and nobody's call waited for it")
        elif (status, internal) == ("stopped", "parent_ended"):
            # What an interrupted run had started ends with it.
            if tasks.get(parent, (0, "", "", ""))[1:3] != ("error", "interrupted"):
                found.append("it ended with the task above it, which was not interrupted")
        elif status != "completed" and not was_interrupted and (status, internal) != ("failed", "given_up"):
            found.append(f"it has ended {status} {internal}")
        if waited_for and transcript.resumed and task not in asked:
            found.append("somebody's call waited for it, and it was resumed")
        for place, call in transcript.calls.items():
            if call[0] in AGENTS:
                more, doubled = check_agent(place, call, below[task, call[1]], status == "completed")
                found += more
                sums["doubled"] += doubled
                sums["sub-tasks"] += len(below[task, call[1]])
                continue
            lines = effects[task][place] if task in effects else []
            more, doubled = check_call(place, call, lines, status == "completed", is_cut)
            found += more
            sums["doubled"] += doubled
            sums["effects"] += bool(lines) and call[0] not in READING
            sums["repeats"] += sum(repeat for _, _, repeat in lines)
        for place in set(effects.get(task, ())) - set(transcript.calls):
            if not is_cut or effects[task][place][0][0] not in READING:
                found.append(f"call {place} had an effect, and the journal does not know it")
        sums["resumed"] += bool(transcript.resumed)
        wrong += [f"task {task}: {text}" for text in found]
    for verb, task, *rest in (line for line in notes if line[0] == "ended"):
        status = tasks[task][1] if task in tasks else None
        if status is not None and rest[0] != status and rest[0] not in ("paused", "pending"):
            wrong.append(f"task {task}: its end was acknowledged as {rest[0]}, it is {status}")
            sums["lost"] += 1
    database.close()
    sums["runs"] += len(tasks)
    sums["accepted"] += len(accepted)
    sums["pauses"] += len({(line[1], line[2]) for line in notes if line[0] == "paused"})
    sums["probes"] += sum(line[0] == "probed" for line in notes)
    return wrong


class Effects:
    """Runs with tools, killed everywhere."""

    def __init__(self, folder, tools, quick):
        self.folder = folder
        self.tools = tools
        self.quick = quick
        self.sums = Sums()

    def host(self, name, **options):
        return Host(os.path.join(self.folder, f"effects-{name}"), self.tools, **options)

    def complain(self, table, where, wrong):
        for text in wrong[:5]:
            table.complain(f"{where}: {text}")

    # ---- many runs at once ----

    def storm(self, table):
        """Hosts with many runs, each killed at one place and followed by the next, on stores that live for some kills."""
        per_store = 9
        names = list(PLACES) * (1 if self.quick else 20)
        random.shuffle(names)
        kills_there = collections.Counter()
        count, wrong = 0, 0
        for first in range(0, len(names), per_store):
            host = self.host(f"storm{first}")
            told = []
            for number, name in enumerate(names[first : first + per_store]):
                place, limit = PLACES[name]
                death = place % random.randint(1, limit) if "%d" in place else place
                closes = death.startswith("clos")
                process = host.start(
                    random.choice((1, 4, 8)), -1, end="leave" if closes else "settle", KILL=death)
                # Every third time a second process works on the same file.
                peer = host.start(2, -1) if number % 3 == 2 else None
                seconds = random.uniform(0.05, 0.6) if not death else 1.5
                by_itself = kills.Killing.wait(process, seconds)
                # It may have closed the plane before it came to its place.
                if process.returncode != -signal.SIGKILL and not (closes and process.returncode == 0):
                    told.append(f"killed {name} ({death}): the host ended with {process.returncode}")
                kills_there[name] += by_itself and process.returncode != 0
                count += 1
                if peer:
                    time.sleep(0.05)
                    kills.Killing.wait(peer, 0)
                    count += 1
            told += host.finish()
            told += check(host, self.sums)
            wrong += len(told)
            self.complain(table, f"store {first}", told)
        self.sums["kills"] += count
        there = sum(kills_there.values())
        if not self.quick:
            for name in PLACES:
                if PLACES[name][0] and not kills_there[name]:
                    wrong += 1
                    table.complain(f"killed {name}: no kill came to its place")
        table.row("runs with tools, killed in the midst of many", f"{count} kills ({there} at their place)", wrong)

    # ---- one run, every place ----

    def sweep(self, table, what, shape, place, stride=1, first=1, **more):
        """One run, killed at the first, second, third … place, until there is none; and another process that goes on."""
        wrong = count = 0
        number = first
        while True:
            host = self.host(f"sweep-{what.replace(' ', '-')}-{shape}-{number}")
            process = host.start(1, 1, shape, KILL=place % number, **more)
            try:
                code = process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                code = "after a minute"
            told = [] if code in (0, -signal.SIGKILL) else [f"the host ended with {code}"]
            if code == -signal.SIGKILL:
                told += host.finish()
            told += check(host, self.sums)
            wrong += len(told)
            self.complain(table, f"killed {what} {number} of shape {shape}", told)
            if code == -signal.SIGKILL:
                shutil.rmtree(host.folder)
            else:
                break
            count += 1
            number += stride
        self.sums["kills"] += count
        if not count:
            wrong += 1
            table.complain("no kill came to its place")
        return count, wrong

    def everywhere(self, table):
        sweeps = (
            ("before a write to the log", "run:1:kill-before:write:wal:%d", {}),
            ("in a write to the log", "run:1:kill-half:write:wal:%d", {}),
            ("before a commit", "run:1:kill-before:sync:wal:%d", {}),
            ("after a commit", "run:1:kill-after:sync:wal:%d", {}),
            ("at a byte of the model's answers", "run:1:kill-before:recv:any:%d", {"FAULT_RECV": "1"}),
            ("before a tool's call", "tool:%d", {}),
            ("after an effect", "answer:%d", {}),
            ("after a tool's answer", "answered:%d", {}),
        )
        for what, place, more in sweeps:
            if self.quick:
                shapes = [random.choice((ASYNCHRONOUS, SUBMITTED)) + random.choice((5, 6, 7, 8)),
                          random.choice((ASYNCHRONOUS, SUBMITTED)) + random.choice((10, 11, 12)),
                          BLOCKING + random.choice((2, 3, 5, 6, 11))]
            else:
                # Each shape of each kind would take hours: one kind of each, and all of one.
                shapes = [shape + SHAPES * (shape % 3) for shape in range(SHAPES)] + [BLOCKING + 5, ASYNCHRONOUS + 5]
            # A run's answers have thousands of bytes, its log a hundred writes.
            stride = (211, 47) if "recv" in place else (9, 2) if "write" in place else (3, 1) if ":kill" in place else (1, 1)
            step = stride[not self.quick]
            count = wrong = 0
            for shape in shapes:
                done, bad = self.sweep(table, what, shape, place, step, random.randint(1, step), **more)
                count, wrong = count + done, wrong + bad
            table.row(f"one run, killed {what}", f"{count} kills", wrong)

    # ---- power ----

    def after_cuts(self, host, shares):
        """Lets a process go on with what each power cut left of a store; the effects are in the world and stay."""
        wrong = []
        for share in shares:
            after = self.host(f"{os.path.basename(host.folder)}-{share}", durability=host.environment["DURABILITY"])
            for file in ("notes", *READING, *IDEMPOTENT, *ONCE):
                shutil.copy(os.path.join(host.folder, file), after.folder)
            for tail in ("", "-wal"):
                left = power.after_power_cut(
                    power.contents(host.store + tail + ".synced"), power.contents(host.store + tail), share)
                if left or not tail:
                    with open(after.store + tail, "wb") as file:
                        file.write(left)
            told = after.finish()
            told += check(after, self.sums, is_cut=True)
            wrong += [f"with {share:.0%} of what was not synced: {text}" for text in told]
            shutil.rmtree(after.folder)
        shutil.rmtree(host.folder)
        return wrong

    def cuts(self, table):
        """The power is cut in the midst of many runs, and of one at each of its calls."""
        states = wrong = 0
        shares = (0, 0.5) if self.quick else (0, 0.1, 0.5, 0.9)
        for number in range(3 if self.quick else 30):
            host = self.host(f"cut{number}")
            process = host.start(random.choice((1, 4, 8)), -1, FAULT_POWER="1")
            time.sleep(random.uniform(0.1, 1.0))
            process.kill()
            process.wait()
            told = self.after_cuts(host, shares)
            states, wrong = states + len(shares), wrong + len(told)
            self.complain(table, "power cut", told)
        for durability in ("full", "normal"):
            for place in ("tool:%d", "answer:%d", "answered:%d"):
                for shape in (3, 4, 8, 11) if self.quick else range(SHAPES):
                    for number in (1,) if self.quick else range(1, 5):
                        host = self.host(f"cut-{durability}-{place[:-3]}-{shape}-{number}", durability=durability)
                        # The run is kept before the power is cut, at whatever durability.
                        process = host.start(1, 1, SUBMITTED + shape, KILL=place % number, FAULT_POWER="1")
                        if process.wait(60) == -signal.SIGKILL:
                            told = self.after_cuts(host, (0,))
                            states, wrong = states + 1, wrong + len(told)
                            self.complain(table, f"power cut, {durability}, {place % number} of shape {shape}", told)
        self.sums["kills"] += states
        table.row("runs with tools, and the power cut", f"{states} states of the disk", wrong)

    def run(self, table):
        self.storm(table)
        self.everywhere(table)
        self.cuts(table)
        sums = self.sums
        table.row("", ", ".join(f"{sums[name]} {name}" for name in ("kills", "runs", "sub-tasks", "effects")), 0)
        table.row("", ", ".join(f"{sums[name]} {name}" for name in ("resumed", "pauses", "probes", "repeats")), 0)
        for what, name in (
            ("accepted tasks lost", "lost"), ("effects doubled", "doubled"), ("left executing", "left")):
            table.row(what, f"{sums[name]}", sums[name])
