"""TEG-NAS: condition number, error of kernel regression and linear regions of a thin network, and the sum of ranks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.choices import Choices
from ntknas.core.kernel import Kernel
from ntknas.core.lazy import F, nn, torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.activations import LINEAR_REGION_SIDE, relu_outputs
from ntknas.measures.az_nas import HasBlocks
from ntknas.measures.definition import Need
from ntknas.measures.derived import Array
from ntknas.measures.registry import register, register_derived
from ntknas.measures.spectral import check_invertible

if TYPE_CHECKING:
    from torch import Tensor

REGION_BATCHES = 3
REGION_CROPS = 1000
"""Crops of a batch."""
_SOURCE = "Chen et al. (2021), TEG-NAS, and its code"


@register(
    "teg_cond",
    formula="λ_1 / λ_n of the kernel of summed logits; batch-norm policy and parameter set of the recipe",
    better="lower",
    source=_SOURCE,
    needs=(Need.NETWORK, Need.CHOICES),
)
def teg_cond(case: NetworkCase) -> float:
    """Return the condition number of the kernel of the summed logits. Lower is better.

    It is the measure ``cond`` of recipe ``teg``'s network, but for the rule over seeds: the arithmetic mean, as in the
    code.

    Raises:
        NoValueError: ``singular`` if λ_n is zero at the precision of the rows; ``non-finite`` if the kernel holds NaN
            or infinity.
    """
    from ntknas.kernels import Batch, Method, compute_kernel

    choices = Choices.of("sum", case.choices.batch_norm, case.choices.parameters)
    spectrum = _regular(
        compute_kernel(case.network, [Batch(case.images)], choices, Method(verify=case.verify))
    ).spectrum
    return float(spectrum[0] / spectrum[-1])


@register(
    "teg_mse",
    formula="(1/M) Σ_i Σ_c (P − T_Y)², P = K_YX K_XX⁻¹ T_X without ridge, T one-hot less its own batch's mean row, "
    "K of summed logits by the weights inside cells and reductions",
    better="lower",
    source=_SOURCE,
    needs=(Need.NETWORK, Need.LABELS, Need.CHOICES, Need.HELD_OUT),
)
def teg_mse(case: NetworkCase) -> float:
    """Return the error of kernel regression on a held-out batch, summed over classes. Lower is better.

    Unlike ``krr_mse`` it has no ridge, and is summed over classes, not their mean. Under the batch-norm policy of the
    recipe; the stem, the last BatchNorm and the classifier are left out of the kernel.

    Raises:
        NoValueError: ``singular`` if λ_n of K_XX is zero at the precision of the rows; ``non-finite`` if a kernel holds
            NaN or infinity; ``undefined`` if the network does not say which are its cells, or these have no weights.
    """
    if case.held_out_images is None or case.held_out_labels is None:
        raise NoValueError(Status.UNDEFINED, "there is no held-out batch")
    kernel = _of_both_batches(case, case.held_out_images)
    count = len(case.images)
    own, cross = _regular(_first(kernel, count)), kernel.matrix[count:, :count]
    classes = 1 + int(max(case.labels.max(), case.held_out_labels.max()))
    targets, held_out = (_centred(labels, classes) for labels in (case.labels, case.held_out_labels))
    predicted = cross @ torch.linalg.solve(own.matrix, targets)
    return float((predicted - held_out).square().sum(1).mean())


@register(
    "teg_regions",
    formula="number of distinct ReLU patterns of 3 × 1,000 crops of 3×3 pixels of one random channel, in the cell's "
    "network of 1 channel, one cell a stage, without stem",
    better="higher",
    source=_SOURCE,
    needs=(Need.NETWORK,),
)
def teg_regions(case: NetworkCase) -> float:
    """Return the number of linear regions that crops fall into, BatchNorm in training mode. Higher is better.

    The crops are of the probe's images; each of three batches passes with its own statistics.

    Raises:
        NoValueError: ``undefined`` if nothing builds the cell at another size, the network does not say which is its
            stem, or has no ReLU.
    """
    if case.resized is None:
        raise NoValueError(Status.UNDEFINED, "nothing says how this cell is built with one channel")
    network = case.resized(1, 1).train()
    if not isinstance(network, HasBlocks):
        raise NoValueError(Status.UNDEFINED, "the network does not say which is its stem")
    network.blocks()[0].__dict__["forward"] = lambda x: x
    generator = torch.Generator().manual_seed(case.seed)
    with torch.no_grad(), relu_outputs(network) as outputs:
        patterns = []
        for _ in range(REGION_BATCHES):
            outputs.clear()
            network(_crops(case.images, generator))
            if not outputs:
                raise NoValueError(Status.UNDEFINED, "no module of the network is a ReLU")
            patterns.append(torch.cat([(output > 0).flatten(1).cpu() for output in outputs], dim=1))
    return float(len(torch.unique(torch.cat(patterns), dim=0)))


@register_derived(
    "teg_rank",
    inputs=("teg_cond", "teg_mse", "teg_regions"),
    formula="rank of teg_cond + rank of teg_mse + rank of −teg_regions, 0 for the best, ties the lowest rank",
    better="lower",
    source=_SOURCE,
)
def teg_rank(cond: Array, mse: Array, regions: Array) -> Array:
    """Return the sum of three ranks among the cells at hand. Lower is better."""
    from scipy.stats import rankdata

    ranks: Array = sum(rankdata(scores, method="min") - 1.0 for scores in (cond, mse, -regions))
    return ranks


def _of_both_batches(case: NetworkCase, held_out: Tensor) -> Kernel:
    """Return the kernel of both batches' images, each with the statistics of its own batch under ``coupled``."""
    from ntknas.kernels import Batch, Method, compute_kernel
    from ntknas.kernels.batch import stacked

    choices = Choices.of("sum", case.choices.batch_norm, _weights_of_blocks(case.network))
    both = stacked([Batch(case.images), Batch(held_out)])
    kernel = compute_kernel(case.network, [both], choices, Method(verify=case.verify), reference=case.images)
    if not kernel.is_finite:
        raise NoValueError(Status.NON_FINITE, "the kernel holds NaN or infinity")
    return kernel


