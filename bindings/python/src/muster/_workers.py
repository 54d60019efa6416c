"""Threads on which the functions of tools run: some for plain functions, and one with an event loop."""

from __future__ import annotations

import contextlib
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Callable, List, Optional

if TYPE_CHECKING:
    import asyncio

Job = Callable[[], None]

# Not those of concurrent.futures, which Python waits for before anything can tell a function to end, and which take no
# work any more while other threads of the program go on. These are daemons, ended by the plane.


class Workers:
    """Threads for plain functions; one comes when all are busy, up to ``most``. Jobs beyond that wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: SimpleQueue[Optional[Job]] = SimpleQueue()
        # Closing may come from a collection in the middle of this very thread's work.
        self._lock = threading.RLock()
        self._idle = 0
        self._waiting = 0
        self._is_closed = False
        self.threads: List[threading.Thread] = []

    def submit(self, job: Job) -> None:
        """Has a job done. A ``RuntimeError`` when there is no thread for it."""
        with self._lock:
            if self._is_closed:
                return
            if self._waiting >= self._idle and len(self.threads) < self._most:
                name = f"muster tool {len(self.threads) + 1}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                try:
                    thread.start()
                    self.threads.append(thread)
                except RuntimeError:
                    if not self.threads:
                        raise
            self._waiting += 1
            self._jobs.put(job)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
                self._waiting -= 1
            if job is None:
                return
            with contextlib.suppress(Exception):  # A job tells of its failures itself.
                job()
            del job

    def close(self) -> None:
        """Lets the threads end with what they do; jobs that wait are done, and find that nobody wants them."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                for _ in self.threads:
                    self._waiting += 1
                    self._jobs.put(None)


class LoopThread:
    """A thread with an event loop of asyncio."""

    def __init__(self) -> None:
        import asyncio

        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, name="muster tool loop", daemon=True)
        try:
            self.thread.start()
        except BaseException:
            self.loop.close()
            raise

    def _run(self) -> None:
        import asyncio

        loop = self.loop
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            if tasks:
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            with contextlib.suppress(RuntimeError):  # An interpreter that ends starts no thread.
                loop.run_until_complete(loop.shutdown_default_executor())
        except Exception:
            import logging

            logging.getLogger("muster").exception("the event loop of tools did not end well")
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    def close(self) -> None:
        """Cancels the tasks of the loop; the thread ends with the last."""
        with contextlib.suppress(RuntimeError):  # It is closed already.
            self.loop.call_soon_threadsafe(self.loop.stop)


def join(threads: List[threading.Thread], seconds: Optional[float]) -> bool:
    """Waits for threads to end, but not for this one. Whether all have; ``None`` waits without limit."""
    deadline = None if seconds is None else time.monotonic() + seconds
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)
