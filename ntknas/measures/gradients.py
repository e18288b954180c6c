"""Baselines from gradients of the parameters: no kernel needed.

All follow the code of zero-cost-nas (Abdelfattah et al., ICLR 2021) in their definitions: BatchNorm in training mode
(``synflow`` has none), sums over the weights of convolutions and linear layers, L the mean cross-entropy of the probe.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import F, nn, torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Aggregate, Need
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

    Layer = nn.Conv2d | nn.Linear

_NETWORK = (Need.NETWORK, Need.LABELS)


def layers(network: nn.Module) -> list[Layer]:
    """Return the convolutions and linear layers of a network."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


def mean_loss(network: nn.Module, case: NetworkCase) -> Tensor:
    """Return the mean cross-entropy of a network on a case's probe."""
    return F.cross_entropy(network(case.images), case.labels.to(case.images.device))


def weight_gradients(case: NetworkCase) -> list[tuple[Tensor, Tensor]]:
    """Return weight and ∂L/∂W of every layer that the output depends on."""
    network = case.copy()
    weights = [layer.weight for layer in layers(network)]
    gradients = torch.autograd.grad(mean_loss(network, case), weights, allow_unused=True)
    return [(w.detach(), g) for w, g in zip(weights, gradients, strict=True) if g is not None]


@register(
    "grad_norm",
    formula="Σ_l ‖∂L/∂W_l‖_2 over layers l",
    better="higher",
    source="Abdelfattah et al. (ICLR 2021), zero-cost-nas",
    needs=_NETWORK,
    aggregate=Aggregate.GEOMETRIC,
)
def grad_norm(case: NetworkCase) -> float:
    """Return the sum over layers of the norm of the loss's gradient. Higher is better."""
    return float(sum(gradient.double().norm() for _, gradient in weight_gradients(case)))


@register(
    "snip",
    formula="Σ |W ⊙ ∂L/∂W|",
    better="higher",
    source="Lee et al. (ICLR 2019), as in zero-cost-nas",
    needs=_NETWORK,
    aggregate=Aggregate.GEOMETRIC,
)
def snip(case: NetworkCase) -> float:
    """Return the first-order change of the loss when weights are removed one by one. Higher is better."""
    return float(sum((weight * gradient).double().abs().sum() for weight, gradient in weight_gradients(case)))


@register(
    "grasp",
    formula="−Σ W ⊙ (H g), g = ∂L/∂W, H the Hessian of L",
    better="higher",
    source="Wang et al. (ICLR 2020), with the sign of zero-cost-nas",
    needs=_NETWORK,
)
def grasp(case: NetworkCase) -> float:
    """Return the change of the gradient's norm when weights are removed. Higher is better.

    The sign is that of zero-cost-nas. Unstable over initialisations: a cell changes its sign and its rank from seed
    to seed (docs/results/published-recipes.md). Take several seeds, or another measure.
    """
    network = case.copy()
    weights = [layer.weight for layer in layers(network)]
    gradients = torch.autograd.grad(mean_loss(network, case), weights, create_graph=True, allow_unused=True)
    pairs = [(w, g) for w, g in zip(weights, gradients, strict=True) if g is not None]
    # The gradient beside itself as a constant: the derivative of their product is H g, not 2 H g.
    product = torch.stack([(g.detach() * g).sum() for _, g in pairs]).sum()
    hessian = torch.autograd.grad(product, [w for w, _ in pairs], allow_unused=True)
    return -float(
        sum((w.detach() * h).double().sum() for (w, _), h in zip(pairs, hessian, strict=True) if h is not None)
    )


