"""Worker processes for one plan: each with its own pipe and its own journal, no lock between them.

The coordinator hands every worker two tasks at a time, so that none waits for it. A worker that dies or takes too long
is replaced; what is left of the task that it had in hand is tried once more before it counts as ``crashed``.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Iterator, Sequence
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from ntknas.core.errors import NtknasError
from ntknas.core.score import Status
from ntknas.scoring.computation import failed
from ntknas.scoring.engines.protocol import MAX_ATTEMPTS
from ntknas.scoring.engines.worker import Assignment, Word
from ntknas.scoring.engines.worker_handle import WorkerHandle
from ntknas.scoring.plan import Task, WorkItem
from ntknas.scoring.progress import KernelDone, Report

if TYPE_CHECKING:
    from ntknas.store import ScoreStore

TASKS_AHEAD = 2
"""Tasks a worker has at a time: the one in hand and the next."""
MAX_FALSE_STARTS = 3
"""Workers in turn that may die while they start."""


class Pool:
    """Worker processes for one plan.

    Args:
        assignment: What workers are started with; its device is replaced by theirs.
        devices: Device of each worker.
        timeout: Seconds of computing after which what is left of a task counts as ``timeout``; ``None`` for no limit.
    """

    def __init__(self, assignment: Assignment, devices: Sequence[str], timeout: float | None = None):
        self._assignment = assignment
        self._devices = list(devices)
        self._timeout = timeout
        self._workers: list[WorkerHandle] = []
        self._pending: deque[Task] = deque()
        self._attempts: Counter[WorkItem] = Counter()
        self._false_starts = 0

    def run(self, tasks: Sequence[Task], store: ScoreStore) -> Iterator[Report]:
        """Compute tasks; the workers' scores are in their journals when this ends.

        Args:
            tasks: What to compute.
            store: The store, open for writing; takes what workers cannot write themselves.

        Yields:
            One report for each item, after its scores are safe.

        Raises:
            NtknasError: If the choices are impossible, a journal cannot be written, or workers die before they begin.
        """
        self._pending = deque(tasks)
        try:
            for device in self._devices[: len(tasks)]:
                self._start(device)
            while self._pending or any(worker.tasks for worker in self._workers):
                yield from self._step(store)
            self._dismiss()
        finally:
            for worker in self._workers:
                worker.end()

    def _start(self, device: str) -> None:
        self._workers.append(WorkerHandle.start(device, self._assignment.threads))

    def _step(self, store: ScoreStore) -> Iterator[Report]:
        """Wait for something to happen, and deal with it."""
        by_source: dict[object, WorkerHandle] = {}
        for worker in self._workers:
            by_source |= {worker.pipe: worker, worker.process.sentinel: worker}
        sources = [source for worker in self._workers for source in (worker.pipe, worker.process.sentinel)]
        # By id: a handle compares its fields, and so has no hash.
        active = {id(by_source[source]): by_source[source] for source in wait(sources, self._patience())}
        for worker in active.values():
            yield from self._listen(worker)
            if not worker.process.is_alive():
                yield from self._listen(worker)  # what it said last
                yield from self._bury(worker, store)
        if self._timeout is not None:
            for worker in [worker for worker in self._workers if worker.seconds_computing() >= self._timeout]:
                yield from self._stop(worker, store)
        for worker in self._workers:
            if worker.ready:
                self._feed(worker)

    def _patience(self) -> float | None:
        """Seconds until the next task is late; ``None`` where none will be."""
        if self._timeout is None:
            return None
        seconds = [self._timeout - worker.seconds_computing() for worker in self._workers if worker.is_computing]
        return max(0.0, min(seconds)) if seconds else None

    def _listen(self, worker: WorkerHandle) -> Iterator[Report]:
        for message in worker.messages():
            if isinstance(message, NtknasError):
                raise message
            if message is Word.HERE:
                worker.assign(self._assignment)
            elif message is Word.READY:
                worker.ready, self._false_starts = True, 0
            elif message is Word.COMPUTING:
                worker.start_clock()
            else:
                if isinstance(message, KernelDone):
                    worker.strike_off(message.item)
                yield message

    def _feed(self, worker: WorkerHandle) -> None:
        while self._pending and len(worker.tasks) < TASKS_AHEAD:
            worker.give(self._pending.popleft())

    def _bury(self, worker: WorkerHandle, store: ScoreStore) -> Iterator[Report]:
        """Replace a worker that died; of its task in hand, what its journal lacks is tried again, or crashed."""
        self._remove(worker)
        if not worker.ready:
            self._count_false_start(worker)
        if worker.tasks and not (yield from self._finished(worker)):
            first = worker.tasks[0][0]  # of what is left: a task that got further has all its tries again
            self._attempts[first] += 1
            if self._attempts[first] == MAX_ATTEMPTS:
                yield from self._give_up(worker, Status.CRASHED, f"the worker ended: {worker.how_it_ended()}", store)
        self._hand_on(worker)

    def _count_false_start(self, worker: WorkerHandle) -> None:
        self._false_starts += 1
        if self._false_starts == MAX_FALSE_STARTS:
            raise NtknasError(
                f"{MAX_FALSE_STARTS} workers in turn ended ({worker.how_it_ended()}) before they began: see above. "
                "Fewer `workers` need less memory; with none, this process computes."
            )

    def _stop(self, worker: WorkerHandle, store: ScoreStore) -> Iterator[Report]:
        """End a worker whose task takes too long."""
        self._remove(worker)  # before its journal is read: it writes no more
        if not (yield from self._finished(worker)):
            yield from self._give_up(worker, Status.TIMEOUT, f"took longer than {self._timeout:g} s", store)
        self._hand_on(worker)

    def _finished(self, worker: WorkerHandle) -> Generator[Report, None, bool]:
        """Report what a dead worker journalled of its task in hand and did not say; return whether that was all."""
        task = worker.tasks[0]
        reports = [report for item in task if (report := worker.journalled(self._assignment.store, item))]
        for report in reports:
            worker.strike_off(report.item)
            yield report
        return len(reports) == len(task)

    def _give_up(self, worker: WorkerHandle, status: Status, reason: str, store: ScoreStore) -> Iterator[Report]:
        """Report what is left of the task in hand as failed."""
        for report in failed(worker.tasks.popleft(), status, reason):
            for record in report.records(self._assignment.run.identifier):
                store.append(record)
            yield report

    def _remove(self, worker: WorkerHandle) -> None:
        worker.end()
        self._workers.remove(worker)

    def _hand_on(self, worker: WorkerHandle) -> None:
        """Let another worker have the tasks of one that is gone."""
        self._pending.extendleft(reversed(worker.tasks))
        if self._pending:
            self._start(worker.device)

    def _dismiss(self) -> None:
        """Let workers end by themselves; those that are still starting are ended by ``run``."""
        ready = [worker for worker in self._workers if worker.ready]
        for worker in ready:
            worker.dismiss()
        for worker in ready:
            worker.process.join()
