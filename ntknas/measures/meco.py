"""MeCo: how independent the channels of a network's maps are, from one image.

A map is a four-dimensional output. What the first image of the probe makes is looked at, BatchNorm in training mode on
it alone, so that it is normalised by its own statistics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import nn, torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

MECO_CHANNELS = 8
"""Channels that ``meco_opt`` draws of each map."""


@register(
    "meco",
    formula="Σ over modules of λ_min(R), R the correlations between the channels of the module's output on one image",
    better="higher",
    source="Jiang et al. (NeurIPS 2023), MeCo, as in its code: containers are modules, too",
    needs=(Need.NETWORK,),
)
def meco(case: NetworkCase) -> float:
    """Return the sum over modules of the smallest eigenvalue of their channels' correlations. Higher is better.

    A map counts once for each module that returns it. On networks of NAS-Bench-201 it counts as often as in the
    published code, whose modules are nested deeper than ours here and there (``_nested_deeper``); on others as often
    as modules of ours return it.

    Raises:
        NoValueError: ``undefined`` if no module returns a map; ``non-finite`` if a map holds NaN or infinity.
    """
    maps = _maps(case, _counted)
    number = Counter(map(id, maps))
    return sum(number[key] * smallest_eigenvalue(image) for key, image in {id(image): image for image in maps}.items())


@register(
    "meco_opt",
    formula="Σ over modules of (c/8) λ_min(R'), R' the correlations between 8 of the c channels, drawn for each module",
    better="higher",
    source="Jiang et al. (NeurIPS 2023), MeCo, as in its code, but with a seeded draw",
    needs=(Need.NETWORK,),
)
def meco_opt(case: NetworkCase) -> float:
    """Return ``meco`` from 8 channels of each map, scaled up to all of them. Higher is better.

    Of maps with fewer channels all are taken.

    Raises:
        NoValueError: ``undefined`` if no module returns a map; ``non-finite`` if a map holds NaN or infinity.
    """
    generator = torch.Generator().manual_seed(case.seed)
    total = 0.0
    for image in _maps(case, _counted):
        drawn = torch.randperm(len(image), generator=generator)[:MECO_CHANNELS].to(image.device)
        total += len(image) / len(drawn) * smallest_eigenvalue(image[drawn])
    return total


@register(
    "meco_layers",
    formula="Σ over convolutions of λ_min(R), R the correlations between the channels of its output on one image",
    better="higher",
    source="after Jiang et al. (NeurIPS 2023), MeCo: the sum over layers of its text",
    needs=(Need.NETWORK,),
)
def meco_layers(case: NetworkCase) -> float:
    """Return the sum over convolutions of the smallest eigenvalue of their channels' correlations. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no convolution returns a map; ``non-finite`` if a map holds NaN or infinity.
    """
    return sum(map(smallest_eigenvalue, _maps(case, _convolutions)))


def smallest_eigenvalue(image: Tensor) -> float:
    """Return the smallest eigenvalue of the correlations between channels, in float64.

    It is 0, and given as that, where rank says so: correlations are positive semidefinite, a constant channel, which
    has none, counts as a row and a column of zeros, and centred channels span one dimension less than there are
    positions.

    Args:
        image: Channels by positions, in any number of dimensions.

    Returns:
        The eigenvalue.

    Raises:
        NoValueError: ``non-finite`` if the image holds NaN or infinity.
    """
    rows = image.flatten(1).double()
    if not bool(rows.isfinite().all()):
        raise NoValueError(Status.NON_FINITE, "a map holds NaN or infinity")
    if len(rows) >= rows.shape[1] or bool((rows.amin(1) == rows.amax(1)).any()):
        return 0.0
    rows = rows - rows.mean(1, keepdim=True)
    rows = rows / rows.norm(dim=1, keepdim=True)
    return max(float(torch.linalg.eigvalsh(rows @ rows.T)[0]), 0.0)


def _maps(case: NetworkCase, counted: Callable[[nn.Module], Counter[nn.Module]]) -> list[Tensor]:
    """Return the first image of every map, as often as it counts."""
    network = case.copy()
    with torch.no_grad(), _watched(counted(network)) as maps:
        network(case.images[:1])
    if not maps:
        raise NoValueError(Status.UNDEFINED, "no module that counts returns channels by height by width")
    return maps


@contextmanager
def _watched(number: Counter[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect the maps that modules return, each as often as its module counts."""
    maps: list[Tensor] = []
    known: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}  # a tensor that two modules return unchanged is one map

    def keep(module: nn.Module, _: object, output: object) -> None:
        if isinstance(output, torch.Tensor) and output.dim() == 4:
            key = (id(output), output._version)
            if key not in known:
                known[key] = (output, output[0].clone())  # a later module may work in place
            maps.extend([known[key][1]] * number[module])

    handles = [module.register_forward_hook(keep) for module in number]
    try:
        yield maps
    finally:
        for handle in handles:
            handle.remove()


def _convolutions(network: nn.Module) -> Counter[nn.Module]:
    return Counter(module for module in network.modules() if isinstance(module, nn.Conv2d))


def _counted(network: nn.Module) -> Counter[nn.Module]:
    from ntknas.spaces.parametrisation import ScaledInput

    # How a layer is parametrised is none of a network's structure.
    return Counter(m for m in network.modules() if not isinstance(m, ScaledInput)) + Counter(_nested_deeper(network))


def _nested_deeper(network: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules of a NAS-Bench-201 network that stand in one container more in the published code."""
    from ntknas.spaces.nb201.network import InferCell, NB201Network, Reduction, ReLUConvBN

    if not isinstance(network, NB201Network):
        return
    yield network.stem
    yield from (module for module in network.modules() if isinstance(module, ReLUConvBN))
    for cell, following in pairwise(network.cells):
        if isinstance(following, Reduction):
            yield cell  # a stage is a module there
    for cell in network.cells:
        if isinstance(cell, InferCell):
            yield from (edge for edge in cell.edges if isinstance(edge, nn.AvgPool2d))
