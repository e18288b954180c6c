"""The engine of worker processes on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntknas.core.errors import ChoiceError
from ntknas.scoring.engines.pool import Pool
from ntknas.scoring.engines.protocol import check_workers
from ntknas.scoring.engines.worker import Assignment
from ntknas.scoring.environment import describe, resolve_device
from ntknas.scoring.resources import devices_of, threads_of

if TYPE_CHECKING:
    import torch

    from ntknas.scoring.job import Job
    from ntknas.scoring.plan import Plan
    from ntknas.scoring.progress import Report
    from ntknas.store import ScoreStore


@dataclass(frozen=True)
class Processes:
    """Computes in processes of its own: one that dies or takes too long costs its task alone.

    Attributes:
        workers: Their number; ``None`` for one per GPU, or one per core.
        timeout: Seconds of computing after which what is left of a task counts as ``timeout``.
        device_name: ``auto``, ``cpu``, ``cuda`` (every GPU) or ``cuda:N``.
    """

    workers: int | None = None
    timeout: float | None = None
    device_name: str = "auto"

    is_local = True

    def __post_init__(self) -> None:
        """Check the number of workers and the time-out.

        Raises:
            ChoiceError: If there is no worker, or no time.
        """
        check_workers(self.workers)
        if self.timeout is not None and not self.timeout > 0:
            raise ChoiceError(f"`timeout` must be above 0 seconds, got {self.timeout}.")

    @property
    def device(self) -> torch.device:
        """The device of this process.

        Raises:
            NtknasError: If there is no such device here.
        """
        return resolve_device(self.device_name)

    @property
    def devices(self) -> list[str]:
        """The device of each worker."""
        return devices_of(self.workers, self.device)

    @property
    def threads(self) -> int:
        """Threads of each worker."""
        return threads_of(len(self.devices))

    def describe(self) -> dict[str, object]:
        """Return what a run is recorded with."""
        return {**describe(self.device), "engine": "local", "workers": len(self.devices), "threads": self.threads}

    def text(self) -> str:
        """Return what computes, for a sentence."""
        return f"{self.device}, {len(self.devices)} worker(s)"

    def run(self, plan: Plan, job: Job, store: ScoreStore, run_id: str) -> Iterator[Report]:
        """Carry out a plan; see ``Engine.run``. The workers' scores are in journals of their own when this ends."""
        assignment = Assignment(job, store.path, store.settings, store.runs[run_id], self.device_name, self.threads)
        return Pool(assignment, self.devices, self.timeout).run(plan.tasks, store)