def _first(kernel: Kernel, count: int) -> Kernel:
    """Return the kernel of the first samples alone."""
    norms = {name: getattr(kernel, name)[:count] for name in ("left_norms", "right_norms")}
    return replace(kernel, matrix=kernel.matrix[:count, :count], samples=count, **norms)


def _regular(kernel: Kernel) -> Kernel:
    if not kernel.is_finite:
        raise NoValueError(Status.NON_FINITE, "the kernel holds NaN or infinity")
    check_invertible(kernel)
    return kernel


def _weights_of_blocks(network: nn.Module) -> list[str]:
    """Return the names of the weights behind the stem, without the last BatchNorm and the classifier."""
    if not isinstance(network, HasBlocks):
        raise NoValueError(Status.UNDEFINED, "the network does not say which are its cells")
    inside = {id(parameter) for block in network.blocks()[1:] for parameter in block.parameters()}
    names = [name for name, p in network.named_parameters() if id(p) in inside and "weight" in name]
    if not names:
        raise NoValueError(Status.UNDEFINED, "neither cells nor reductions have weights")
    return names


def _centred(labels: Tensor, classes: int) -> Tensor:
    targets = F.one_hot(labels.cpu().long(), classes).double()
    return targets - targets.mean(0, keepdim=True)


def _crops(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return crops of 3×3 pixels, each of a random image, place and channel."""
    count, channels, height, width = images.shape
    side = min(LINEAR_REGION_SIDE, height, width)
    bounds = (count, channels, height - side + 1, width - side + 1)
    places = [torch.randint(bound, (REGION_CROPS,), generator=generator).tolist() for bound in bounds]
    return torch.stack(
        [
            images[image, channel : channel + 1, row : row + side, column : column + side]
            for image, channel, row, column in zip(*places, strict=True)
        ]
    )
