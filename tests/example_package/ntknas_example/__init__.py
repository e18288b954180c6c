"""A third party's package: one measure of a kernel, one of a network."""

from ntknas.core.cases import NetworkCase
from ntknas.core.kernel import Kernel
from ntknas.measures import Need, register


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
