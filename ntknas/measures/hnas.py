"""HNAS: trace norm and condition number of a kernel whose rows split one gradient by samples.

Shu et al. (NeurIPS 2022) and their code; ``ntknas.kernels.slots`` says what the rows are. By weights and biases of
convolutions and linear layers, the classifier among them, BatchNorm in training mode. A convolution without input whose
BatchNorm reaches the classifier has constant outputs, and its bias terms, which cancel in the gradient, do not cancel
within a row: on networks with such biases (``--variant zero-cost``) compare cells without dead branches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.kernel import singular_below
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Aggregate, Need
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

_ROWS = "of the rows of ∇Σ_k f_{y_k}(x_k) by slot: Σ_n g_n = ∇"
_SOURCE = "Shu et al. (NeurIPS 2022), HNAS, as its code computes it"


@register(
    "hnas_trace",
    formula=f"√(tr K / N), K the Gram matrix {_ROWS}",
    better="higher",
    source=_SOURCE,
    needs=(Need.NETWORK, Need.LABELS),
    aggregate=Aggregate.GEOMETRIC,
)
def hnas_trace(case: NetworkCase) -> float:
    """Return the root of the mean squared norm of a row. Higher is better.

    Raises:
        NoValueError: ``undefined`` if a layer has no rows by slot, as where two layers share a weight; ``non-finite``
            if the kernel is not finite.
    """
    kernel = _kernel(case)
    return math.sqrt(float(kernel.trace()) / len(kernel))


@register(
    "hnas_cond",
    formula=f"λ_1 / λ_N of the Gram matrix {_ROWS}",
    better="lower",
    source=_SOURCE,
    needs=(Need.NETWORK, Need.LABELS),
    aggregate=Aggregate.GEOMETRIC,
)
def hnas_cond(case: NetworkCase) -> float:
    """Return the condition number of the same kernel. Lower is better.

    Raises:
        NoValueError: ``singular`` if λ_N is zero at the precision of the rows; else as ``hnas_trace`` does.
    """
    spectrum = torch.linalg.eigvalsh(_kernel(case)).flip(0)
    threshold = singular_below(spectrum, torch.finfo(case.images.dtype).eps)
    if float(spectrum[-1]) <= threshold:
        raise NoValueError(
            Status.SINGULAR,
            f"λ_N = {float(spectrum[-1]):.3g} is zero at the precision of the rows (threshold {threshold:.3g})",
        )
    return float(spectrum[0] / spectrum[-1])


def _kernel(case: NetworkCase) -> Tensor:
    """Return the kernel of the coupled network.

    Raises:
        NoValueError: ``undefined`` if a layer has no rows by slot; ``non-finite`` if the kernel is not finite.
    """
    from ntknas.kernels.slots import slot_kernel
    from ntknas.kernels.strategies.tapping import NotLayerWiseError

    try:
        kernel = slot_kernel(case.network, case.images, case.labels, "coupled", case.verify)
    except NotLayerWiseError as error:
        raise NoValueError(Status.UNDEFINED, str(error)) from error
    if not bool(torch.isfinite(kernel).all()):
        raise NoValueError(Status.NON_FINITE, "the kernel holds NaN or infinity")
    return kernel
