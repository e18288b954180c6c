"""The engine of a Ray cluster; the package ray is imported when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntknas.core.errors import NtknasError
from ntknas.scoring.engines.protocol import check_workers
from ntknas.scoring.environment import describe, resolve_device
from ntknas.scoring.progress import KernelDone, Report
from ntknas.scoring.resources import threads_asked

if TYPE_CHECKING:
    import torch

    from ntknas.scoring.job import Job
    from ntknas.scoring.plan import Plan
    from ntknas.store import ScoreStore


@dataclass(frozen=True)
class Ray:
    """Computes on a Ray cluster, and writes the scores here.

    Attributes:
        workers: Tasks at a time; ``None`` for as many as the cluster has room for.
        timeout: Seconds of computing after which what is left of a task counts as ``timeout``.
        device_name: ``cpu``, ``cuda``, or ``auto``: GPUs where the cluster has any.
        address: Address of the cluster; ``None`` takes the one in ``RAY_ADDRESS``, or starts one here.
    """

    workers: int | None = None
    timeout: float | None = None
    device_name: str = "auto"
    address: str | None = None

    is_local = False
    devices = ()

    def __post_init__(self) -> None:
        """Check the number of workers.

        Raises:
            ChoiceError: If there is none.
        """
        check_workers(self.workers)

    @property
    def device(self) -> torch.device:
        """The device of this process: the CPU, whatever the cluster has."""
        return resolve_device("cpu")

    @property
    def threads(self) -> int:
        """Threads of each task."""
        return threads_asked() or 1

    def describe(self) -> dict[str, object]:
        """Return what a run is recorded with."""
        cluster = {"device": f"ray ({self.device_name})", "workers": self.workers, "threads": self.threads}
        return {**describe(self.device), "engine": "ray", **cluster}

    def text(self) -> str:
        """Return what computes, for a sentence."""
        return "a Ray cluster"

    def run(self, plan: Plan, job: Job, store: ScoreStore, run_id: str) -> Iterator[Report]:
        """Carry out a plan; see ``Engine.run``. Scores come back with the end of their chunk of tasks.

        Yields:
            One report for each item, and for epochs of training.

        Raises:
            NtknasError: If ray is not installed, there is no cluster at the address, or as ``Engine.run`` does.
        """
        try:
            from ntknas.scoring.engines.ray_cluster import computed
        except ImportError as error:
            raise NtknasError(
                "The engine 'ray' needs the package ray: pip install 'ntknas[ray]'. Without it: `workers` here, or "
                "`shard` on several machines."
            ) from error
        for report in computed(self, plan.tasks, job):
            if isinstance(report, KernelDone):
                for record in report.records(run_id):
                    store.append(record)
            yield report
