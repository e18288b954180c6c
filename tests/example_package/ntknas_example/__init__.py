"""A third party's package: one measure of a kernel, one of a network, and one that is derived of both."""

import numpy as np
from numpy.typing import NDArray

from ntknas.core.cases import NetworkCase
from ntknas.core.kernel import Kernel
from ntknas.measures import Need, register, register_derived


@register(
    "diagonal_spread",
    formula="max_i K_ii / min_i K_ii",
    better="lower",
    source="this example",
    needs=(Need.KERNEL,),
)
def diagonal_spread(kernel: Kernel) -> float:
    """How uneven the rows of the Jacobian are. Lower is better."""
    diagonal = kernel.matrix.diagonal()
    return float(diagonal.max() / diagonal.min())


@register(
    "depth",
    formula="number of modules without children",
    better="higher",
    source="this example",
    needs=(Need.NETWORK,),
)
def depth(case: NetworkCase) -> float:
    """How many layers there are. Higher is better."""
    return float(sum(not list(module.children()) for module in case.network.modules()))


@register_derived(
    "spread_per_layer",
    inputs=("diagonal_spread", "depth"),
    formula="diagonal_spread / depth",
    better="lower",
    source="this example",
)
def spread_per_layer(diagonal_spread: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the spread per layer of every cell. Lower is better."""
    return diagonal_spread / depth
