#!/usr/bin/env python3
"""The certificate: what a store promises, put to the test. Started by run.sh, which builds the tools."""

import os
import subprocess
import sys
import time

import kills


class Table:
    """Lines as they come: what was done, how often, how much was wrong."""

    def __init__(self):
        self.wrong = 0
        self.began = time.monotonic()

    def complain(self, text):
        print(f"    WRONG: {text}", flush=True)

    def row(self, what, how_often, wrong):
        self.wrong += bool(wrong)
        print(f"{what:<46} {how_often:<40} {wrong or 'none'} wrong", flush=True)


def main():
    folder, tools, *parts = sys.argv[1:]
    quick = "quick" in parts
    chosen = [part for part in parts if part != "quick"]
    tools = {name: os.path.join(tools, name) for name in ("worker", "scenario", "faults.so")}
    table = Table()
    runs = {"kills": kills.Killing(folder, tools, quick).run}
    for name in chosen or runs:
        runs[name](table)
    print(f"{'certificate':<46} {time.monotonic() - table.began:.0f} s{'':<36} {table.wrong or 'nothing'} failed")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
