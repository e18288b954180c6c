"""NASI: the squared norm of the loss's gradient, for the trace norm of the tangent kernel.

Shu et al. (ICLR 2022); there is no public code. The mean of all entries of the Gram matrix of the per-sample gradients
of the loss, it bounds that trace from below.
"""

from __future__ import annotations

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import torch
from ntknas.measures.definition import Aggregate, Need
from ntknas.measures.gradients import mean_loss
from ntknas.measures.registry import register


@register(
    "nasi",
    formula="‖∇_θ L‖², L the mean cross-entropy of the probe, all parameters",
    better="higher",
    source="Shu et al. (ICLR 2022), NASI, eq. 12 without its constant; cross-entropy as in its experiments",
    needs=(Need.NETWORK, Need.LABELS),
    aggregate=Aggregate.GEOMETRIC,
)
def nasi(case: NetworkCase) -> float:
    """Return the squared norm of the gradient of one mini-batch, BatchNorm in training mode. Higher is better.

    All parameters, biases and BatchNorm among them, and one norm of all, where ``grad_norm`` sums the norms of layers'
    weights.
    """
    network = case.copy()
    parameters = list(network.parameters())
    gradients = torch.autograd.grad(mean_loss(network, case), parameters, allow_unused=True)
    return float(sum(gradient.double().square().sum() for gradient in gradients if gradient is not None))
