"""AZ-NAS: three views of a network's features on Gaussian noise, block by block, and the product of ranks with FLOPs.

φ_0 is the output of a network's stem, φ_1, φ_2, … those of its blocks (cells, reductions) one after the other; inputs
are as many as the probe has images, in their shape. BatchNorm is in training mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import F, nn, torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.derived import Array
from ntknas.measures.draws import noise
from ntknas.measures.registry import register, register_derived

if TYPE_CHECKING:
    from torch import Generator, Tensor

ENTROPY_OFFSET = 1e-8
NORM_OFFSET = 1e-6
_SOURCE = "Lee, Ham (CVPR 2024), AZ-NAS"
_NETWORK = (Need.NETWORK,)


@runtime_checkable
class HasBlocks(Protocol):
    """A network that says which modules its input passes one after the other."""

    def blocks(self) -> list[nn.Module]:
        """Return the stem and what follows one another behind it: each takes the output of the one before."""


@register(
    "az_expressivity",
    formula="Σ_l e_l, e_l = −Σ_i p_i log(p_i + 1e-8), p the shares of the spectrum of the covariance of φ_l's channels",
    better="higher",
    source=_SOURCE,
    needs=_NETWORK,
)
def az_expressivity(case: NetworkCase) -> float:
    """Return the sum over features of the entropy of their principal components. Higher is better.

    Raises:
        NoValueError: ``undefined`` if a feature does not vary or the network has no blocks of maps; ``non-finite`` if
            a feature holds NaN or infinity.
    """
    return sum(_entropies(case))


@register(
    "az_progressivity",
    formula="min_l≥1 (e_l − e_(l−1)), e_l as in az_expressivity",
    better="higher",
    source=_SOURCE,
    needs=_NETWORK,
)
def az_progressivity(case: NetworkCase) -> float:
    """Return by how much entropy grows at least from block to block. Higher is better.

    Raises:
        NoValueError: ``undefined`` if a feature does not vary or the network has no blocks of maps; ``non-finite`` if
            a feature holds NaN or infinity.
    """
    return min(later - earlier for earlier, later in pairwise(_entropies(case)))


@register(
    "az_trainability",
    formula="mean_l≥1 of −σ_l − 1/(σ_l + 1e-6) + 2, σ_l = ‖A_l‖_2, A_l = mean over positions of H_l G_lᵀ, "
    "G_l of ±1, H_l = ∂⟨φ_l, G_l⟩/∂φ_(l−1)",
    better="higher",
    source=_SOURCE,
    needs=_NETWORK,
)
def az_trainability(case: NetworkCase) -> float:
    """Return how near to 1 blocks keep the scale of a gradient that passes back through them. Higher is better.

    Where a block reduces the image, H_l is folded into channels until its size is that of G_l.

    Raises:
        NoValueError: ``undefined`` if a block is the identity (its term is −∞; ``az_nas`` ranks such cells last), does
            not reduce the image by a whole factor, or the network has no blocks of maps; ``disconnected`` if nothing
            leads through a block; ``non-finite`` if a gradient holds NaN or infinity.
    """
    terms: list[float] = []
    generator = torch.Generator().manual_seed(case.seed)

    def visit(number: int, before: Tensor, after: Tensor) -> None:
        if number:
            terms.append(_trainability(before, after, generator))

    _run_in_blocks(case, generator, visit)
    return sum(terms) / len(terms)


@register_derived(
    "az_nas",
    inputs=("az_expressivity", "az_progressivity", "az_trainability", "flops"),
    lowest_if_undefined=("az_trainability",),
    formula="Σ over the four of log(rank/m), m cells, rank 1 for the worst",
    better="higher",
    source=_SOURCE,
)
def az_nas(*components: Array) -> Array:
    """Return the logarithm of the product of ranks, with mid-ranks for ties. Higher is better.

    Cells with a block that is the identity have the lowest rank in trainability.
    """
    from scipy.stats import rankdata

    ranks = [rankdata(component) for component in components]
    total: Array = np.sum([np.log(rank / len(rank)) for rank in ranks], axis=0)
    return total


def entropy(feature: Tensor) -> float:
    """Return the entropy of the principal components of a feature's channels, in float64.

    Args:
        feature: Samples by channels by positions.

    Returns:
        −Σ_i p_i log(p_i + 1e-8), between 0 and about log C.

    Raises:
        NoValueError: ``undefined`` if it does not vary; ``non-finite`` if it holds NaN or infinity.
    """
    rows = feature.movedim(1, -1).flatten(0, -2).double()
    if not bool(rows.isfinite().all()):
        raise NoValueError(Status.NON_FINITE, "a feature holds NaN or infinity")
    rows = rows - rows.mean(0, keepdim=True)
    spectrum = torch.linalg.eigvalsh(rows.T @ rows / len(rows)).clamp(min=0)
    if float(spectrum.sum()) <= 0:
        raise NoValueError(Status.UNDEFINED, "a feature does not vary")
    shares = spectrum / spectrum.sum()
    return -float((shares * (shares + ENTROPY_OFFSET).log()).sum())


def _entropies(case: NetworkCase) -> list[float]:
    entropies: list[float] = []
    with torch.no_grad():
        _run_in_blocks(case, _generator(case), lambda number, before, after: entropies.append(entropy(after)))
    return entropies


def _generator(case: NetworkCase) -> Generator:
    return torch.Generator().manual_seed(case.seed)


def _trainability(before: Tensor, after: Tensor, generator: Generator) -> float:
    """Return a block's term, from its input and its output."""
    signs = (2 * torch.randint(2, after.shape, generator=generator) - 1).to(after)
    gradient = torch.autograd.grad(after, before, signs, allow_unused=True)[0] if after.requires_grad else None
    if gradient is None:
        raise NoValueError(Status.DISCONNECTED, "nothing leads through a block")
    if torch.equal(gradient, signs):
        raise NoValueError(Status.UNDEFINED, "identity block")
    gradient = _folded(gradient, signs)
    products = torch.einsum("nchw,ndhw->cd", gradient.double(), signs.double()) / signs[:, 0].numel()
    if not bool(products.isfinite().all()):
        raise NoValueError(Status.NON_FINITE, "a gradient holds NaN or infinity")
    norm = float(torch.linalg.matrix_norm(products, 2))
    return -norm - 1 / (norm + NORM_OFFSET) + 2


