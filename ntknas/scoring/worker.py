"""One worker process: takes tasks from its pipe, computes their items, journals their scores, says so."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ntknas.core.allocator import keep_freed_memory
from ntknas.core.errors import NtknasError
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Task
from ntknas.scoring.progress import Progress

HERE = "here"
"""A worker's first word: it waits for its assignment."""
READY = "ready"
"""A worker's second word: it waits for tasks."""


@dataclass(frozen=True)
class Assignment:
    """What a worker is started with.

    Attributes:
        job: What is scored.
        store: The store that its part belongs to.
        settings: Settings of the scores, by digest.
        run: Identifier and description of the run.
        device: Where to compute.
        threads: Threads to compute with.
    """

    job: Job
    store: Path
    settings: Mapping[str, Mapping[str, Any]]
    run: tuple[str, Mapping[str, Any]]
    device: str
    threads: int


def work(part_name: str, pipe: Connection, lifeline: Connection) -> None:
    """Serve tasks until the pipe says ``None``.

    Sends ``HERE``, takes the ``Assignment`` (as bytes: torch would hand its tensors over in shared memory, which may be
    small), and sends ``READY``; then for every item its ``Progress``, after its scores are in the journal; or the
    exception that ends the run.

    Args:
        part_name: Name of this worker's part of the store.
        pipe: To the coordinator.
        lifeline: Ends when the coordinator does, however it ends; so does this process.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal stops the whole group: the coordinator decides
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    pipe.send(HERE)
    try:
        _serve(part_name, pickle.loads(pipe.recv_bytes()), pipe)  # noqa: S301  (from our own coordinator)
    except NtknasError as error:
        pipe.send(error)


def _end_with(lifeline: Connection) -> None:
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)


def _serve(part_name: str, assignment: Assignment, pipe: Connection) -> None:
    import torch

    from ntknas.scoring.computation import Computation
    from ntknas.store.part import StorePart

    torch.set_num_threads(assignment.threads)
    keep_freed_memory()
    compute = Computation(assignment.job, torch.device(assignment.device))
    part = StorePart(assignment.store, part_name, assignment.settings.values(), assignment.run)
    pipe.send(READY)
    while True:
        task: Task | None = pipe.recv()
        if task is None:
            part.close()
            return
        for done in compute(task):
            if isinstance(done, Progress):
                for record in done.records(assignment.run[0]):
                    part.append(record)
            pipe.send(done)
