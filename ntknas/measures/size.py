"""How large a kernel is."""

from __future__ import annotations

from operator import attrgetter

from ntknas.core.kernel import Kernel
from ntknas.core.lazy import torch
from ntknas.measures.definition import Aggregate, Need
from ntknas.measures.registry import register

_KERNEL = (Need.KERNEL,)


@register("trace", formula="Σ λ", better="higher", source="standard", needs=_KERNEL, aggregate=Aggregate.GEOMETRIC)
def trace(kernel: Kernel) -> float:
    """Return the sum of the eigenvalues: the squared norm of J. Higher is better."""
    return float(kernel.matrix.trace())


@register(
    "mean",
    formula="mean of all entries of K",
    better="higher",
    source="Mok et al. (CVPR 2022), for KNAS",
    needs=_KERNEL,
    aggregate=Aggregate.GEOMETRIC,
    from_forms=attrgetter("mean"),
)
def mean(kernel: Kernel) -> float:
    """Return the mean of all entries. Higher is better."""
    return float(kernel.matrix.mean())


@register(
    "fro",
    formula="‖K‖_F",
    better="higher",
    source="Mok et al. (CVPR 2022)",
    needs=_KERNEL,
    aggregate=Aggregate.GEOMETRIC,
)
def frobenius_norm(kernel: Kernel) -> float:
    """Return the Frobenius norm. Higher is better."""
    return float(torch.linalg.norm(kernel.matrix))
