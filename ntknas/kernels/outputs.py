"""Output reductions: which cotangents of the network's outputs make the rows of the Jacobian."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError


def as_matrix(output: object, samples: int) -> Tensor:
    """Bring a network's output to shape N×C.

    Raises:
        KernelError: If the output is not a tensor with one row a sample.
    """
    if not isinstance(output, Tensor):
        raise KernelError(
            f"A kernel needs a network with a tensor output, got {type(output).__name__}: wrap the module."
        )
    if output.dim() == 0 or output.shape[0] != samples:
        raise KernelError(
            f"The output must have one row a sample: expected {samples}, got shape {tuple(output.shape)}."
        )
    return output.reshape(samples, -1)


def rows_a_sample(reduction: str, model: nn.Module, x: Tensor) -> int:
    """Return how many rows of J a sample has: 1, or for ``full`` the number of outputs, which a forward pass tells."""
    if reduction != "full":
        return 1
    with torch.no_grad():
        return as_matrix(model(x), len(x)).shape[1]


def passes(reduction: str, output: Tensor, labels: Tensor | None) -> list[Tensor]:
    """Return the cotangents of a reduction, one N×C tensor for each backward pass over all samples.

    The kernel is the sum over passes of the Gram matrices of g_i = Σ_c cotangent[i,c]·J[i,c]. ``full`` has one pass
    for each class too; its rows are kept apart by the caller.

    Args:
        reduction: ``sum``, ``label``, ``traced`` or ``full``.
        output: The network's output, N×C.
        labels: Class of each sample, for ``label``.

    Raises:
        KernelError: If ``label`` is asked for without labels that fit the outputs.
    """
    samples, outputs = output.shape
    if reduction == "sum":
        return [torch.ones_like(output)]
    if reduction == "label":
        return [_one_hot(checked_labels(labels, samples, outputs), output)]
    return [_one_hot(torch.full((samples,), c, device=output.device), output) for c in range(outputs)]


def _one_hot(classes: Tensor, output: Tensor) -> Tensor:
    return torch.zeros_like(output).scatter_(1, classes.to(output.device)[:, None], 1.0)


def checked_labels(labels: Tensor | None, samples: int, outputs: int) -> Tensor:
    """Return labels that can pick an output of each sample.

    Raises:
        KernelError: If they are missing, of another length, not whole numbers or not below the number of outputs.
    """
    if labels is None:
        raise KernelError("The output reduction 'label' needs the labels of every batch: pass labels (and labels2).")
    if labels.shape != (samples,) or labels.is_floating_point():
        raise KernelError(f"Labels must be {samples} whole numbers, got shape {tuple(labels.shape)} of {labels.dtype}.")
    if labels.numel() and (int(labels.min()) < 0 or int(labels.max()) >= outputs):
        raise KernelError(
            f"Labels must lie between 0 and {outputs - 1} for a network of {outputs} outputs, "
            f"got {int(labels.min())} to {int(labels.max())}."
        )
    return labels.long()
