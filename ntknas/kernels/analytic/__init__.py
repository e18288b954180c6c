"""Kernels of infinitely wide networks in closed form, and the finite networks that approach them."""

from ntknas.kernels.analytic.finite import finite_network
from ntknas.kernels.analytic.graph import GraphNetwork
from ntknas.kernels.analytic.infinite import InfiniteKernel, convolutional, fully_connected, infinite_kernel
from ntknas.kernels.analytic.layers import Activation, Convolution, Dense, Flatten, GlobalAveragePool
from ntknas.kernels.analytic.recurrent import RecurrentNetwork
from ntknas.kernels.analytic.samples import Graphs, Sequences
from ntknas.kernels.analytic.transformer import TransformerNetwork

__all__ = [
    "Activation",
    "Convolution",
    "Dense",
    "Flatten",
    "GlobalAveragePool",
    "GraphNetwork",
    "Graphs",
    "InfiniteKernel",
    "RecurrentNetwork",
    "Sequences",
    "TransformerNetwork",
    "convolutional",
    "finite_network",
    "fully_connected",
    "infinite_kernel",
]
