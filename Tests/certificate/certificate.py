#!/usr/bin/env python3
"""The certificate: what a store promises, put to the test. Started by run.sh, which builds the tools."""

import os
import subprocess
import sys
import tempfile
import time

import disk
import effects
import kills
import neighbours
import notices
import power


class Table:
    """Lines as they come: what was done, how often, how much was wrong."""

    def __init__(self):
        self.wrong = 0
        self.began = time.monotonic()

    def complain(self, text):
        print(f"    WRONG: {text}", flush=True)

    def row(self, what, how_often, wrong):
        self.wrong += bool(wrong)
        print(f"{what:<50} {how_often:<40} {wrong or 'none'} wrong", flush=True)


class Scenarios:
    """The runs of scenario.c."""

    #: Action, call, file, and the stride of a quick run (0: not at all) and of a full one.
    FAULTS = (
        ("EIO", "sync", "any", 7, 1),
        ("EIO", "write", "any", 97, 1),
        ("ENOSPC", "write", "any", 97, 1),
        ("EIO", "truncate", "any", 2, 1),
        ("EIO", "read", "any", 47, 1),
        ("EMFILE", "open", "any", 2, 1),
        ("ECONNREFUSED", "connect", "any", 1, 1),
        ("ECONNRESET", "recv", "any", 1, 1),
        ("ENOMEM", "memory", "any", 2999, 5),
    )

    def __init__(self, folder, tools, quick):
        self.folder = folder
        self.tools = tools
        self.quick = quick

    def scenario(self, *arguments):
        """Runs scenario.c: (done, wrong, what it printed)."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            environment = dict(
                os.environ, LD_PRELOAD=self.tools["faults.so"], FAULT_STORE=os.path.join(folder, "scenario.db"),
                INVARIANTS=";".join(query for _, query in kills.queries()))
            result = subprocess.run(
                [self.tools["scenario"], *map(str, arguments)], env=environment, stdout=subprocess.PIPE, text=True)
        lines = result.stdout.rstrip().split("\n")
        done, _, wrong = lines[-1].partition(" - ")
        if not done.isdigit() or not wrong.isdigit() or result.returncode != (wrong != "0"):
            return 0, 1, [*lines, f"    WRONG: ended with code {result.returncode}"]
        return int(done), int(wrong), lines[:-1]

    def row(self, table, what, unit, *arguments):
        done, wrong, lines = self.scenario(*arguments)
        for line in lines[:20]:
            print(line, flush=True)
        table.row(what, f"{done} {unit}", wrong)

    def faults(self, table):
        for action, call, file, quick, full in self.FAULTS:
            for tail in ([], ["forever"], ["crashed"], ["forever", "crashed"]):
                name = f"{action} from {call} {'for ever' if 'forever' in tail else 'once'}"
                name += ", after a crash" if "crashed" in tail else ""
                self.row(table, name, "runs", "faults", action, call, file, quick if self.quick else full, *tail)

    def unsynced(self, table):
        self.row(table, "no write after a sync that failed", "runs", "unsynced")

    def full(self, table):
        self.row(table, "a full disk in the middle of a batch", "runs", "full")

    def syncs(self, table):
        self.row(table, "syncs, 1 thread", "acknowledged", "syncs", 1, 1)
        self.row(table, "syncs, 64 threads", "acknowledged", "syncs", 64, 2 if self.quick else 10)


def main():
    folder, tools, *parts = sys.argv[1:]
    quick = "quick" in parts
    tools = {name: os.path.join(tools, name) for name in ("worker", "scenario", "disk", "effects", "faults.so")}
    scenarios = Scenarios(folder, tools, quick)
    neighbour = neighbours.Neighbours(folder, tools, quick)
    runs = {
        "notices": notices.Notices(folder, tools).run,
        "kills": kills.Killing(folder, tools, quick).run,
        "effects": effects.Effects(folder, tools, quick).run,
        "power": power.PowerCuts(folder, tools, quick).run,
        "neighbours": neighbour.untouched,
        "fair": neighbour.fair,
        "syncs": scenarios.syncs,
        "unsynced": scenarios.unsynced,
        "full": scenarios.full,
        "disk": disk.FullDisk(folder, tools, quick).run,
        "faults": scenarios.faults,
    }
    chosen = [part for part in parts if part != "quick"]
    unknown = [name for name in chosen if name not in runs]
    if unknown:
        print(f"no part is named {unknown[0]}; there are: {' '.join(runs)}", file=sys.stderr)
        return 2
    table = Table()
    for name in chosen or runs:
        runs[name](table)
    seconds = f"{time.monotonic() - table.began:.0f} s"
    print(f"{'in all':<50} {seconds:<40} {table.wrong or 'none'} failed")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
