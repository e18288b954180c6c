"""A worker process as its coordinator sees it."""

from __future__ import annotations

import os
import pickle
import time
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from ntknas.core.children import SafeContext, safe_context
from ntknas.core.errors import NtknasError
from ntknas.scoring.engines.worker import Assignment, Word, work
from ntknas.scoring.plan import Task, WorkItem
from ntknas.scoring.progress import KernelDone, Report
from ntknas.scoring.resources import THREAD_VARIABLES
from ntknas.store.worker_journal import records_of, worker_journal_path


@cache
def _context() -> SafeContext:
    """Spawned processes, since a forked torch may hang; none imports from the working folder."""
    return safe_context()


@dataclass
class WorkerHandle:
    """A worker process, and what it was given.

    Attributes:
        name: Name of its journal.
        device: Where it computes.
        process: The process.
        pipe: To and from it.
        lifeline: What it ends with, when this process does.
        tasks: Tasks that it was given and has not finished; the first is in hand.
        ready: Whether it has started.
    """

    name: str
    device: str
    process: BaseProcess
    pipe: Connection
    lifeline: Connection
    tasks: deque[Task] = field(default_factory=deque)
    ready: bool = False
    _computing_since: float | None = None

    @classmethod
    def start(cls, device: str, threads: int) -> WorkerHandle:
        """Start a process, which says ``Word.HERE`` once it is up."""
        name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        pipe, pipe_of_worker = _context().Pipe()
        end_of_worker, lifeline = _context().Pipe(duplex=False)
        process = _context().Process(target=work, args=(name, pipe_of_worker, end_of_worker), daemon=True)
        with threads_for_children(threads):
            process.start()
        pipe_of_worker.close()  # ours would keep the pipe open after the worker's death
        end_of_worker.close()
        return cls(name, device, process, pipe, lifeline)

    def assign(self, assignment: Assignment) -> None:
        """Send what to work on.

        Not as an argument of the process: multiprocessing writes those to a pipe whose reading end it holds open
        itself, and so waits forever for a process that dies before it has read more than the pipe's buffer.
        """
        with suppress(OSError):  # it has died: the sentinel says so
            self.pipe.send_bytes(pickle.dumps(replace(assignment, device=self.device)))

    def give(self, task: Task) -> None:
        """Send a task, which comes after those that it has."""
        self.tasks.append(task)
        with suppress(OSError):  # it has died: the sentinel says so
            self.pipe.send(task)

    def messages(self) -> Iterator[Word | Report | NtknasError]:
        """Yield what it has said."""
        with suppress(EOFError, OSError):  # it has died: the sentinel says so
            while self.pipe.poll():
                yield self.pipe.recv()

    def strike_off(self, item: WorkItem) -> None:
        """Strike an item off the task in hand; the clock stops with the last."""
        remaining = tuple(member for member in self.tasks.popleft() if member != item)
        if remaining:
            self.tasks.appendleft(remaining)
        else:
            self._computing_since = None

    def start_clock(self) -> None:
        """Note that it has begun to compute the task in hand; before, it may have waited for a busy machine."""
        self._computing_since = time.monotonic()

    @property
    def is_computing(self) -> bool:
        """Whether it is at a task."""
        return self._computing_since is not None

    def seconds_computing(self) -> float:
        """Return how long it has been at the task in hand; 0 where it has not begun."""
        return 0.0 if self._computing_since is None else time.monotonic() - self._computing_since

    def journalled(self, store: Path, item: WorkItem) -> KernelDone | None:
        """Return what its journal holds of an item, if it holds all of it."""
        by_cell = {
            record.cell: record
            for record in records_of(worker_journal_path(store, self.name))
            if (record.setting, record.seed) == (item.setting, item.seed) and set(record.scores) >= set(item.measures)
        }
        if not set(item.members) <= set(by_cell):
            return None
        record = by_cell[item.members[0]]
        return KernelDone(item, record.scores, record.seconds)

    def dismiss(self) -> None:
        """Let it end by itself."""
        with suppress(OSError):
            self.pipe.send(None)

    def end(self) -> None:
        """End the process at once; what it has journalled stays."""
        self.process.kill()  # terminate() is SIGTERM, which workers ignore
        self.process.join()
        self.pipe.close()
        self.lifeline.close()

    def how_it_ended(self) -> str:
        """Return the signal or exit code that it ended with."""
        code = self.process.exitcode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"


@contextmanager
def threads_for_children(count: int) -> Iterator[None]:
    """Let a new process start its libraries with so many threads, but for those that the user gave a number."""
    unset = [name for name in THREAD_VARIABLES if not os.environ.get(name)]
    os.environ.update(dict.fromkeys(unset, str(count)))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]
