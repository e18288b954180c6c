"""SWAP: how many different patterns the units of a network make over a batch of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import nn, torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.activations import relu_outputs
from ntknas.measures.definition import Need
from ntknas.measures.derived import Array
from ntknas.measures.draws import draw_weights
from ntknas.measures.registry import register, register_derived

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SWAP_REPEATS = 32
_WORD = 8
"""Bytes of the numbers in which patterns are kept."""


@register(
    "swap",
    formula="mean over 32 draws of W ~ N(0,1) of the number of distinct patterns a_u ∈ {0,1}^S of units u of ReLU maps "
    "over S images",
    better="higher",
    source="Peng et al. (ICLR 2024), SWAP",
    needs=(Need.NETWORK,),
)
def swap(case: NetworkCase) -> float:
    """Return the number of distinct patterns of units over the probe, BatchNorm in training mode. Higher is better.

    At most 2^S, so that S, the number of images, should be large enough for the units of the network.

    Raises:
        NoValueError: ``undefined`` if no module of the network is a ReLU that returns a map; ``non-finite`` if the
            network's output holds NaN or infinity.
    """
    network, generator = case.copy(), torch.Generator().manual_seed(case.seed)
    total = 0
    for _ in range(SWAP_REPEATS):
        draw_weights(network, generator)
        total += _distinct_patterns(network, case.images)
    return total / SWAP_REPEATS


@register_derived(
    "swap_reg",
    inputs=("swap", "parameters"),
    formula="swap · exp(−(Θ − μ)²/σ), Θ parameters in thousands, μ the most of all cells, σ (most − fewest)²",
    better="higher",
    source="Peng et al. (ICLR 2024), SWAP; μ and σ, set by hand there, by a rule of ours",
    fitted="that the largest cells are preferred",
)
def swap_reg(patterns: Array, parameters: Array) -> Array:
    """Return ``swap`` times a factor from 1 for the largest cell to 1/e for the smallest. Higher is better.

    The constants say which size is preferred; ``regularised`` takes others. Those here are made of the sizes of the
    cells that are correlated, so that they suit any space. Parameters are those of the official networks.
    """
    thousands = parameters / 1000
    width = np.ptp(thousands) if len(thousands) else 0.0
    return regularised(patterns, parameters, thousands.max(initial=0.0), width**2 or 1.0)


def regularised(patterns: Array, parameters: Array, mu: float, sigma: float) -> Array:
    """Return swap · exp(−(Θ − μ)²/σ), Θ the parameters in thousands.

    Args:
        patterns: Scores ``swap`` of some cells.
        parameters: Numbers of parameters of their networks.
        mu: Thousands of parameters that are preferred.
        sigma: How little other sizes are punished, in thousands squared.

    Returns:
        A score for each cell.
    """
    result: Array = patterns * np.exp(-((parameters / 1000 - mu) ** 2) / sigma)
    return result


def _distinct_patterns(network: nn.Module, images: Tensor) -> int:
    with torch.no_grad(), relu_outputs(network) as outputs:
        logits = network(images)
    if not bool(logits.isfinite().all()):
        raise NoValueError(Status.NON_FINITE, "the network's output holds NaN or infinity")
    codes = [(output > 0).flatten(1).T for output in outputs if output.dim() == 4]
    if not codes:
        raise NoValueError(Status.UNDEFINED, "no module of the network is a ReLU that returns a map")
    return count_distinct(torch.cat(codes))


def count_distinct(codes: Tensor) -> int:
    """Return how many rows of a matrix of bits differ."""
    words = _words(codes.cpu().numpy())
    labels = words[0]
    for word in words[1:]:
        first, second = (torch.unique(part, return_inverse=True)[1] for part in (labels, word))
        labels = first * (second.max() + 1) + second
    return len(torch.unique(labels))


def _words(codes: NDArray[np.bool_]) -> Tensor:
    """Return the rows of a matrix of bits as numbers of 64 bits, which stand one below the other."""
    packed = np.packbits(codes, axis=1)
    padded = np.pad(packed, ((0, 0), (0, -packed.shape[1] % _WORD)))
    return torch.from_numpy(padded.view(np.int64)).T.contiguous()
