"""Tasks on a Ray cluster: Ray hands out chunks of them; a chunk whose process or node died is taken apart.

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
from itertools import groupby
from types import FrameType
from typing import TYPE_CHECKING

import ray
import torch

from ntknas.core.children import safe_path
from ntknas.core.errors import NtknasError
from ntknas.core.score import Status
from ntknas.scoring.computation import Computation, failed
from ntknas.scoring.engines.protocol import MAX_ATTEMPTS
from ntknas.scoring.progress import KernelDone, Report

if TYPE_CHECKING:
    from ntknas.scoring.engines.ray import Ray
    from ntknas.scoring.job import Job
    from ntknas.scoring.plan import Task

CHUNKS_PER_SLOT = 8
"""Chunks that each slot of the cluster gets in the course of a run, so that the last ones end at about one time."""
MAX_CHUNK = 32


def computed(engine: Ray, tasks: Sequence[Task], job: Job) -> Iterator[Report]:
    """Compute tasks on a cluster.

    Args:
        engine: What is asked of the cluster.
        tasks: What to compute.
        job: What they belong to.

    Yields:
        One report for each item, and for epochs of training.

    Raises:
        NtknasError: If there is no cluster at the address, or the choices are impossible.
    """
    with connected(engine.address):
        yield from _Cluster(engine, job).run(tasks)


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """Use the cluster that this process is connected to, or connect to one for the time being."""
    if ray.is_initialized():
        yield
        return
    try:
        _check_somebody_listens(address)
        cluster_address = address or os.environ.get("RAY_ADDRESS") or "local"  # not what a dead cluster left in /tmp
        with safe_path(), _signals_kept():
            dashboard = False if cluster_address == "local" else None
            ray.init(address=cluster_address, include_dashboard=dashboard, log_to_driver=False)
    except (OSError, OverflowError, ValueError, RuntimeError) as error:
        raise NtknasError(
            f"Cannot use a Ray cluster at {address or 'this machine'}: {str(error).splitlines()[0]}. Start one with "
            "ray start --head, or leave `ray_address` out."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Give signals back to the command, which stores what is done; Ray would end it at once with a code of its own."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
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

    def __init__(self, engine: Ray, job: Job):
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        has_gpu = resources.get("GPU", 0) > 0
        wants_gpu = engine.device_name.startswith("cuda") or (engine.device_name == "auto" and has_gpu)
        if wants_gpu and not has_gpu:
            raise NtknasError("The Ray cluster has no GPU: `device` must be cpu, or auto.")
        self._slots = engine.workers or max(1, int(resources["GPU" if wants_gpu else "CPU"]))
        without_checkpoints = job.training and replace(job.training, checkpoints=None)
        self._job = ray.put(replace(job, training=without_checkpoints))
        self._arguments = ("cuda" if wants_gpu else "cpu", engine.threads, engine.timeout)
        self._needs = {"num_cpus": 1, "num_gpus": 1 if wants_gpu else 0}
        self._running: dict[ray.ObjectRef[list[Report]], Sequence[Task]] = {}

    def run(self, tasks: Sequence[Task]) -> Iterator[Report]:
        waiting = deque(self._chunks(tasks))
        while waiting or self._running:
            while waiting and len(self._running) < 2 * self._slots:
                self._submit(waiting.popleft())
            finished, _ = ray.wait(list(self._running), num_returns=1)
            for handle in finished:
                chunk = self._running.pop(handle)
                reports = self._result(handle, chunk)
                if reports is None:
                    waiting.extendleft([task] for task in reversed(chunk))
                else:
                    yield from reports

    def _chunks(self, tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
        """Chunks of one seed each, since a chunk brings one probe to the device."""
        size = max(1, min(MAX_CHUNK, len(tasks) // (CHUNKS_PER_SLOT * self._slots)))
        for _, alike in groupby(tasks, key=lambda task: task[0].seed):
            of_seed = list(alike)
            yield from (of_seed[start : start + size] for start in range(0, len(of_seed), size))

    def _submit(self, chunk: Sequence[Task]) -> None:
        """Hand a chunk out; of several tasks the first try counts for none, since nobody knows which one ended it."""
        retries = MAX_ATTEMPTS - 1 if len(chunk) == 1 else 0
        remote = ray.remote(score_tasks).options(max_retries=retries, **self._needs)
        self._running[remote.remote(self._job, list(chunk), *self._arguments)] = chunk

    def _result(self, handle: ray.ObjectRef[list[Report]], chunk: Sequence[Task]) -> list[Report] | None:
        """Return what a chunk gave, or ``None`` where it has to be tried task by task.

        Raises:
            NtknasError: If the choices are impossible.
        """
        try:
            reports: list[Report] = ray.get(handle)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, NtknasError):
                raise error.cause from error
            status, reason = Status.CRASHED, str(error.cause).partition("\n")[0]
        except ray.exceptions.OutOfMemoryError as error:  # before RayError, which it is too
            status, reason = Status.OOM, str(error).partition("\n")[0]
        except ray.exceptions.RayError as error:
            status, reason = Status.CRASHED, str(error).partition("\n")[0]
        else:
            return reports
        return None if len(chunk) > 1 else list(failed(chunk[0], status, reason))


class _TimeoutError(BaseException):  # no Exception: Computation would take it for a measure's fault
    """A task takes too long."""


def score_tasks(job: Job, tasks: Sequence[Task], device: str, threads: int, timeout: float | None) -> list[Report]:
    """Compute tasks on a node; what is left of one that takes too long becomes ``timeout``.

    Args:
        job: What they belong to.
        tasks: The tasks.
        device: Where to compute.
        threads: Threads to compute with.
        timeout: Seconds that each may take; ``None`` for no limit.

    Returns:
        What the tasks report.

    Raises:
        NtknasError: If the choices are impossible for such networks.
    """
    torch.set_num_threads(threads)
    compute = Computation(job, torch.device(device))
    reports: list[Report] = []
    for task in tasks:
        try:
            with _limited(timeout):
                reports.extend(compute(task))
        except _TimeoutError:
            finished = {report.item for report in reports if isinstance(report, KernelDone)}
            unfinished = [item for item in task if item not in finished]
            reports += failed(unfinished, Status.TIMEOUT, f"took longer than {timeout:g} s")
    return reports


@contextmanager
def _limited(seconds: float | None) -> Iterator[None]:
    """Interrupt what takes too long, once Python has a say."""
    if seconds is None:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _TimeoutError

    handler = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
