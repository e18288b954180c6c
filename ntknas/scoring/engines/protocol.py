"""The contract of engines: what they carry out, where, and one rule for what fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from ntknas.core.errors import ChoiceError
from ntknas.core.options import Option

if TYPE_CHECKING:
    import torch

    from ntknas.scoring.job import Job
    from ntknas.scoring.plan import Plan
    from ntknas.scoring.progress import Report
    from ntknas.store import ScoreStore

MAX_ATTEMPTS = 2
"""How often a task is tried whose process dies, whichever engine runs it; then it counts as ``crashed``."""


@dataclass(frozen=True)
class EngineOptions:
    """What an engine is made from; see ``make_engine``.

    Attributes:
        workers: Number of worker processes; ``None`` for one per GPU or core.
        timeout: Seconds of computing after which a task counts as ``timeout``.
        address: Address of a cluster.
        device: Name of the device.
    """

    workers: Annotated[
        int | None,
        Option(
            "Worker processes, or auto: one per GPU, else per core. 0 computes in this process.", low=0, word="auto"
        ),
    ] = 0
    timeout: Annotated[float | None, Option("Seconds for one network, then it is given up.", above=0)] = None
    address: Annotated[
        str | None,
        Option("Address of a running Ray cluster, or auto.  [default: start one here]", name="ray_address", acts=True),
    ] = None
    device: Annotated[str, Option("auto, cpu, cuda or cuda:N.")] = "auto"


def check_workers(workers: int | None) -> None:
    """Check a number of worker processes: a pool of none would wait for ever.

    Raises:
        ChoiceError: If it is not a whole number above zero, nor ``None``.
    """
    if workers is not None and not (isinstance(workers, int) and workers > 0):
        raise ChoiceError(f"`workers` must be a number of processes or None, got {workers!r}.")


class Engine(Protocol):
    """What carries out a plan.

    Every engine computes tasks by ``Computation``, so that what a measure, a network or a space does wrong costs the
    same scores whichever one runs; see ``ntknas.scoring.computation``. Engines with processes of their own add what a
    process can do wrong: a task whose process dies ``MAX_ATTEMPTS`` times is ``crashed``, one that computes longer than
    the time-out is ``timeout``; the clock starts when computing does. Errors of ntknas itself end the run.
    """

    @property
    def device(self) -> torch.device:
        """The device of this process, where trials and forecasts compute."""
        ...

    @property
    def devices(self) -> Sequence[str]:
        """The device of each worker process on this machine."""
        ...

    @property
    def threads(self) -> int | None:
        """Threads of each worker; ``None`` where this process computes with its own."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether this machine computes, so that a short trial in this process tells how it does."""
        ...

    def describe(self) -> dict[str, object]:
        """Return what a run is recorded with, as plain data."""
        ...

    def text(self) -> str:
        """Return what computes, for a sentence."""
        ...

    def run(self, plan: Plan, job: Job, store: ScoreStore, run_id: str) -> Iterator[Report]:
        """Carry out a plan.

        Args:
            plan: What to compute; its copies are the caller's.
            job: What it belongs to.
            store: The store, open for writing, which knows the run.
            run_id: Identifier of the run in the store.

        Yields:
            One report for each item, after its scores are safe, and for epochs of training.

        Raises:
            NtknasError: If the choices are impossible for such networks, or the store cannot be written.
        """
        ...
