"""One worker process: takes tasks from its pipe, computes their items, journals their scores, says so."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection
from pathlib import Path

from ntknas.core.allocator import keep_freed_memory
from ntknas.core.errors import NtknasError
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Task
from ntknas.scoring.progress import KernelDone
from ntknas.store import Setting
from ntknas.store.run import Run


class Word(Enum):
    """What a worker says beside its reports and errors."""

    HERE = "it waits for its assignment"
    READY = "it waits for tasks"
    COMPUTING = "it has begun the task in hand"


@dataclass(frozen=True)
class Assignment:
    """What a worker is started with.

    Attributes:
        job: What is scored.
        store: The store that its journal belongs to.
        settings: Settings of the scores, by digest.
        run: The run.
        device: Where to compute.
        threads: Threads to compute with.
    """

    job: Job
    store: Path
    settings: Mapping[str, Setting]
    run: Run
    device: str
    threads: int


def work(journal_name: str, pipe: Connection, lifeline: Connection) -> None:
    """Serve tasks until the pipe says ``None``.

    Sends ``Word.HERE``, takes the ``Assignment`` (as bytes: torch would hand its tensors over in shared memory, which
    may be small), and sends ``Word.READY``; then for every task ``Word.COMPUTING``, and for each of its items a report,
    after its scores are in the journal; or the exception that ends the run.

    Args:
        journal_name: Name of this worker's journal among those of the store.
        pipe: To the coordinator.
        lifeline: Ends when the coordinator does, however it ends; so does this process.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal stops the whole group: the coordinator decides
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    pipe.send(Word.HERE)
    try:
        _serve(journal_name, pickle.loads(pipe.recv_bytes()), pipe)  # noqa: S301  (from our own coordinator)
    except NtknasError as error:
        pipe.send(error)


def _end_with(lifeline: Connection) -> None:
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)  # sys.exit would end this thread alone


def _serve(journal_name: str, assignment: Assignment, pipe: Connection) -> None:
    import torch

    from ntknas.scoring.computation import Computation
    from ntknas.store.worker_journal import WorkerJournal

    torch.set_num_threads(assignment.threads)
    keep_freed_memory()
    gc.freeze()  # what is loaded stays: each full collection would go through all of torch, 7 ms a network
    compute = Computation(assignment.job, torch.device(assignment.device))
    journal = WorkerJournal(assignment.store, journal_name, assignment.settings.values(), assignment.run)
    pipe.send(Word.READY)
    while True:
        task: Task | None = pipe.recv()
        if task is None:
            journal.close()
            return
        pipe.send(Word.COMPUTING)
        for report in compute(task):
            if isinstance(report, KernelDone):
                for record in report.records(assignment.run.identifier):
                    journal.append(record)
            pipe.send(report)
