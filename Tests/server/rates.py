"""Two servers on one store count the requests of a key together: rates.py LIBRARY FOLDER"""

from __future__ import annotations

import collections
import concurrent.futures
import sys
import time

import harness
from harness import Server, check

LIBRARY, FOLDER = sys.argv[1:3]
LIMIT = 100


def away_from_the_end_of_an_hour() -> None:
    while time.time() % 3600 > 3540:
        time.sleep(1)


def main() -> None:
    away_from_the_end_of_an_hour()
    options = {"rate_limit": f"1000000/{LIMIT}"}
    servers = [Server(f"{FOLDER}/rates.db", LIBRARY, **options) for _ in range(2)]
    for server in servers:
        server.key = servers[0].key

    def ask(number: int) -> tuple[int, int]:
        return number % 2, servers[number % 2].ask("GET", "/v1/agents?per_page=1")[0]

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = collections.Counter(pool.map(ask, range(3 * LIMIT)))
    admitted = [answers[which, 200] for which in range(2)]
    check(sum(admitted) == LIMIT, f"exactly {LIMIT} requests are admitted: {admitted}")
    check(min(admitted) > 0, f"both servers admitted some: {admitted}")
    check(answers[0, 429] + answers[1, 429] == 2 * LIMIT, f"all others are refused: {answers}")
    refused = servers[0].send(servers[0].request("GET", "/v1/agents", headers="Connection: close\r\n")).decode()
    head = refused.lower()
    for name in ("x-ratelimit-limit: 1000000", "x-ratelimit-remaining: ", "x-ratelimit-reset: ", "retry-after: "):
        check(name in head, f"a refusal has {name}: {refused}")
    check("--rate-limit" in refused, f"a refusal names the option: {refused}")
    check(servers[0].ask("GET", "/health")[0] == 200, "what needs no key is not limited")
    check([server.stop() for server in servers] == [0, 0], "they stop properly")
    again = Server(f"{FOLDER}/rates.db", LIBRARY, **options)
    fresh, again.key = again.key, servers[0].key
    check(again.ask("GET", "/v1/agents")[0] == 429, "the counts are kept over a restart")
    again.key = fresh
    check(again.ask("GET", "/v1/agents")[0] == 200, "another key has its own")
    check(again.stop() == 0, "it stops properly")


main()
print(f"rates {harness.passed} passed, {harness.failed} failed")
sys.exit(harness.failed != 0)
