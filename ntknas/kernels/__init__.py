"""Empirical neural tangent kernels of any module: one entry point, one file a strategy, and the slow oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of
from ntknas.kernels.version import ALGORITHM_VERSION

if TYPE_CHECKING:
    from ntknas.kernels.empirical import STRATEGIES, empirical_ntk
    from ntknas.kernels.operator import KernelOperator, kernel_operator

__all__ = ["ALGORITHM_VERSION", "STRATEGIES", "KernelOperator", "empirical_ntk", "kernel_operator"]
__getattr__ = importer_of(
    {
        "KernelOperator": "ntknas.kernels.operator",
        "STRATEGIES": "ntknas.kernels.empirical",
        "empirical_ntk": "ntknas.kernels.empirical",
        "kernel_operator": "ntknas.kernels.operator",
    }
)
