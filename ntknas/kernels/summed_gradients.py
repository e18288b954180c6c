"""The contraction of vilhess's code: gradients are summed over the entries of a parameter tensor before the product.

s_p[n] = Σ_a ∂f(x_n)/∂θ_{p,a} for each parameter tensor p, and K = Σ_p s_p s_pᵀ. This is not the tangent kernel
Σ_{p,a} ∂f(x_i)/∂θ_{p,a} ∂f(x_j)/∂θ_{p,a}: each tensor counts by one number, and its rank is at most their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError
from ntknas.kernels import preparation
from ntknas.kernels.batch import Batch
from ntknas.kernels.contractions import Form, contracted_jacobian
from ntknas.kernels.gradients import real
from ntknas.kernels.gram import Piece
from ntknas.kernels.strategies import per_sample
from ntknas.kernels.strategies.per_sample import Geometry
from ntknas.kernels.strategies.tapping import Context, LayerTap

OUTPUTS = ("sum", "label")
"""Output reductions of which a sample has one row."""


def summed_gradient_kernel(
    model: nn.Module,
    x: Tensor,
    output: str = "sum",
    batch_norm: str = "frozen",
    parameters: str | Sequence[str] = "all",
    labels: Tensor | None = None,
    verify: bool = True,
    chunk: int | None = None,
) -> Tensor:
    """Compute K = Σ_p s_p s_pᵀ with s_p[n] = Σ_a ∂f(x_n)/∂θ_{p,a}.

    See ``summed_gradients`` for the arguments and errors.

    Returns:
        The matrix, N×N, float64, on the CPU.

    Example:
        >>> from torch import nn
        >>> model = nn.Linear(2, 1)
        >>> summed_gradient_kernel(model, torch.tensor([[2.0, 1.0], [0.0, 1.0]])).tolist()  # weight: 3, 1; bias: 1, 1
        [[10.0, 4.0], [4.0, 2.0]]
    """
    sums = summed_gradients(model, x, output, batch_norm, parameters, labels, verify, chunk)
    return sums @ sums.T


def summed_gradients(
    model: nn.Module,
    x: Tensor,
    output: str = "sum",
    batch_norm: str = "frozen",
    parameters: str | Sequence[str] = "all",
    labels: Tensor | None = None,
    verify: bool = True,
    chunk: int | None = None,
) -> Tensor:
    """Compute s_p[n] = Σ_a ∂f(x_n)/∂θ_{p,a} for every sample n and parameter tensor p.

    Where samples do not see one another this is one forward and one backward pass, else one backward pass per sample.

    Args:
        model: As in ``empirical_ntk``.
        x: The batch, N×….
        output: Which f: ``sum`` over the outputs (the output itself where there is one), or ``label``, each sample's
            own class.
        batch_norm: Batch-norm policy (``ntknas.core.choices.BATCH_NORMS``).
        parameters: Parameter set (``PARAMETERS``), or names of parameters.
        labels: Classes of x, for ``label``.
        verify: Whether to check the policy on four samples, and the sums by a plain backward pass of the whole batch.
        chunk: How many samples to pass at a time, where they do not see one another; ``None`` for all.

    Returns:
        The sums, N×P, one column for each parameter tensor in the model's order, float64, on the CPU.

    Raises:
        ChoiceError: If a choice is unknown, or the output reduction is neither ``sum`` nor ``label``.
        KernelError: If they are not defined for this module and batch; the message names the remedy.
    """
    if output not in OUTPUTS:
        raise ChoiceError(f"Summed gradients have the `output` 'sum' or 'label', got {output!r}.")
    (batch,) = preparation.checked_batches(x, labels=labels)
    return compute_sums(model, batch, Choices.of(output, batch_norm, parameters), verify=verify, chunk=chunk)


def compute_sums(
    model: nn.Module, batch: Batch, choices: Choices, *, verify: bool = True, chunk: int | None = None
) -> Tensor:
    """Compute the summed gradients that some choices name; see ``summed_gradients``.

    Args:
        model: The network.
        batch: The batch.
        choices: Output reduction, batch-norm policy and parameter set; nothing is normalised.
        verify: Whether to check policy and sums.
        chunk: Samples per pass where they do not see one another; ``None`` for all.

    Returns:
        The sums, N×P.

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If they are not defined for this module and batch.
    """
    form = Form(_tap_sums, lambda gradient: float(real(gradient).sum(dtype=torch.float64)))
    return contracted_jacobian(model, batch, choices, form, verify=verify, chunk=chunk)[:, 0]


def _tap_sums(tap: LayerTap) -> Iterator[Tensor]:
    """Yield the sums over the entries of a layer's weight and of its bias, as far as they are in the parameter set.

    The entries of a row g ⊗ a sum to the product of the sums of g and a: of a layer that sums over its channels, one
    channel is enough.

    Yields:
        One sum per sample.
    """
    if not isinstance(tap.module, nn.Linear | nn.Conv1d | nn.Conv2d) or getattr(tap.module, "groups", 1) > 1:
        yield from (_row_sums(piece) for piece in tap.pieces())
        return
    along = -1 if isinstance(tap.module, nn.Linear) else 1
    calls = [(_summed(x, along), _summed(gradient, along), context) for x, gradient, context in tap.received]
    if "weight" in tap.names:
        yield torch.stack([_weight_sums(tap.module, *call) for call in calls]).sum(0)
    if "bias" in tap.names:
        yield torch.stack([gradient.flatten(1).sum(1) for _, gradient, _ in calls]).sum(0)


def _weight_sums(module: nn.Module, x: Tensor, gradient: Tensor, context: Context) -> Tensor:
    """Return the sums of the rows of a weight from inputs and output gradients that are summed over channels."""
    if isinstance(module, nn.Linear):
        return (x * gradient).flatten(1).sum(1)
    assert isinstance(module, nn.Conv1d | nn.Conv2d)
    assert isinstance(context, Geometry)
    return per_sample.convolution_weight(x, gradient, module.kernel_size, context, any_order=True).sum(1)


def _summed(values: Tensor, along: int) -> Tensor:
    return values.detach().sum(along, keepdim=True, dtype=torch.float64)


def _row_sums(piece: Piece) -> Tensor:
    """Return the sum of every row, of a row g ⊗ a the product of the sums."""
    if isinstance(piece, Tensor):
        return piece.sum(1, dtype=torch.float64)
    g, a = (factor.sum(1, dtype=torch.float64) for factor in piece)
    return g * a
