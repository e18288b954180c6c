"""Output reductions: which cotangents of the network's outputs make the rows of the Jacobian."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError


def of(model: nn.Module, x: Tensor) -> Tensor:
    """Pass a batch through a network and return its outputs, N×C; x itself is left as it is, in-place layers or not."""
    return as_matrix(model(x.clone()), len(x))


def as_matrix(output: object, samples: int) -> Tensor:
    """Return a network's output in shape N×C.

    Raises:
        KernelError: If the output is not a tensor of real numbers with one row per sample.
    """
    if not isinstance(output, Tensor):
        raise KernelError(
            f"A kernel needs a network with a tensor output, got {type(output).__name__}: wrap the module."
        )
    if not output.is_floating_point():
        remedy = "let it return torch.view_as_real(y)" if output.is_complex() else "leave out its last step"
        raise KernelError(f"A kernel needs a network whose outputs are real numbers, got {output.dtype}: {remedy}.")
    if output.dim() == 0 or output.shape[0] != samples:
        raise KernelError(
            f"The output must have one row per sample: expected {samples}, got shape {tuple(output.shape)}."
        )
    return output.reshape(samples, -1)


def check_precision(output: Tensor, parameters: Sequence[Tensor]) -> None:
    """Check that a network's last step keeps the precision of its parameters.

    Raises:
        KernelError: If it does not: rows of J have the precision of the output's gradient.
    """
    precision = parameters[0].real.dtype if parameters[0].is_complex() else parameters[0].dtype
    if torch.finfo(output.dtype).eps > torch.finfo(precision).eps:
        raise KernelError(
            f"The network's output is {output.dtype} and its parameters are {precision}: its last step lowers the "
            "precision, and the rows of J with it. Leave that step out, or convert the output back before it."
        )


def rows_per_sample(reduction: str, model: nn.Module, x: Tensor) -> int:
    """Return how many rows of J a sample has: 1, or for ``full`` the number of outputs, which a forward pass tells."""
    if reduction != "full":
        return 1
    with torch.no_grad():
        return of(model, x).shape[1]


class Passes(Sequence[Tensor]):
    """The cotangents of a reduction, one N×C tensor for each backward pass over all samples, made when asked for.

    The kernel is the sum over passes of the Gram matrices of g_i = Σ_c cotangent[i,c]·J[i,c]. ``full`` has one pass
    for each class too; its rows are kept apart by the caller.
    """

    def __init__(self, reduction: str, output: Tensor, labels: Tensor | None):
        self._reduction, self._output = reduction, output.detach()
        self._labels = checked_labels(labels, *output.shape) if reduction == "label" else None

    def __len__(self) -> int:
        """Number of passes."""
        return self._output.shape[1] if self._reduction in ("traced", "full") else 1

    @overload
    def __getitem__(self, number: int) -> Tensor: ...

    @overload
    def __getitem__(self, number: slice) -> list[Tensor]: ...

    def __getitem__(self, number: int | slice) -> Tensor | list[Tensor]:
        """Return the cotangent of a pass."""
        if isinstance(number, slice):
            return [self[k] for k in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)  # ends iteration: Sequence goes by index until this
        if self._reduction in ("sum", "features"):
            return torch.ones_like(self._output)
        if self._labels is not None:
            return _one_hot(self._labels, self._output)
        cotangent = torch.zeros_like(self._output)
        cotangent[:, number] = 1.0
        return cotangent


def passes(reduction: str, output: Tensor, labels: Tensor | None) -> Passes:
    """Return the cotangents of a reduction.

    Args:
        reduction: A key of ``OUTPUTS``; for ``features`` the network returns these.
        output: The network's output, N×C.
        labels: Class of each sample, for ``label``.

    Raises:
        KernelError: If ``label`` is asked for without labels that fit the outputs.
    """
    return Passes(reduction, output, labels)


def _one_hot(classes: Tensor, output: Tensor) -> Tensor:
    return torch.zeros_like(output).scatter_(1, classes.to(output.device)[:, None], 1.0)


def checked_labels(labels: Tensor | None, samples: int, outputs: int) -> Tensor:
    """Return labels that can pick an output of each sample.

    Raises:
        KernelError: If they are missing, of another length, not whole numbers or not below the number of outputs.
    """
    if labels is None:
        raise KernelError("The output reduction 'label' needs labels of every batch: pass `labels` (and `labels2`).")
    if labels.shape != (samples,) or labels.is_floating_point():
        raise KernelError(f"Labels must be {samples} whole numbers, got shape {tuple(labels.shape)} of {labels.dtype}.")
    if labels.numel() and (int(labels.min()) < 0 or int(labels.max()) >= outputs):
        raise KernelError(
            f"Labels must lie between 0 and {outputs - 1} for a network of {outputs} outputs, "
            f"got {int(labels.min())} to {int(labels.max())}."
        )
    return labels.long()
