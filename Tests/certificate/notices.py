"""Whether the certificate would notice: stores that are wrong on purpose."""

import os
import shutil
import sqlite3
import subprocess
import time

import kills
import muster
import power

#: What is done to a sound store, and the comment of the query in invariants.sql that has to find it.
SABOTAGE = (
    ("DELETE FROM agent_versions WHERE version = 4", "an agent without its deployed version (the working copy is it until it departs)"),
    ("DELETE FROM agent_versions WHERE version = 3", "an agent whose versions have a gap (the first is 2)"),
    ("UPDATE agents SET document = json_set(document, '$.version', 9)",
     "a row and its document disagree about the version"),
    ("UPDATE agent_versions SET version = 9 WHERE version = 3", "a row and its document disagree about the version"),
    ("DELETE FROM agents", "a version of no agent"),
    ("DELETE FROM agents", "a task of no agent"),
    ("DELETE FROM tasks", "a journal of no task"),
    ("DELETE FROM journal WHERE sequence = 2", "a journal with a gap, or one that its task does not know"),
    ("UPDATE tasks SET sequence = sequence + 1", "a journal with a gap, or one that its task does not know"),
    ("UPDATE tasks SET turn = turn + 1", "turns that do not count from 1 to the task's own"),
    ("UPDATE tasks SET status = 2", "a task that is left unfinished"),
    ("UPDATE tasks SET status = 1", "a task that is left unfinished"),
    ("UPDATE tasks SET owner = 1", "a finished task that somebody owns"),
    ("UPDATE tasks SET result_sequence = 1", "a result that is not the last record of its task"),
    ("UPDATE journal SET commands = CAST('[]' AS BLOB) WHERE sequence = 2", "turns that do not each have one end"),
    ("UPDATE journal SET commands = (SELECT commands FROM journal WHERE sequence = 2) WHERE sequence = 1",
     "turns that do not each have one end"),
    ("UPDATE journal SET kind = 4 WHERE kind = 7", "an answered turn in which not each call of a tool has one result"),
    ("UPDATE counts SET rows = rows + 1 WHERE block = -1", "a total that is not the number of rows"),
    ("DELETE FROM counts WHERE block = -1 AND list = 2", "a total that is not the number of rows"),
    ("UPDATE counts SET rows = rows - 1 WHERE block >= 0", "a block's count that is not the number of its rows"),
    ("INSERT INTO counts VALUES ('x', 1, 5, 3)", "a count of rows that are not there"),
    ("UPDATE tasks SET position = 7", "two rows at one place of a list"),
)


def look() -> str:
    """Looks."""
    return "nothing"


class Notices:
    def __init__(self, folder, tools):
        self.folder = folder
        self.tools = tools

    def run(self, table):
        self.sabotaged(table)
        self.forgetful(table)
        self.unsynced(table)

    def sound(self):
        """A store with an agent of three versions and a staged change, two tasks of two turns, and one that called a tool."""
        store = os.path.join(self.folder, "sound.db")
        model = {"provider": "openai_compatible", "name": "echo", "api_base": os.environ["MODEL_BASE"]}
        with muster.open(store, default_model=model) as plane:
            agent = plane.agents.create(name="sound")["id"]
            plane.agents.deploy(agent)
            plane.agents.deploy(agent)
            plane.agents.update(agent, description="staged")
            for task in ("one", "two", "one", "two"):
                plane.agents.invoke(agent, "hello", id=task)
            plane.tool(look)
            agent = plane.agents.create(name="calls", model_name="call:look", tools=["look"])["id"]
            plane.agents.invoke(agent, "hello")
        return store

    def sabotaged(self, table):
        store = self.sound()
        complaints = [f"a sound store: {text}" for text in kills.invariants(store)]
        copy = store + ".copy"
        for statement, wanted in SABOTAGE:
            shutil.copy(store, copy)
            database = sqlite3.connect(copy)
            database.execute(statement)
            database.commit()
            database.close()
            if not any(text.startswith(wanted + ":") for text in kills.invariants(copy)):
                complaints.append(f"not noticed: {statement}")
        shutil.copy(store, copy)
        database = sqlite3.connect(copy)
        page, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'tasks_in_order'").fetchone()
        database.close()
        with open(copy, "r+b") as file:
            file.seek((page - 1) * 4096 + 4000)
            file.write(bytes(96))
        if not any(text.startswith("the file is damaged") for text in kills.invariants(copy)):
            complaints.append("not noticed: a damaged page")
        found = {wanted for _, wanted in SABOTAGE} | {"the file is damaged"}
        complaints += [f"never put to the test: {what}" for what, _ in kills.queries() if what not in found]
        for text in complaints:
            table.complain(text)
        table.row("sabotage is noticed", f"{len(SABOTAGE) + 1} kinds", len(complaints))

    def forgetful(self, table):
        """A disk that takes writes to the log and forgets them: what was acknowledged is missing after the kill."""
        wrong = 0
        rounds = 5
        for number in range(rounds):
            store = os.path.join(self.folder, f"forgetful{number}.db")
            notes = store + ".acks"
            environment = dict(
                os.environ, LD_PRELOAD=self.tools["faults.so"], FAULT_STORE=store, FAULT="lose:write:wal:150:forever")
            process = subprocess.Popen(
                [self.tools["worker"], "work", store, notes, "1", "forgetful", "echo"], env=environment,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.8)
            process.kill()
            process.wait()
            book = kills.Book()
            tasks = book.read(notes)
            if not kills.check(store, book, tasks):
                table.complain(f"{book.count} were acknowledged, and none is said to be missing")
                wrong += 1
        table.row("a forgetful disk is noticed", f"{rounds} rounds", wrong)

    def unsynced(self, table):
        """Without its syncs a store does lose what it acknowledged when the power is cut."""
        cuts = power.PowerCuts(self.folder, self.tools, quick=True)
        rounds = 6
        noticed = 0
        for number in range(rounds):
            noticed += bool(cuts.cut(number, "normal")[2])
        # A cut that comes right after a checkpoint takes nothing.
        wrong = int(noticed < 2)
        if wrong:
            table.complain(f"without syncs, {noticed} of {rounds} cuts are said to take something")
        table.row("a power cut without syncs is noticed", f"{noticed} of {rounds} rounds", wrong)
