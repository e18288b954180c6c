"""Proxies of NAS-Bench-Suite-Zero that the other files have not, as NASLib computes them.

BatchNorm in training mode; L the mean cross-entropy of the probe; layers are convolutions and linear ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.activations import standardised_rows
from ntknas.measures.definition import Need
from ntknas.measures.gradients import layers, weight_gradients
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

_SOURCE = "Krishnakumar et al. (NeurIPS 2022), NAS-Bench-Suite-Zero, as in NASLib"
EPE_OFFSET = 1e-5
"""k of the measure ``epe_nas``."""
MANY_CLASSES = 100
"""With more outputs ``epe_nas`` compares classes with one another."""


@register("l2_norm", formula="Σ_l ‖W_l‖_2 over layers l", better="higher", source=_SOURCE, needs=(Need.NETWORK,))
def l2_norm(case: NetworkCase) -> float:
    """Return the sum of the norms of the layers' weights at initialisation. Higher is better.

    It sees no input and no connection: convolutions that lead nowhere count.
    """
    return float(sum(layer.weight.detach().double().norm() for layer in layers(case.network)))


@register(
    "plain",
    formula="Σ W ⊙ ∂L/∂W over the weights of layers",
    better="higher",
    source=_SOURCE,
    needs=(Need.NETWORK, Need.LABELS),
)
def plain(case: NetworkCase) -> float:
    """Return the derivative of the loss by the scale of all weights. Higher is better.

    The loss does not change with the scale of a convolution that BatchNorm follows: but for BatchNorm's ε only the
    classifier and the shortcuts of reductions have a part in the sum.
    """
    return float(sum((weight * gradient).double().sum() for weight, gradient in weight_gradients(case)))


@register(
    "epe_nas",
    formula="Σ_c |Σ_ij log(|ρ_ij| + k)|, ρ the correlations of the rows ∂(Σ f(x_i))/∂x of class c, k = 1e-5",
    better="higher",
    source="Lopes et al. (ICANN 2021), EPE-NAS, as in NASLib",
    needs=(Need.NETWORK, Need.LABELS),
)
def epe_nas(case: NetworkCase) -> float:
    """Return how uncorrelated the Jacobians by the inputs are within classes. Higher is better.

    A class of one image has ρ = 1. With more than 100 outputs the sum of a class is divided by its number of images,
    classes of one image are left out, and the score is Σ_c Σ_d |s_c − s_d| over the number of classes.

    Raises:
        NoValueError: ``undefined`` if a row has no spread, or no class has a sum.
    """
    images = case.images.detach().clone().requires_grad_()
    outputs = case.copy()(images)
    (jacobian,) = torch.autograd.grad(outputs.sum(), images)
    rows, labels = jacobian.flatten(1).double(), case.labels.to(jacobian.device)
    are_many = outputs.shape[-1] > MANY_CLASSES
    of_classes = [rows[labels == label] for label in labels.unique()]
    sums = [_sum_of_logarithms(of_class, are_many) for of_class in of_classes if not are_many or len(of_class) > 1]
    if not sums:
        raise NoValueError(Status.UNDEFINED, "no class has two images, which many classes need")
    scores = torch.stack(sums)
    if are_many:
        return float((scores[:, None] - scores[None]).abs().sum() / len(scores))
    return float(scores.abs().sum())


def _sum_of_logarithms(rows: Tensor, per_image: bool) -> Tensor:
    rows = standardised_rows(rows)
    total = ((rows @ rows.T).clamp(-1, 1).abs() + EPE_OFFSET).log().sum()
    return total / len(rows) if per_image else total
