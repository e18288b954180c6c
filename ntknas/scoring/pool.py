"""Runs a plan in worker processes: each with its own pipe and its own journal, no lock between them.

The coordinator hands every worker two tasks at a time, so that none waits for it. A worker that dies or takes too long
is replaced; what is left of the task that it had in hand is tried once more before it counts as ``crashed``.
"""

from __future__ import annotations

import os
import pickle
import time
import uuid
from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import torch

from ntknas.core.children import SafeContext, safe_context
from ntknas.core.errors import NtknasError
from ntknas.core.score import Status
from ntknas.scoring.computation import failed
from ntknas.scoring.plan import Plan, Task, WorkItem
from ntknas.scoring.progress import Progress, Report
from ntknas.scoring.worker import HERE, READY, Assignment, work
from ntknas.store import ScoreStore
from ntknas.store.part import part_path, records_of

AHEAD = 2
"""Tasks a worker has at a time: the one in hand and the next."""
ATTEMPTS = 2
"""How often a task is tried whose worker dies."""
MOST_THREADS = 10_000
FALSE_STARTS = 3
"""Workers in turn that may die while they start."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that tell libraries their threads; what the user set in them holds."""


@cache
def _context() -> SafeContext:
    """Spawned processes, since a forked torch may hang; none imports from the working folder."""
    return safe_context()


@dataclass
class _Worker:
    """A worker as the coordinator sees it."""

    name: str
    device: str
    process: BaseProcess
    pipe: Connection
    lifeline: Connection
    tasks: deque[Task] = field(default_factory=deque)
    ready: bool = False
    since: float = 0.0

    def assign(self, assignment: Assignment) -> None:
        """Send what to work on.

        Not as an argument of the process: multiprocessing writes those to a pipe whose reading end it holds open
        itself, and so waits forever for a process that dies before it has read more than the pipe's buffer.
        """
        with suppress(OSError):  # it has died: the sentinel says so
            self.pipe.send_bytes(pickle.dumps(replace(assignment, device=self.device)))

    def give(self, task: Task) -> None:
        if not self.tasks:
            self.since = time.monotonic()
        self.tasks.append(task)
        with suppress(OSError):  # it has died: the sentinel says so
            self.pipe.send(task)

    def take(self, item: WorkItem) -> None:
        """Strike an item off the task in hand."""
        left = tuple(each for each in self.tasks.popleft() if each != item)
        if left:
            self.tasks.appendleft(left)
        else:
            self.since = time.monotonic()

    def end(self) -> None:
        """End the process at once; what it has journalled stays."""
        self.process.kill()
        self.process.join()
        self.pipe.close()
        self.lifeline.close()


