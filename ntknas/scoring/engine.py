"""How a plan is carried out: in this process, by worker processes here, or by a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from ntknas.core.errors import NtknasError
from ntknas.scoring import pool
from ntknas.scoring.environment import describe, resolve_device
from ntknas.scoring.job import Job
from ntknas.scoring.plan import Plan
from ntknas.scoring.progress import Report
from ntknas.scoring.runner import run
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
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; a cluster has no numbers.
    """

    name: str = "local"
    workers: int | None = 0
    timeout: float | None = None
    address: str | None = None
    device: str = "auto"

    @property
    def here(self) -> torch.device:
        """The device of this process.

        Raises:
            NtknasError: If there is no such device here; a cluster's are not looked for.
        """
        return resolve_device("cpu" if self.name == "ray" else self.device)

    @property
    def devices(self) -> list[str]:
        """The device of each local worker; none where this process computes, or a cluster."""
        if self.name == "ray" or (self.workers == 0 and self.timeout is None):
            return []
        return pool.devices_of(self.workers or (1 if self.workers == 0 else None), self.here)

    @property
    def threads(self) -> int | None:
        """Threads of each worker; ``None`` where this process computes."""
        if self.name == "ray":
            return pool.threads_asked() or 1
        return pool.threads_of(len(self.devices)) if self.devices else None

    def describe(self) -> dict[str, Any]:
        """Return what a run is recorded with."""
        about = {**describe(self.here), "engine": self.name, "workers": len(self.devices)}
        if self.name == "ray":
            about |= {"device": f"ray ({self.device})", "workers": self.workers}
        return {**about, "threads": self.threads} if self.threads else about

    def text(self) -> str:
        """Return what computes, for a sentence."""
        if self.name == "ray":
            return "a Ray cluster"
        return f"{self.here}, {len(self.devices)} worker(s)" if self.devices else str(self.here)

    def run(self, plan: Plan, job: Job, store: ScoreStore, run_id: str) -> Iterator[Report]:
        """Carry out a plan; see ``ntknas.scoring.runner.run``.

        Raises:
            NtknasError: If the engine is not installed, or as ``run`` does.
        """
        devices = self.devices
        if self.name == "local" and not devices:
            return run(plan, job, store, self.here, run_id)
        recorded = (run_id, store.runs[run_id])
        assignment = Assignment(job, store.path, store.settings, recorded, self.device, self.threads or 1)
        if self.name == "ray":
            return _ray().run(plan, assignment, store, self.workers, self.timeout, self.address)
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
