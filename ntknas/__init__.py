"""Score neural architectures without training by their neural tangent kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ntknas.benchmarks import load_benchmark
    from ntknas.correlation import correlate
    from ntknas.kernels import empirical_ntk
    from ntknas.measures import measure
    from ntknas.spaces import load_space
    from ntknas.store import load_store
    from ntknas.tracking import KernelTracker

__all__ = ["KernelTracker", "correlate", "empirical_ntk", "load_benchmark", "load_space", "load_store", "measure"]

_HOME = {
    "KernelTracker": "ntknas.tracking",
    "correlate": "ntknas.correlation",
    "empirical_ntk": "ntknas.kernels",
    "load_benchmark": "ntknas.benchmarks",
    "load_space": "ntknas.spaces",
    "load_store": "ntknas.store",
    "measure": "ntknas.measures",
}


__getattr__ = importer_of(_HOME)  # on first use, so that ``import ntknas`` and the command's help stay quick


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