class Pool:
    """Worker processes for one plan.

    Args:
        assignment: What workers are started with; its device is replaced by theirs.
        devices: Device of each worker.
        timeout: Seconds after which what is left of a task counts as ``timeout``; ``None`` for no limit.
    """

    def __init__(self, assignment: Assignment, devices: Sequence[str], timeout: float | None = None):
        self._assignment = assignment
        self._devices = list(devices)
        self._timeout = timeout
        self._workers: list[_Worker] = []
        self._pending: deque[Task] = deque()
        self._attempts: Counter[WorkItem] = Counter()
        self._false_starts = 0

    def run(self, plan: Plan, store: ScoreStore) -> Iterator[Report]:
        """Carry out a plan; the workers' scores are in their parts when this ends.

        Args:
            plan: What to compute.
            store: The store, open for writing; takes what workers cannot write themselves.

        Yields:
            One entry for each item, after its scores are safe.

        Raises:
            NtknasError: If the recipe is impossible, a journal cannot be written, or workers die before they begin.
        """
        for record in plan.copies:
            store.append(record)
        self._pending = deque(plan.tasks)
        try:
            for device in self._devices[: len(plan.tasks)]:
                self._start(device)
            while self._pending or any(worker.tasks for worker in self._workers):
                yield from self._step(store)
            self._dismiss()
        finally:
            for worker in self._workers:
                worker.end()

    def _start(self, device: str) -> None:
        name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        ours, theirs = _context().Pipe()
        end, lifeline = _context().Pipe(duplex=False)
        process = _context().Process(target=work, args=(name, theirs, end), daemon=True)
        with _threads(self._assignment.threads):
            process.start()
        theirs.close()
        end.close()
        self._workers.append(_Worker(name, device, process, ours, lifeline))

    def _step(self, store: ScoreStore) -> Iterator[Report]:
        """Wait for something to happen, and deal with it."""
        by_source: dict[Any, _Worker] = {}
        for worker in self._workers:
            by_source |= {worker.pipe: worker, worker.process.sentinel: worker}
        happened = {id(by_source[source]): by_source[source] for source in wait(list(by_source), self._patience())}
        for worker in happened.values():
            yield from self._listen(worker)
            if not worker.process.is_alive():
                yield from self._listen(worker)  # what it said last
                yield from self._bury(worker, store)
        for worker in [worker for worker in self._workers if self._is_late(worker)]:
            yield from self._stop(worker, store)
        for worker in self._workers:
            if worker.ready:
                self._feed(worker)

    def _patience(self) -> float | None:
        """Seconds until the next item is late."""
        if self._timeout is None:
            return None
        ends = [worker.since + self._timeout for worker in self._workers if worker.ready and worker.tasks]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _is_late(self, worker: _Worker) -> bool:
        busy = worker.ready and worker.tasks and self._timeout is not None
        return bool(busy and time.monotonic() - worker.since >= (self._timeout or 0.0))

    def _listen(self, worker: _Worker) -> Iterator[Report]:
        try:
            while worker.pipe.poll():
                said = worker.pipe.recv()
                if isinstance(said, NtknasError):
                    raise said
                if said == HERE:
                    worker.assign(self._assignment)
                elif said == READY:
                    worker.ready, self._false_starts = True, 0
                else:
                    if isinstance(said, Progress):
                        worker.take(said.item)
                    yield said
        except (EOFError, OSError):
            return  # it has died: the sentinel says so

    def _feed(self, worker: _Worker) -> None:
        while self._pending and len(worker.tasks) < AHEAD:
            worker.give(self._pending.popleft())

    def _bury(self, worker: _Worker, store: ScoreStore) -> Iterator[Report]:
        """Replace a worker that died; of its task in hand, what its journal lacks is tried again, or crashed."""
        self._remove(worker)
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts == FALSE_STARTS:
                raise NtknasError(
                    f"{FALSE_STARTS} workers in turn ended ({_end_of(worker.process)}) before they began: see above. "
                    "Fewer --workers need less memory; without, this process computes."
                )
        if worker.tasks and not (yield from self._finished(worker)):
            first = worker.tasks[0][0]
            self._attempts[first] += 1
            if self._attempts[first] == ATTEMPTS:
                reason = f"the worker ended: {_end_of(worker.process)}"
                yield from self._give_up(worker, Status.CRASHED, reason, store)
        self._pending.extendleft(reversed(worker.tasks))
        self._replace(worker)

    def _stop(self, worker: _Worker, store: ScoreStore) -> Iterator[Report]:
        """End a worker whose task takes too long."""
        self._remove(worker)
        if not (yield from self._finished(worker)):
            yield from self._give_up(worker, Status.TIMEOUT, f"took longer than {self._timeout:g} s", store)
        self._pending.extendleft(reversed(worker.tasks))
        self._replace(worker)

    def _finished(self, worker: _Worker) -> Generator[Report, None, bool]:
        """Report what a dead worker journalled of its task in hand and did not say; return whether that was all."""
        task = worker.tasks[0]
        stored = [done for item in task if (done := _stored(self._assignment, worker.name, item))]
        for done in stored:
            worker.take(done.item)
            yield done
        return len(stored) == len(task)

    def _give_up(self, worker: _Worker, status: Status, reason: str, store: ScoreStore) -> Iterator[Report]:
        """Report what is left of the task in hand as failed."""
        for done in failed(worker.tasks.popleft(), status, reason):
            for record in done.records(self._assignment.run[0]):
                store.append(record)
            yield done

    def _remove(self, worker: _Worker) -> None:
        worker.end()
        self._workers.remove(worker)

    def _replace(self, worker: _Worker) -> None:
        if self._pending:
            self._start(worker.device)

    def _dismiss(self) -> None:
        """Let workers end by themselves; those that are still starting are ended by ``run``."""
        ready = [worker for worker in self._workers if worker.ready]
        for worker in ready:
            with suppress(OSError):
                worker.pipe.send(None)
        for worker in ready:
            worker.process.join()


def _stored(assignment: Assignment, name: str, item: WorkItem) -> Progress | None:
    """What a dead worker's journal holds of an item, if it holds all of it."""
    found = {
        record.cell: record
        for record in records_of(part_path(assignment.store, name))
        if (record.setting, record.seed) == (item.setting, item.seed) and set(record.scores) >= set(item.measures)
    }
    if not set(item.members) <= set(found):
        return None
    record = found[item.members[0]]
    return Progress(item, record.scores, record.seconds)


def _end_of(process: BaseProcess) -> str:
    code = process.exitcode or 0
    return f"signal {-code}" if code < 0 else f"exit code {code}"


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let a new process start its libraries with so many threads, but for those that the user gave a number."""
    unset = [name for name in THREADS if not os.environ.get(name)]
    os.environ.update(dict.fromkeys(unset, str(count)))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


def devices_of(workers: int | None, device: torch.device) -> list[str]:
    """Return the device of each worker: GPUs in turn, or the CPU.

    Args:
        workers: Their number; ``None`` for one per GPU, or one per core.
        device: The device that was asked for; ``cuda`` stands for every GPU.
    """
    if device.type == "cuda" and device.index is None:
        gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        return [gpus[number % len(gpus)] for number in range(workers or len(gpus))]
    return [str(device)] * (workers or (cores() if device.type == "cpu" else 1))


def threads_of(workers: int) -> int:
    """Return the threads of each worker: what ``OMP_NUM_THREADS`` says, else so that all have this process' cores."""
    return threads_asked() or max(1, cores() // workers)


def threads_asked() -> int | None:
    """Return the threads that the user asks for in ``OMP_NUM_THREADS``, if he does."""
    first = os.environ.get(THREADS[0], "").partition(",")[0].strip()  # more are for parallel regions within
    return int(first) if first.isascii() and first.isdigit() and 0 < int(first) < MOST_THREADS else None


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