def _folded(gradient: Tensor, signs: Tensor) -> Tensor:
    """Return the gradient with the pixels of each position of the output as channels of that position."""
    factor = gradient.shape[-1] // signs.shape[-1]
    if tuple(gradient.shape[-2:]) != tuple(factor * size for size in signs.shape[-2:]):
        raise NoValueError(Status.UNDEFINED, "a block does not reduce the image by a whole factor")
    return F.pixel_unshuffle(gradient, factor)


def _run_in_blocks(case: NetworkCase, generator: Generator, visit: Callable[[int, Tensor, Tensor], None]) -> None:
    """Pass noise through the network, and look at each block's number, input and output; gradients end at the input."""
    network = case.copy().requires_grad_(False)
    with _cut(_blocks_of(network), visit):
        network(noise(case, generator))


def _blocks_of(network: nn.Module) -> list[nn.Module]:
    is_module = isinstance(getattr(network, "blocks", None), nn.Module)  # as many networks call a part of theirs
    blocks = network.blocks() if isinstance(network, HasBlocks) and not is_module else []
    if len(blocks) < 2:
        raise NoValueError(Status.UNDEFINED, "the network does not say which blocks it is made of")
    return blocks


@contextmanager
def _cut(blocks: list[nn.Module], visit: Callable[[int, Tensor, Tensor], None]) -> Iterator[None]:
    """Detach each block's input and output while the network runs, so that a gradient passes one block only."""
    inputs: dict[nn.Module, Tensor] = {}
    number = {block: position for position, block in enumerate(blocks)}

    def enter(block: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor]:
        inputs[block] = given[0].detach().requires_grad_()
        return (inputs[block],)

    def leave(block: nn.Module, _: object, output: Tensor) -> Tensor:
        if output.dim() != 4:
            raise NoValueError(Status.UNDEFINED, "a block returns no map of channels by height by width")
        visit(number[block], inputs.pop(block), output)
        return output.detach()

    handles = [block.register_forward_pre_hook(enter) for block in blocks]
    handles += [block.register_forward_hook(leave) for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
