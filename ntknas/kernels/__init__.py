"""Empirical neural tangent kernels of any module: one entry point, one file per strategy, and the slow oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of
from ntknas.kernels.method import STRATEGIES, Method
from ntknas.kernels.version import ALGORITHM_VERSION

if TYPE_CHECKING:
    from ntknas.kernels.batch import Batch
    from ntknas.kernels.empirical import compute_kernel, empirical_ntk
    from ntknas.kernels.kernel_file import load_kernel, save_kernel
    from ntknas.kernels.operator import KernelOperator, kernel_operator, open_operator
    from ntknas.kernels.perturbed import attacked_images, compute_perturbed_kernel, perturbed_ntk

__all__ = [
    "ALGORITHM_VERSION",
    "STRATEGIES",
    "Batch",
    "KernelOperator",
    "Method",
    "attacked_images",
    "compute_kernel",
    "compute_perturbed_kernel",
    "empirical_ntk",
    "kernel_operator",
    "load_kernel",
    "open_operator",
    "perturbed_ntk",
    "save_kernel",
]
__getattr__ = importer_of(
    {
        "Batch": "ntknas.kernels.batch",
        "KernelOperator": "ntknas.kernels.operator",
        "attacked_images": "ntknas.kernels.perturbed",
        "compute_kernel": "ntknas.kernels.empirical",
        "compute_perturbed_kernel": "ntknas.kernels.perturbed",
        "empirical_ntk": "ntknas.kernels.empirical",
        "kernel_operator": "ntknas.kernels.operator",
        "load_kernel": "ntknas.kernels.kernel_file",
        "open_operator": "ntknas.kernels.operator",
        "perturbed_ntk": "ntknas.kernels.perturbed",
        "save_kernel": "ntknas.kernels.kernel_file",
    }
)
