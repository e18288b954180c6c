"""Empirical neural tangent kernels of any module: one entry point, one file a strategy, and the slow oracle."""

from ntknas.kernels.empirical import ALGORITHM_VERSION, STRATEGIES, empirical_ntk
from ntknas.kernels.operator import KernelOperator, kernel_operator

__all__ = ["ALGORITHM_VERSION", "STRATEGIES", "KernelOperator", "empirical_ntk", "kernel_operator"]
