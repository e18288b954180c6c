"""Derivatives of every output by the first entry of each of some parameter tensors, for every sample.

Few numbers of J that cost no row of it: a layer's first entry needs one channel of its input and of its output
gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ntknas.core.choices import Choices
from ntknas.kernels import preparation
from ntknas.kernels.contractions import Form, contracted_jacobian
from ntknas.kernels.gradients import real
from ntknas.kernels.strategies.per_sample import Geometry
from ntknas.kernels.strategies.tapping import Call, LayerTap


def first_entry_jacobian(
    model: nn.Module, x: Tensor, names: Sequence[str], batch_norm: str = "eval", verify: bool = True
) -> Tensor:
    """Compute ∂f_c(x_n)/∂θ_p for the first entry θ_p of each parameter tensor p.

    One forward and C backward passes where samples do not see one another, else N·C backward passes.

    Args:
        model: As in ``empirical_ntk``.
        x: The batch, N×….
        names: Names of the parameter tensors.
        batch_norm: Batch-norm policy (``ntknas.core.choices.BATCH_NORMS``).
        verify: Whether to check the policy on four samples, and the derivatives by a plain backward pass.

    Returns:
        The derivatives, N×C×P, in the order of the names, float64, on the CPU.

    Raises:
        ChoiceError: If a parameter or the policy is unknown.
        KernelError: If they are not defined for this module and batch; the message names the remedy.

    Example:
        >>> from torch import nn, tensor
        >>> model = nn.Linear(2, 1)
        >>> first_entry_jacobian(model, tensor([[3.0, 5.0]]), ["weight", "bias"]).tolist()
        [[[3.0, 1.0]]]
    """
    (batch,) = preparation.checked_batches(x)
    choices = Choices.of("traced", batch_norm, tuple(names))
    return contracted_jacobian(model, batch, choices, Form(_of_tap, _of_gradient), verify=verify)


def _of_gradient(gradient: Tensor) -> float:
    return float(real(gradient).flatten()[0])


def _of_tap(tap: LayerTap) -> Iterator[Tensor]:
    """Yield the first column of the rows of a layer's weight and of its bias, from its first channels."""
    for piece in replace(tap, received=[_first_channel(tap.module, call) for call in tap.received]).pieces():
        if isinstance(piece, Tensor):
            yield piece[:, 0].double()
        else:
            first, second = piece
            yield first[:, 0].double() * second[:, 0].double()


def _first_channel(module: nn.Module, call: Call) -> Call:
    x, gradient, context = call
    if isinstance(module, nn.Linear):
        return x[..., :1], gradient[..., :1], context
    if isinstance(context, Geometry):
        context = context._replace(groups=1)
    elif isinstance(module, _BatchNorm) and context is not None:
        context = context[:1]
    return x[:, :1], gradient[:, :1], context
