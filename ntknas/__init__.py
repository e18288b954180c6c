"""Score neural architectures without training by their neural tangent kernel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

__version__ = "0.2.0"

if TYPE_CHECKING:
    from ntknas import figures
    from ntknas.benchmarks import load_benchmark
    from ntknas.core.errors import NtknasError
    from ntknas.core.kernel import Kernel
    from ntknas.core.score import Score
    from ntknas.correlation import correlate
    from ntknas.data import make_probe
    from ntknas.explanation import explain
    from ntknas.kernels import attacked_images, empirical_ntk, perturbed_ntk
    from ntknas.measures import measure, register
    from ntknas.published import load_scores
    from ntknas.scoring.following import follow
    from ntknas.scoring.session import forecast, score
    from ntknas.spaces import load_space
    from ntknas.store import load_store
    from ntknas.tracking import KernelTracker

__all__ = [
    "Kernel",
    "KernelTracker",
    "NtknasError",
    "Score",
    "attacked_images",
    "correlate",
    "empirical_ntk",
    "explain",
    "figures",
    "follow",
    "forecast",
    "load_benchmark",
    "load_scores",
    "load_space",
    "load_store",
    "make_probe",
    "measure",
    "perturbed_ntk",
    "register",
    "score",
]

_HOME = {
    "Kernel": "ntknas.core.kernel",
    "KernelTracker": "ntknas.tracking",
    "NtknasError": "ntknas.core.errors",
    "Score": "ntknas.core.score",
    "attacked_images": "ntknas.kernels",
    "correlate": "ntknas.correlation",
    "empirical_ntk": "ntknas.kernels",
    "explain": "ntknas.explanation",
    "follow": "ntknas.scoring.following",
    "forecast": "ntknas.scoring.session",
    "load_benchmark": "ntknas.benchmarks",
    "load_scores": "ntknas.published",
    "load_space": "ntknas.spaces",
    "load_store": "ntknas.store",
    "make_probe": "ntknas.data",
    "measure": "ntknas.measures",
    "perturbed_ntk": "ntknas.kernels",
    "register": "ntknas.measures",
    "score": "ntknas.scoring.session",
}


_import_name = importer_of(_HOME)  # on first use, so that ``import ntknas`` and the command's help stay quick


def __getattr__(name: str) -> object:
    return import_module("ntknas.figures") if name == "figures" else _import_name(name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
