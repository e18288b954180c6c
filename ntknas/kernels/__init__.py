"""Empirical neural tangent kernels of any module: one entry point, one file a strategy, and the slow oracle."""

from ntknas.kernels.empirical import ALGORITHM_VERSION, STRATEGIES, empirical_ntk

__all__ = ["ALGORITHM_VERSION", "STRATEGIES", "empirical_ntk"]
