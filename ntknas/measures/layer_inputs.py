"""What layers are given: the feature (conjugate) kernels A_l of a network, Σ over a layer's calls of ⟨a_i, a_j⟩.

All are taken over the layers that are called with inputs that are not all zero, of which there are L; of no layer does
the scale matter. A layer counts whether or not its own output is used: a feature kernel sees forwards alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ntknas.core.kernel import Kernel
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.layer_kernels import LOGDET_OFFSET, live_layers
from ntknas.measures.matrices import entropy, log_determinants, mean
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

_INPUTS = (Need.KERNEL, Need.LAYERS, Need.LAYER_INPUTS)
_RANK = "ours, after Roy & Vetterli (EUSIPCO 2007)"
_LOGDET = "ours, after the log-determinants of NASWOT"


@register("inputs_effective_rank", formula="Σ_l exp H(A_l)", better="higher", source=_RANK, needs=_INPUTS)
def inputs_effective_rank(kernel: Kernel) -> float:
    """Return the sum over live layers of the effective rank of their inputs, in directions. Higher is better.

    H(A) = −Σ p log p, p = λ/Σλ over the n eigenvalues.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return sum(math.exp(value) for value in _entropies(kernel))


@register("inputs_mean_effective_rank", formula="(1/L) Σ_l exp H(A_l)", better="higher", source=_RANK, needs=_INPUTS)
def inputs_mean_effective_rank(kernel: Kernel) -> float:
    """Return ``inputs_effective_rank`` by layer, without the number of layers. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return mean([math.exp(value) for value in _entropies(kernel)])


@register("inputs_logdet", formula="Σ_l log det(k + C(A_l)), k = 1", better="higher", source=_LOGDET, needs=_INPUTS)
def inputs_logdet(kernel: Kernel) -> float:
    """Return the sum over live layers of the log-determinant of their inputs' normalised kernels. Higher is better.

    C(A) = D^-½ A D^-½ has a diagonal of ones.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return sum(log_determinants(inputs_of(kernel), LOGDET_OFFSET))


@register(
    "inputs_mean_logdet",
    formula="(1/L) Σ_l log det(k + C(A_l)), k = 1",
    better="higher",
    source=_LOGDET,
    needs=_INPUTS,
)
def inputs_mean_logdet(kernel: Kernel) -> float:
    """Return ``inputs_logdet`` by layer, without the number of layers. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return mean(log_determinants(inputs_of(kernel), LOGDET_OFFSET))


def inputs_of(kernel: Kernel) -> list[Tensor]:
    """Return the feature kernels of the live layers.

    Raises:
        NoValueError: ``undefined`` if no live layer is given anything but zeros.
    """
    taken = [layer.inputs for layer in live_layers(kernel)]
    found = [matrix for matrix in taken if matrix is not None and bool(matrix.diagonal().gt(0).any())]
    if not found:
        raise NoValueError(Status.UNDEFINED, "no live layer is given anything but zeros")
    return found


def _entropies(kernel: Kernel) -> list[float]:
    return [float(entropy(spectrum)) for spectrum in torch.linalg.eigvalsh(torch.stack(inputs_of(kernel)))]
