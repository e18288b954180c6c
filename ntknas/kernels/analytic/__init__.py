"""Kernels of infinitely wide networks in closed form, and the finite networks that approach them."""

from ntknas.kernels.analytic.finite import finite_network
from ntknas.kernels.analytic.infinite import InfiniteKernel, convolutional, fully_connected, infinite_kernel
from ntknas.kernels.analytic.layers import Activation, Convolution, Dense, Flatten, GlobalAveragePool

__all__ = [
    "Activation",
    "Convolution",
    "Dense",
    "Flatten",
    "GlobalAveragePool",
    "InfiniteKernel",
    "convolutional",
    "finite_network",
    "fully_connected",
    "infinite_kernel",
]
