"""The engine of this process: one task after the other, each score journalled before it is reported as done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntknas.scoring.computation import Computation
from ntknas.scoring.environment import describe, resolve_device
from ntknas.scoring.progress import KernelDone, Report

if TYPE_CHECKING:
    import torch

    from ntknas.scoring.job import Job
    from ntknas.scoring.plan import Plan
    from ntknas.store import ScoreStore


@dataclass(frozen=True)
class Here:
    """Computes in this process.

    Attributes:
        device_name: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    """

    device_name: str = "auto"

    is_local = True
    threads = None
    devices = ()

    @property
    def device(self) -> torch.device:
        """The device of this process.

        Raises:
            NtknasError: If there is no such device here.
        """
        return resolve_device(self.device_name)

    def describe(self) -> dict[str, object]:
        """Return what a run is recorded with."""
        return {**describe(self.device), "engine": "local", "workers": 0}

    def text(self) -> str:
        """Return what computes, for a sentence."""
        return str(self.device)

    def run(self, plan: Plan, job: Job, store: ScoreStore, run_id: str) -> Iterator[Report]:
        """Carry out a plan; see ``Engine.run``."""
        compute = Computation(job, self.device)
        for task in plan.tasks:
            for report in compute(task):
                if isinstance(report, KernelDone):
                    for record in report.records(run_id):
                        store.append(record)
                yield report