@register(
    "fisher",
    formula="Σ_l |W_l[0]| Σ_k ½ mean_n (Σ_hw a_nk ∂L/∂a_nk)², a the outputs of layer l",
    better="higher",
    source="Theis et al. (2018), Turner et al. (ICLR 2020), as in zero-cost-nas",
    needs=_NETWORK,
    aggregate=Aggregate.GEOMETRIC,
)
def fisher(case: NetworkCase) -> float:
    """Return the effect of removing channels k, each counted once per weight |W_l[0]| that makes it. Higher is better.

    Where a convolution has a bias and its input is zero, its output is constant and BatchNorm's gradient is 1/√eps
    times what comes back: on the ``zero-cost`` networks of NAS-Bench-201 such convolutions, behind edges ``none``,
    outweigh all others by tens to hundreds, though the function is the one without them. The ``official`` networks
    have no such bias.
    """
    network = case.copy()
    outputs: list[tuple[Layer, Tensor]] = []

    def keep(layer: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        outputs.append((layer, output))

    for layer in layers(network):
        layer.register_forward_hook(keep)
    loss = mean_loss(network, case)
    gradients = torch.autograd.grad(loss, [output for _, output in outputs], allow_unused=True)
    total = 0.0
    for (layer, output), gradient in zip(outputs, gradients, strict=True):
        if gradient is not None:
            product = (output.detach() * gradient).double()
            per_channel = product.flatten(2).sum(-1) if product.dim() > 2 else product
            total += layer.weight[0].numel() * float((per_channel.square().mean(0) / 2).sum())
    return total


@register(
    "synflow",
    formula="log Σ |W| ⊙ ∂R/∂|W|, R the sum of the outputs on an image of ones, all parameters |θ|, no BatchNorm",
    better="higher",
    source="Tanaka et al. (NeurIPS 2020), as in zero-cost-nas; the logarithm keeps it finite",
    needs=(Need.NETWORK,),
)
def synflow(case: NetworkCase) -> float:
    """Return the logarithm of the total synaptic flow, in float64. Higher is better.

    Raises:
        NoValueError: ``undefined`` if nothing flows.
    """
    return _logarithm_of_flow(case, normalising=())


@register(
    "synflow_code",
    formula="log Σ |W ⊙ ∂R/∂W| as synflow, but BatchNorm stays in the two reductions of NAS-Bench-201",
    better="higher",
    source="Abdelfattah et al. (ICLR 2021), zero-cost-nas: what its code computes",
    needs=(Need.NETWORK,),
)
def synflow_code(case: NetworkCase) -> float:
    """Return the logarithm of the synaptic flow where the reductions normalise the image by itself. Higher is better.

    The code's networks of NAS-Bench-201 without BatchNorm have it still in their reduction blocks. Networks without
    such blocks have the value of ``synflow``.

    Raises:
        NoValueError: ``undefined`` if nothing flows.
    """
    from ntknas.spaces.nb201.network import Reduction

    return _logarithm_of_flow(case, normalising=(Reduction,))


def _logarithm_of_flow(case: NetworkCase, normalising: tuple[type[nn.Module], ...]) -> float:
    network = case.copy().double()  # products over many layers leave the range of float32
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    _without_batch_norm(network, normalising)
    ones = torch.ones_like(case.images[:1], dtype=torch.float64)
    weights = [layer.weight for layer in layers(network)]
    gradients = torch.autograd.grad(network(ones).sum(), weights, allow_unused=True)
    flow = sum(float((w.detach() * g).abs().sum()) for w, g in zip(weights, gradients, strict=True) if g is not None)
    if flow <= 0:
        raise NoValueError(Status.UNDEFINED, "nothing flows from the input to the output")
    return math.log(flow)


def _without_batch_norm(network: nn.Module, normalising: tuple[type[nn.Module], ...]) -> None:
    """Let BatchNorm pass its input on, but for that of blocks of these types."""
    staying = {inner for block in network.modules() if isinstance(block, normalising) for inner in block.modules()}
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d) and module not in staying:
            module.forward = _same  # type: ignore[assignment]


def _same(x: Tensor) -> Tensor:
    return x


KNAS_BATCHES = 50
KNAS_TENSORS = 11
KNAS_ENTRIES = 50
_KNAS_DIVISOR = 2500  # as its code divides, neither by the 25 pairs nor by the number of entries


@register(
    "knas_code",
    formula="Σ over entries e of Σ_k (g_ke − ḡ_e)(g_(k+25)e − ḡ'_e) / 2500, g_k = ∂L_k/∂θ of mini-batch k of 50",
    better="higher",
    source="Xu et al. (ICML 2021), KNAS: what its code computes",
    needs=_NETWORK,
    version=2,
)
def knas_code(case: NetworkCase) -> float:
    """Return the covariance of gradients between mini-batches 1–25 and 26–50 of the probe. Higher is better.

    The entries are the first 50 of each of at most 11 parameter tensors, those that come first and have at least 50
    entries; ḡ and ḡ' are the means of the two halves. BatchNorm in training mode, no training in between. A tensor on
    which nothing depends counts among the 11, with zeros: the code's edges ``none`` multiply by zero, so that every
    tensor has a gradient. (Version 1 took the next tensor in its place.)

    Raises:
        NoValueError: ``undefined`` if the probe has fewer than two images for each mini-batch.
    """
    if len(case.images) < 2 * KNAS_BATCHES:
        raise NoValueError(
            Status.UNDEFINED, f"{len(case.images)} images cannot be cut into {KNAS_BATCHES} mini-batches of two or more"
        )
    network, labels = case.copy(), case.labels.to(case.images.device)
    tensors = [p for p in network.parameters() if p.numel() >= KNAS_ENTRIES][:KNAS_TENSORS]
    gradients = []
    for images, targets in zip(case.images.tensor_split(KNAS_BATCHES), labels.tensor_split(KNAS_BATCHES), strict=True):
        network.zero_grad()
        F.cross_entropy(network(images), targets).backward()
        gradients.append(torch.cat([_first_entries(parameter) for parameter in tensors]).double())
    first, second = torch.stack(gradients).chunk(2)
    return float(((first - first.mean(0)) * (second - second.mean(0))).sum()) / _KNAS_DIVISOR


def _first_entries(parameter: nn.Parameter) -> Tensor:
    gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    return gradient.flatten()[:KNAS_ENTRIES]
