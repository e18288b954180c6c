"""How a plan is carried out: in this process, by worker processes here, or by a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from ntknas.core.errors import NtknasError
from ntknas.scoring import pool
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan
from ntknas.scoring.runner import Progress, run
from ntknas.scoring.worker import Assignment
from ntknas.store import ScoreStore

ENGINES = ("local", "ray")


@dataclass(frozen=True)
class Engine:
    """What carries out a plan.

    Attributes:
        name: ``local`` or ``ray``.
        workers: Number of worker processes; 0 computes in this process (``local``); ``None`` takes one per GPU, or per
            core (``ray``: as the cluster allows).
        timeout: Seconds after which an item counts as ``timeout``; needs workers.
        address: Address of the Ray cluster; ``None`` starts one here.
    """

    name: str = "local"
    workers: int | None = 0
    timeout: float | None = None
    address: str | None = None

    def describe(self, device: torch.device) -> dict[str, Any]:
        """Return what a run is recorded with beside its environment."""
        if self.name == "ray":
            return {"engine": "ray"}
        devices = self.devices(device)
        return {"workers": len(devices), "threads": pool.threads_of(len(devices))} if devices else {}

    def devices(self, device: torch.device) -> list[str]:
        """Return the device of each local worker; none where this process computes."""
        if self.workers == 0 and self.timeout is None:
            return []
        return pool.devices_of(self.workers or (1 if self.workers == 0 else None), device)

    def run(self, plan: Plan, job: Job, store: ScoreStore, device: torch.device, run_id: str) -> Iterator[Progress]:
        """Carry out a plan; see ``ntknas.scoring.runner.run``.

        Raises:
            NtknasError: If the engine is not installed, or as ``run`` does.
        """
        devices = self.devices(device)
        if self.name == "local" and not devices:
            return run(plan, job, store, device, run_id)
        recorded = (run_id, store.runs[run_id])
        threads = pool.threads_of(len(devices)) if devices else 1
        assignment = Assignment(job, store.path, store.settings, recorded, str(device), threads)
        if self.name == "ray":
            return _ray().run(plan, assignment, store, self)
        return pool.Pool(assignment, devices, self.timeout).run(plan, store)


def _ray() -> Any:
    try:
        from ntknas.scoring import ray_engine
    except ImportError as error:
        raise NtknasError(
            "The engine 'ray' needs the package ray: pip install 'ntknas[ray]'. Without it: --workers N here, or "
            "--shard i/n on several machines."
        ) from error
    return ray_engine
