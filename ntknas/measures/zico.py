"""ZiCo: how large gradients are against how much they change from one mini-batch to the next.

Li et al. (ICLR 2023) and their code. The probe is cut into two mini-batches, its first and its second half (the first
has one more of an odd number); both have the same weights, nothing is trained in between. BatchNorm is in training
mode.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import F, torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.gradients import layers
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

MINI_BATCHES = 2
_FORMULA = "Σ_l log Σ_{w in l, s_w > 0} m_w / s_w, m_w = mean_b |g_b|, s_w the population deviation of "


@register(
    "zico",
    formula=f"{_FORMULA}g_b = ∂L_b/∂w over two mini-batches b",
    better="higher",
    source="Li et al. (ICLR 2023), ZiCo: what its code computes, and its published figures",
    needs=(Need.NETWORK, Need.LABELS),
)
def zico(case: NetworkCase) -> float:
    """Return the score by the deviation of the signed gradients, as in the code. Higher is better.

    l runs over convolutions and linear layers, w over their weights. A weight with s_w = 0 is left out, and so is a
    layer that has none left. Near-equal gradients outweigh the rest of a layer, so that the score is heavy-tailed.

    Raises:
        NoValueError: ``undefined`` if the probe has fewer than two images for each mini-batch, or no weight is left;
            ``non-finite`` if a gradient is not finite.
    """
    gradients = _gradients(case)
    return _score(gradients, gradients)


@register(
    "zico_abs",
    formula=f"{_FORMULA}|g_b|, g_b = ∂L_b/∂w over two mini-batches b",
    better="higher",
    source="Li et al. (ICLR 2023), ZiCo, as its paper defines it",
    needs=(Need.NETWORK, Need.LABELS),
)
def zico_abs(case: NetworkCase) -> float:
    """Return the score by the deviation of the gradients' magnitudes, as in the paper. Higher is better.

    See ``zico`` for all else.

    Raises:
        NoValueError: As ``zico`` does.
    """
    gradients = _gradients(case)
    return _score(gradients, [layer.abs() for layer in gradients])


def _gradients(case: NetworkCase) -> list[Tensor]:
    """Return ∂L_b/∂W of every layer that the output depends on, mini-batches first, in float64."""
    if len(case.images) < 2 * MINI_BATCHES:
        raise NoValueError(
            Status.UNDEFINED, f"{len(case.images)} images cannot be cut into {MINI_BATCHES} mini-batches of two or more"
        )
    network, labels = case.copy(), case.labels.to(case.images.device)
    weights = [layer.weight for layer in layers(network)]
    batches = zip(case.images.tensor_split(MINI_BATCHES), labels.tensor_split(MINI_BATCHES), strict=True)
    by_batch = [
        torch.autograd.grad(F.cross_entropy(network(images), targets), weights, allow_unused=True)
        for images, targets in batches
    ]
    of_layers = [gradients for gradients in zip(*by_batch, strict=True) if gradients[0] is not None]
    return [torch.stack(gradients).double() for gradients in of_layers]


def _score(gradients: list[Tensor], deviating: list[Tensor]) -> float:
    """Return Σ_l log Σ_w of the mean magnitude of gradients over the deviation of others."""
    if not all(bool(torch.isfinite(layer).all()) for layer in gradients):
        raise NoValueError(Status.NON_FINITE, "a gradient is not a finite number")
    sums = []
    for layer, others in zip(gradients, deviating, strict=True):
        # Of two equal numbers the mean is theirs, so that their deviation is zero exactly; torch.std does not say so.
        deviation = (others - others.mean(0)).square().mean(0).sqrt()
        kept = deviation > 0
        sums.append(float((layer.abs().mean(0)[kept] / deviation[kept]).sum()))
    if not any(sums):
        raise NoValueError(Status.UNDEFINED, "no weight has gradients that differ between mini-batches")
    return sum(math.log(total) for total in sums if total)
