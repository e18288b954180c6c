"""Runs a plan on a Ray cluster: Ray hands out chunks of tasks and repeats those whose node died.

Scores come back with the end of their chunk; a training that dies in between begins anew, without checkpoints.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import ray
import torch

from ntknas.core.children import safe_path
from ntknas.core.errors import NtknasError
from ntknas.core.score import Status
from ntknas.scoring.computation import Computation, failed
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan, Task
from ntknas.scoring.progress import Progress, Report
from ntknas.scoring.worker import Assignment
from ntknas.store import ScoreStore

CHUNKS_A_SLOT = 8
"""Chunks that each slot of the cluster gets in the course of a run, so that the last ones end at about one time."""
LARGEST_CHUNK = 32
RETRIES = 3
"""How often Ray repeats a chunk whose process or node died."""


def run(
    plan: Plan,
    assignment: Assignment,
    store: ScoreStore,
    workers: int | None,
    timeout: float | None,
    address: str | None,
) -> Iterator[Report]:
    """Carry out a plan.

    Args:
        plan: What to compute.
        assignment: What it belongs to; its device may be ``auto``: GPUs where the cluster has any.
        store: The store, open for writing.
        workers: Tasks at a time; ``None`` or 0 for as many as the cluster has room for.
        timeout: Seconds after which what is left of a task counts as ``timeout``.
        address: Address of the cluster; ``None`` takes the one in ``RAY_ADDRESS``, or starts one here.

    Yields:
        One entry for each item, after its scores are in the store.

    Raises:
        NtknasError: If there is no cluster at the address, or the recipe is impossible.
    """
    for record in plan.copies:
        store.append(record)
    with _connected(address):
        for done in _Cluster(assignment, workers, timeout).run(plan.tasks):
            if isinstance(done, Progress):
                for record in done.records(assignment.run[0]):
                    store.append(record)
            yield done


@contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Use the cluster that this process is connected to, or connect to one for the time being."""
    if ray.is_initialized():
        yield
        return
    try:
        _check_somebody_listens(address)
        where = address or os.environ.get("RAY_ADDRESS") or "local"  # not what a dead cluster left in /tmp
        with safe_path(), _signals_kept():
            ray.init(address=where, include_dashboard=False if where == "local" else None, log_to_driver=False)
    except (OSError, OverflowError, ValueError, RuntimeError) as error:
        raise NtknasError(
            f"Cannot use a Ray cluster at {address or 'this machine'}: {str(error).splitlines()[0]}. Start one with "
            "ray start --head, or leave --ray-address out."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Give signals back to the command, which stores what is done; Ray would end it at once with a code of its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    if threading.current_thread() is threading.main_thread():
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_somebody_listens(address: str | None) -> None:
    """Try the address before Ray does, which keeps trying for minutes.

    Raises:
        OSError: If nobody listens there.
    """
    match = re.fullmatch(r"(?:ray://)?\[?([^\]]+?)\]?:(\d+)", address or "", re.ASCII)
    if match:
        socket.create_connection((match[1], int(match[2])), timeout=10).close()


class _Cluster:
    """Keeps the cluster busy with chunks of tasks."""

    def __init__(self, assignment: Assignment, workers: int | None, timeout: float | None):
        resources = ray.cluster_resources()
        has_gpu = resources.get("GPU", 0) > 0
        wants_gpu = assignment.device.startswith("cuda") or (assignment.device == "auto" and has_gpu)
        if wants_gpu and not has_gpu:
            raise NtknasError("The Ray cluster has no GPU: use --device cpu, or auto.")
        self._device = "cuda" if wants_gpu else "cpu"
        self._slots = workers or max(1, int(resources["GPU" if wants_gpu else "CPU"]))
        training = assignment.job.training
        without_checkpoints = training and replace(training, checkpoints=None)
        self._job = ray.put(replace(assignment.job, training=without_checkpoints))
        self._arguments = (self._device, assignment.threads, timeout)
        needs = {"num_cpus": 1, "num_gpus": 1 if wants_gpu else 0}
        self._task = ray.remote(score_tasks).options(max_retries=RETRIES, **needs)
        self._running: dict[Any, Sequence[Task]] = {}

    def run(self, tasks: Sequence[Task]) -> Iterator[Report]:
        waiting = deque(self._chunks(tasks))
        while waiting or self._running:
            while waiting and len(self._running) < 2 * self._slots:
                self._submit(waiting.popleft())
            finished, _ = ray.wait(list(self._running), num_returns=1)
            for task in finished:
                chunk = self._running.pop(task)
                done = self._result(task, chunk)
                if done is None:
                    waiting.extendleft([task] for task in reversed(chunk))
                else:
                    yield from done

    def _chunks(self, tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
        """Chunks of one seed each, since a chunk brings one probe to the device."""
        size = max(1, min(LARGEST_CHUNK, len(tasks) // (CHUNKS_A_SLOT * self._slots)))
        start = 0
        while start < len(tasks):
            end = start
            while end < min(start + size, len(tasks)) and tasks[end][0].seed == tasks[start][0].seed:
                end += 1
            yield tasks[start:end]
            start = end

    def _submit(self, chunk: Sequence[Task]) -> None:
        self._running[self._task.remote(self._job, list(chunk), *self._arguments)] = chunk

    def _result(self, handle: Any, chunk: Sequence[Task]) -> list[Report] | None:
        """Return what a chunk gave, or ``None`` where it has to be tried task by task.

        Raises:
            NtknasError: If the recipe is impossible.
        """
        try:
            found: list[Report] = ray.get(handle)
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, NtknasError):
                raise cause from error
            reason, status = str(cause).partition("\n")[0], Status.CRASHED
        except ray.exceptions.OutOfMemoryError as error:
            reason, status = str(error).partition("\n")[0], Status.OOM
        except ray.exceptions.RayError as error:
            reason, status = str(error).partition("\n")[0], Status.CRASHED
        else:
            return found
        return None if len(chunk) > 1 else list(failed(chunk[0], status, reason))


class _TimeoutError(BaseException):
    """A task takes too long."""


def score_tasks(job: Job, tasks: Sequence[Task], device: str, threads: int, timeout: float | None) -> list[Report]:
    """Compute tasks on a node; what is left of one that takes too long becomes ``timeout``.

    Raises:
        NtknasError: If the choices are impossible for such networks.
    """
    torch.set_num_threads(threads)
    compute = Computation(job, torch.device(device))
    found: list[Report] = []
    for task in tasks:
        try:
            with _limited(timeout):
                found.extend(compute(task))
        except _TimeoutError:
            finished = {done.item for done in found if isinstance(done, Progress)}
            left = [item for item in task if item not in finished]
            found += failed(left, Status.TIMEOUT, f"took longer than {timeout:g} s")
    return found


@contextmanager
def _limited(seconds: float | None) -> Iterator[None]:
    """Interrupt what takes too long, once Python has a say."""
    if seconds is None:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
