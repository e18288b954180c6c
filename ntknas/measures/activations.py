"""Baselines from inputs and activations: no kernel needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import nn, torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.draws import draw_weights, noise
from ntknas.measures.features import watched
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

JACOB_COV_OFFSET = 1e-5
"""k of the measure ``jacob_cov``."""
ZEN_REPEATS = 32
ZEN_BATCH = 16
ZEN_MIX = 1e-2
LINEAR_REGION_SAMPLES = 1000
LINEAR_REGION_SIDE = 3


@register(
    "jacob_cov",
    formula="−Σ [log(λ+k) + 1/(λ+k)], λ of the correlations of the rows ∂(Σ_c f_c(x_i))/∂x, k = 1e-5",
    better="higher",
    source="Mellor et al. (2020), as in zero-cost-nas",
    needs=(Need.NETWORK,),
)
def jacob_cov(case: NetworkCase) -> float:
    """Return how uncorrelated the Jacobians by the inputs are, BatchNorm in training mode. Higher is better.

    Raises:
        NoValueError: ``undefined`` if a row has no spread.
    """
    images = case.images.detach().clone().requires_grad_()
    (jacobian,) = torch.autograd.grad(case.copy()(images).sum(), images)
    rows = standardised_rows(jacobian.flatten(1).double())
    spectrum = torch.linalg.eigvalsh(rows @ rows.T).clamp(min=0) + JACOB_COV_OFFSET
    return -float((spectrum.log() + 1 / spectrum).sum())


def standardised_rows(rows: Tensor) -> Tensor:
    """Return the rows of a Jacobian by the inputs less their means, of norm 1: their products are correlations.

    Raises:
        NoValueError: ``undefined`` if a row has no spread.
    """
    rows = rows - rows.mean(1, keepdim=True)
    norms = rows.norm(dim=1, keepdim=True)
    if not bool((norms > 0).all()):
        raise NoValueError(Status.UNDEFINED, "a row of the Jacobian by the inputs has no spread")
    standardised: Tensor = rows / norms
    return standardised


@register(
    "naswot",
    formula="log det Σ_r [C_r C_rᵀ + (1−C_r)(1−C_r)ᵀ], C_r (N × units) the 0/1 codes of ReLU r",
    better="higher",
    source="Mellor et al. (ICML 2021), NAS without training",
    needs=(Need.NETWORK,),
)
def naswot(case: NetworkCase) -> float:
    """Return the log-determinant of the kernel of ReLU codes, BatchNorm in training mode. Higher is better.

    Raises:
        NoValueError: ``singular`` if two images have one code throughout.
    """
    network = case.copy()
    kernel = torch.zeros(len(case.images), len(case.images), dtype=torch.float64)
    with torch.no_grad(), relu_outputs(network) as outputs:
        network(case.images)
    for output in outputs:
        code = (output > 0).flatten(1).to(torch.float32)  # numbers of units are exact in it up to 2²⁴
        kernel += (code @ code.T + (1 - code) @ (1 - code).T).double().cpu()
    sign, logarithm = torch.linalg.slogdet(kernel)
    if float(sign) <= 0 or not math.isfinite(float(logarithm)):
        raise NoValueError(Status.SINGULAR, "the kernel of ReLU codes is singular: two images share a code")
    return float(logarithm)


@register(
    "zen",
    formula="mean over draws of log mean_n ‖φ(x) − φ(x + 0.01 ε)‖_1 + Σ_BN ½ log mean σ², W ~ N(0,1), x, ε ~ N(0,1)",
    better="higher",
    source="Lin et al. (ICCV 2021), Zen-NAS; φ the features before pooling, σ² the running variances as in its code",
    needs=(Need.NETWORK,),
)
def zen(case: NetworkCase) -> float:
    """Return the Gaussian complexity of the features, over 32 draws of the weights and of 16 inputs. Higher is better.

    Raises:
        NoValueError: ``undefined`` if the features do not depend on the input, a BatchNorm keeps no statistics, or no
            linear layer classifies the features.
    """
    generator = torch.Generator().manual_seed(case.seed)
    return sum(_zen_draw(case, generator) for _ in range(ZEN_REPEATS)) / ZEN_REPEATS


def _zen_draw(case: NetworkCase, generator: torch.Generator) -> float:
    network = case.copy()
    draw_weights(network, generator)
    first, perturbation = (noise(case, generator, ZEN_BATCH) for _ in range(2))
    with torch.no_grad(), watched(network) as tap:
        features, moved = (tap.of(network, x) for x in (first, first + ZEN_MIX * perturbation))
    change = float((features - moved).abs().flatten(1).sum(1).double().mean())
    if change <= 0:
        raise NoValueError(Status.UNDEFINED, "the features do not depend on the input")
    total = math.log(change)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            if module.running_var is None:
                raise NoValueError(Status.UNDEFINED, "a BatchNorm keeps no running variance")
            total += math.log(float(module.running_var.double().mean())) / 2
    return total


@register(
    "linear_regions",
    formula="number of distinct ReLU patterns of 1,000 random 3×3-pixel crops of the probe",
    better="higher",
    source="TE-NAS (Chen et al., ICLR 2021)",
    needs=(Need.NETWORK,),
)
def linear_regions(case: NetworkCase) -> float:
    """Return the number of linear regions that small crops fall into, BatchNorm in training mode. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no module of the network is a ReLU.
    """
    network = case.copy()
    crops = _crops(case)
    with torch.no_grad(), relu_outputs(network) as outputs:
        network(crops)
    if not outputs:
        raise NoValueError(Status.UNDEFINED, "no module of the network is a ReLU")
    patterns = torch.cat([(output > 0).flatten(1).cpu() for output in outputs], dim=1)
    return float(len(torch.unique(patterns, dim=0)))


def _crops(case: NetworkCase) -> Tensor:
    generator = torch.Generator().manual_seed(case.seed)
    count, _, height, width = case.images.shape
    side = min(LINEAR_REGION_SIDE, height, width)
    images = torch.randint(count, (LINEAR_REGION_SAMPLES,), generator=generator)
    rows = torch.randint(height - side + 1, (LINEAR_REGION_SAMPLES,), generator=generator)
    columns = torch.randint(width - side + 1, (LINEAR_REGION_SAMPLES,), generator=generator)
    return torch.stack(
        [
            case.images[image, :, row : row + side, column : column + side]
            for image, row, column in zip(images.tolist(), rows.tolist(), columns.tolist(), strict=True)
        ]
    )


@contextmanager
def relu_outputs(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the outputs of every ReLU while a network runs."""
    outputs: list[Tensor] = []

    def keep(module: nn.Module, _: object, output: Tensor) -> None:
        outputs.append(output)

    handles = [m.register_forward_hook(keep) for m in network.modules() if isinstance(m, nn.ReLU)]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
