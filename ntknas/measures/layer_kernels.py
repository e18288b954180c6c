"""What the kernels of single layers say, K = Σ_l K_l, K_l = J_l J_lᵀ with J_l the columns of a layer's parameters.

All are taken over the live layers, those with K_l ≠ 0, of which there are L; of no layer does its scale matter. With
n rows, C_l = D^-½ K_l D^-½ has a diagonal of ones, but for rows of zeros, which stay zeros. Where a
measure divides by λ_n it is over the layers whose kernel is not singular at the precision of the rows; a layer with
fewer columns than rows, as most of BatchNorm's, is singular by counting.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ntknas.core.kernel import Kernel
from ntknas.core.layer_kernel import LayerKernel
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.matrices import entropy, log_determinants, mean, unit_diagonal
from ntknas.measures.registry import register

_LAYERS = (Need.KERNEL, Need.LAYERS)
_OURS = "ours, after "
_RANK = _OURS + "Roy & Vetterli (EUSIPCO 2007)"
LOGDET_OFFSET = 1.0
"""k of ``layers_logdet``."""


@register("layers_effective_rank", formula="Σ_l exp H(K_l)", better="higher", source=_RANK, needs=_LAYERS)
def layers_effective_rank(kernel: Kernel) -> float:
    """Return the sum over layers of the effective rank of their kernels, in directions. Higher is better.

    H(K_l) = −Σ p log p, p = λ/Σλ over the n eigenvalues of K_l.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return sum(math.exp(value) for value in _entropies(kernel))


@register("layers_mean_effective_rank", formula="(1/L) Σ_l exp H(K_l)", better="higher", source=_RANK, needs=_LAYERS)
def layers_mean_effective_rank(kernel: Kernel) -> float:
    """Return ``layers_effective_rank`` by layer, without the number of layers. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return mean([math.exp(value) for value in _entropies(kernel)])


@register("layers_entropy", formula="Σ_l H(K_l)", better="higher", source=_RANK, needs=_LAYERS)
def layers_entropy(kernel: Kernel) -> float:
    """Return the sum over layers of the log of the effective rank of their kernels, in nats. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return sum(_entropies(kernel))


@register("layers_mean_entropy", formula="(1/L) Σ_l H(K_l)", better="higher", source=_RANK, needs=_LAYERS)
def layers_mean_entropy(kernel: Kernel) -> float:
    """Return ``layers_entropy`` by layer, without the number of layers. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return mean(_entropies(kernel))


@register(
    "layers_logdet",
    formula="Σ_l log det(k + C_l), k = 1",
    better="higher",
    source=_OURS + "the log-determinants of NASWOT and jacob_cov",
    needs=_LAYERS,
)
def layers_logdet(kernel: Kernel) -> float:
    """Return the sum over layers of the log-determinant of their normalised kernels, in nats. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return sum(_log_determinants(kernel))


@register(
    "layers_mean_logdet",
    formula="(1/L) Σ_l log det(k + C_l), k = 1",
    better="higher",
    source=_OURS + "the log-determinants of NASWOT and jacob_cov",
    needs=_LAYERS,
)
def layers_mean_logdet(kernel: Kernel) -> float:
    """Return ``layers_logdet`` by layer, without the number of layers. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return mean(_log_determinants(kernel))


@register(
    "layers_log_cond",
    formula="Σ_l −log(λ_1/λ_n) of K_l, over the layers that are not singular",
    better="higher",
    source=_OURS + "TE-NAS (Chen et al., ICLR 2021)",
    needs=_LAYERS,
)
def layers_log_cond(kernel: Kernel) -> float:
    """Return minus the sum over layers of the log of the condition number of their kernels. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live; ``singular`` if the kernels of all are singular.
    """
    return sum(_of_invertible(kernel, _negative_log_condition))


@register(
    "layers_mean_log_cond",
    formula="mean of −log(λ_1/λ_n) of K_l over the layers that are not singular",
    better="higher",
    source=_OURS + "TE-NAS (Chen et al., ICLR 2021)",
    needs=_LAYERS,
)
def layers_mean_log_cond(kernel: Kernel) -> float:
    """Return ``layers_log_cond`` by layer, without the number of layers. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live; ``singular`` if the kernels of all are singular.
    """
    return mean(_of_invertible(kernel, _negative_log_condition))


@register(
    "layers_mean_log_lambda_min",
    formula="mean of log λ_n(C_l) over the layers that are not singular",
    better="higher",
    source=_OURS + "Zhu et al. (2022), the smallest eigenvalue of an NTK",
    needs=_LAYERS,
)
def layers_mean_log_lambda_min(kernel: Kernel) -> float:
    """Return the mean over layers of the log of the smallest eigenvalue of their normalised kernels. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live; ``singular`` if the kernels of all are singular.
    """
    return mean(_of_invertible(kernel, _log_smallest))


@register(
    "layers_shares",
    formula="exp(−Σ_l s_l log s_l), s_l = tr K_l / tr K",
    better="higher",
    source=_OURS + "Roy & Vetterli (EUSIPCO 2007): an effective number, of layers",
    needs=_LAYERS,
)
def layers_shares(kernel: Kernel) -> float:
    """Return how many layers the trace is spread over. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    traces = torch.stack([layer.kernel.matrix.trace() for layer in live_layers(kernel)])
    return math.exp(entropy(traces))


def live_layers(kernel: Kernel) -> list[LayerKernel]:
    """Return the layers whose kernels are not zero.

    Raises:
        NoValueError: ``undefined`` if there is none.
    """
    assert kernel.layers is not None  # what a measure needs is checked before
    live = [layer for layer in kernel.layers if bool(layer.kernel.matrix.diagonal().gt(0).any())]
    if not live:
        raise NoValueError(Status.UNDEFINED, "no layer is live: the kernel is zero")
    return live


def _entropies(kernel: Kernel) -> list[float]:
    return [float(entropy(layer.kernel.spectrum)) for layer in live_layers(kernel)]


def _log_determinants(kernel: Kernel) -> list[float]:
    return log_determinants([layer.kernel.matrix for layer in live_layers(kernel)], LOGDET_OFFSET)


def _of_invertible(kernel: Kernel, value: Callable[[LayerKernel], float]) -> list[float]:
    live = live_layers(kernel)
    invertible = [layer for layer in live if layer.columns >= kernel.size and not layer.kernel.is_singular]
    if not invertible:
        raise NoValueError(
            Status.SINGULAR, f"the kernels of all {len(live)} live layers are singular at the precision of the rows"
        )
    return list(map(value, invertible))


def _negative_log_condition(layer: LayerKernel) -> float:
    spectrum = layer.kernel.spectrum
    return float((spectrum[-1] / spectrum[0]).log())


def _log_smallest(layer: LayerKernel) -> float:
    return float(torch.linalg.eigvalsh(unit_diagonal(layer.kernel.matrix))[0].log())
