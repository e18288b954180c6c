"""What carries a plan out: this process, worker processes here, or a Ray cluster; by name, behind one protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ntknas.core.errors import check_known
from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    from ntknas.scoring.engines.here import Here
    from ntknas.scoring.engines.processes import Processes
    from ntknas.scoring.engines.protocol import Engine, EngineOptions
    from ntknas.scoring.engines.ray import Ray

__all__ = ["ENGINES", "Engine", "EngineOptions", "Here", "Processes", "Ray", "make_engine"]


def _local(options: EngineOptions) -> Engine:
    """Worker processes where any are asked for, or a time-out, which takes a process that can be ended."""
    from ntknas.scoring.engines.here import Here

    if options.workers == 0 and options.timeout is None:
        return Here(options.device)
    from ntknas.scoring.engines.processes import Processes

    return Processes(1 if options.workers == 0 else options.workers, options.timeout, options.device)


def _ray(options: EngineOptions) -> Engine:
    from ntknas.scoring.engines.ray import Ray

    return Ray(options.workers or None, options.timeout, options.device, options.address)


ENGINES: Mapping[str, Callable[[EngineOptions], Engine]] = {"local": _local, "ray": _ray}
"""Makers of engines by name; a new one is a file with the class, and a line here."""


def make_engine(
    name: str = "local",
    *,
    workers: int | None = 0,
    timeout: float | None = None,
    address: str | None = None,
    device: str = "auto",
) -> Engine:
    """Return what carries plans out.

    Args:
        name: A key of ``ENGINES``: ``local`` or ``ray``.
        workers: Number of worker processes; 0 computes in this process (``local``); ``None`` takes one per GPU, or per
            core (``ray``: as many as the cluster allows).
        timeout: Seconds of computing after which a task counts as ``timeout``; takes a worker process.
        address: Address of the Ray cluster; ``None`` starts one here.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; a cluster has no numbers.

    Returns:
        The engine, which computes nothing before its ``run``.

    Raises:
        ChoiceError: If there is no such engine.

    Example:
        >>> make_engine(workers=4, device="cpu").text()
        'cpu, 4 worker(s)'
    """
    from ntknas.scoring.engines.protocol import EngineOptions

    return ENGINES[check_known("engine", name, ENGINES)](EngineOptions(workers, timeout, address, device))


__getattr__ = importer_of(
    {
        "Engine": "ntknas.scoring.engines.protocol",
        "EngineOptions": "ntknas.scoring.engines.protocol",
        "Here": "ntknas.scoring.engines.here",
        "Processes": "ntknas.scoring.engines.processes",
        "Ray": "ntknas.scoring.engines.ray",
    }
)
