"""How alike the kernels of a network's layers are, and how many different ones there are.

Likeness is centred kernel alignment, CKA(A, B) = ⟨HAH, HBH⟩ / ‖HAH‖ ‖HBH‖ with H = 1 − 11ᵀ/n; layers stand in the order
of the modules.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ntknas.core.kernel import Kernel
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.layer_inputs import inputs_of
from ntknas.measures.layer_kernels import live_layers
from ntknas.measures.matrices import agreements, entropy
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

_LAYERS = (Need.KERNEL, Need.LAYERS)
_INPUTS = (Need.KERNEL, Need.LAYERS, Need.LAYER_INPUTS)
_CKA = "ours, after Kornblith et al. (ICML 2019), CKA"


@register(
    "layers_agreement",
    formula="mean over l of CKA(K_l, K_(l+1)), l and l+1 live layers one after the other",
    better="lower",
    source=_CKA,
    needs=_LAYERS,
)
def layers_agreement(kernel: Kernel) -> float:
    """Return how alike the kernels of successive layers are, from 0 to 1. Lower is better.

    Raises:
        NoValueError: ``undefined`` if fewer than two layers are live.
    """
    return _successive(_kernels(kernel))


@register(
    "layers_diversity",
    formula="exp H(M), M_lm = CKA(K_l, K_m) over the live layers",
    better="higher",
    source=_CKA,
    needs=_LAYERS,
)
def layers_diversity(kernel: Kernel) -> float:
    """Return how many different kernels the layers have, from 1 (all alike) to L (none alike). Higher is better.

    H(M) = −Σ p log p, p = λ/Σλ over the eigenvalues of the matrix of their agreements.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return _number_of_different(_kernels(kernel))


@register(
    "inputs_agreement",
    formula="mean over l of CKA(A_l, A_(l+1)), A_l the Gram matrix of a live layer's inputs",
    better="lower",
    source=_CKA,
    needs=_INPUTS,
)
def inputs_agreement(kernel: Kernel) -> float:
    """Return how alike the inputs of successive layers are, from 0 to 1. Lower is better.

    Raises:
        NoValueError: ``undefined`` if fewer than two layers are live.
    """
    return _successive(torch.stack(inputs_of(kernel)))


@register(
    "inputs_diversity",
    formula="exp H(M), M_lm = CKA(A_l, A_m) over the live layers",
    better="higher",
    source=_CKA,
    needs=_INPUTS,
)
def inputs_diversity(kernel: Kernel) -> float:
    """Return how many different feature kernels the layers are given, from 1 to L. Higher is better.

    Raises:
        NoValueError: ``undefined`` if no layer is live.
    """
    return _number_of_different(torch.stack(inputs_of(kernel)))


def _kernels(kernel: Kernel) -> Tensor:
    return torch.stack([layer.kernel.matrix for layer in live_layers(kernel)])


def _successive(matrices: Tensor) -> float:
    if len(matrices) < 2:
        raise NoValueError(Status.UNDEFINED, "one live layer has no other to agree with")
    return float(agreements(matrices).diagonal(1).mean())


def _number_of_different(matrices: Tensor) -> float:
    return math.exp(entropy(torch.linalg.eigvalsh(agreements(matrices))))
