"""Several processes on one file: they leave each other's tasks alone, and write in turn."""

import os
import signal
import subprocess
import threading
import time

import kills
import muster


class Neighbours:
    def __init__(self, folder, tools, quick):
        self.folder = folder
        self.tools = tools
        self.quick = quick

    def untouched(self, table):
        """While tasks of this process run, others open the file, work, close it or are killed: the tasks go on."""
        rounds = 2 if self.quick else 12
        wrong = 0
        for number in range(rounds):
            store = os.path.join(self.folder, f"neighbours{number}.db")
            model = {"provider": "openai_compatible", "name": "slow:6000", "api_base": os.environ["MODEL_BASE"]}
            answers = []
            with muster.open(store, default_model=model, busy_timeout_ms=60000) as plane:
                agent = plane.agents.create(name="slow")["id"]

                def run():
                    task = plane.agents.invoke(agent, "go on")
                    answers.append((task["status"], task["result"]))

                threads = [threading.Thread(target=run) for _ in range(8)]
                for thread in threads:
                    thread.start()
                time.sleep(0.3)
                before = {task["id"]: task["status"] for task in plane.tasks.list(per_page=50)["items"]}
                for _ in range(3):
                    code = "import muster,sys; muster.open(sys.argv[1]).close()"
                    subprocess.run(["python3", "-c", code, store], check=True)
                    notes = os.path.join(self.folder, f"neighbour-acks{number}")
                    process = subprocess.Popen(
                        [self.tools["worker"], "work", store, notes, "4", f"n{number}", "echo"],
                        stderr=subprocess.DEVNULL)
                    time.sleep(0.15)
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                during = [plane.tasks.get(task)["status"] for task in before]
                for thread in threads:
                    thread.join()
            complaints = []
            if list(before.values()) != ["executing"] * 8:
                complaints.append(f"the tasks did not run at first: {list(before.values())}")
            if not set(during) <= {"executing", "completed"} or "executing" not in during:
                complaints.append(f"while others worked: {during}")
            if answers != [("completed", "answered after 6000 ms")] * 8:
                complaints.append(f"the answers are {answers}")
            with muster.open(store):
                pass
            complaints += kills.invariants(store)
            for text in complaints:
                table.complain(text)
            wrong += len(complaints)
        table.row("tasks go on while others open and die", f"{rounds} rounds, {rounds * 8} tasks", wrong)

    def fair(self, table):
        """Four processes write one file as fast as they can."""
        seconds = 3 if self.quick else 5
        for threads in (1, 8):
            store = os.path.join(self.folder, f"fair{threads}.db")
            muster.open(store).close()
            start = str(int(time.time() * 1000) + 500)
            processes = [
                subprocess.Popen(
                    [self.tools["worker"], "race", store, str(seconds), start, str(threads)], stdout=subprocess.PIPE,
                    text=True)
                for _ in range(4)
            ]
            counts = [int(process.communicate()[0] or 0) for process in processes]
            wrong = int(min(counts) == 0 or max(counts) > 2 * min(counts))
            if wrong:
                table.complain(f"four processes of {threads} threads wrote {counts}")
            table.row(f"four processes of {threads} threads are fair", f"{' '.join(map(str, counts))} writes", wrong)
            for text in kills.invariants(store):
                table.complain(text)
                table.wrong += 1
