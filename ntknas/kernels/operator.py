"""K = J Jᵀ through products with vectors: neither K nor J is ever formed.

Jᵀv is one backward pass with the cotangents weighted by v, whatever couples the samples; vᵀKv = ‖Jᵀv‖². J u is the
backward pass of that backward pass, which is linear in v. For ``traced``, C of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.class_forms import ClassForms
from ntknas.core.errors import KernelError
from ntknas.core.shown import Shown, counted
from ntknas.kernels import decoupling, outputs, preparation, repeatability, verification
from ntknas.kernels.batch import Batch
from ntknas.kernels.gradients import Gradients, real, squared_norm, vjp
from ntknas.kernels.network import NetworkUnderPolicy, under_policy
from ntknas.kernels.strategies import row_loop


class KernelOperator(Shown):
    """The kernel of one batch as a linear map; made by ``kernel_operator``.

    Args:
        network: The network, under its policy as long as the operator is used.
        batch: The batch.

    Attributes:
        choices: Which kernel it is.
        labels: Labels of the batch, or ``None``.
        size: Number of rows of the kernel.
        backward_passes: How many there were.
    """

    def __init__(self, network: NetworkUnderPolicy, batch: Batch):
        self.choices = network.choices
        self.labels = batch.labels
        self.backward_passes = 0
        self._parameters = network.leaves
        self._forward = network.output(batch.x)
        outputs.check_precision(self._forward, self._parameters)
        self._full = self.choices.output == "full"
        self._passes: Sequence[Tensor] = [] if self._full else network.passes(self._forward, batch.labels)
        self.size = self._forward.numel() if self._full else len(self._forward)

    def transposed(self, vector: Tensor) -> Iterator[list[Tensor]]:
        """Yield Jᵀv for every pass, as one gradient per parameter."""
        return (self._gradients(cotangent) for cotangent in self._cotangents(vector.to(self._forward)))

    def form(self, vector: Tensor) -> float:
        """Return vᵀKv, sums in float64."""
        return sum(squared_norm(gradients) for gradients in self.transposed(vector))

    def rows(self, count: int, rows_at_once: int = 1) -> Tensor:
        """Compute the first rows of J, of the first pass.

        Args:
            count: How many.
            rows_at_once: Rows per backward pass.

        Returns:
            The rows.

        Raises:
            KernelError: For ``full``.
        """
        if self._full:
            raise KernelError("Rows of the full kernel are not kept apart by class: use empirical_ntk.")
        self.backward_passes += -(-count // rows_at_once)
        rows = row_loop.Rows(self._passes[0], range(min(count, len(self._forward))))
        return row_loop.jacobian_rows(self._forward, rows, self._parameters, rows_at_once)

    def product(self, vector: Tensor) -> Tensor:
        """Compute Kv.

        Args:
            vector: v, of length n.

        Returns:
            Kv, of length n, float64 on the CPU.

        Raises:
            KernelError: If an operation of the network has no second derivative.
        """
        total = torch.zeros(self.size, dtype=torch.float64)
        for gradients, (source, transposed) in zip(self.transposed(vector), self._linear, strict=True):
            # what no cotangent reaches is zero whatever v is, and has no graph
            pairs = [(t, g) for t, g in zip(transposed, gradients, strict=True) if t is not None and t.requires_grad]
            if not pairs:
                continue
            self.backward_passes += 1
            (product,) = _second_derivative([t for t, _ in pairs], source, [g for _, g in pairs])
            if product is not None:
                total += product.double().cpu()
        return total

    def class_forms(self) -> ClassForms:
        """Compute the quadratic forms in the indicators of the classes, one backward pass per class.

        Returns:
            The forms, all that some measures need of a kernel.

        Raises:
            KernelError: Without labels, and for ``traced`` and ``full``.
        """
        if self.labels is None or self.choices.output not in ("sum", "label"):
            raise KernelError("Class forms need labels, and output 'sum' or 'label'.")
        labels = self.labels.cpu()
        counts, by_class, total = [], [], [torch.zeros(p.shape, dtype=torch.float64) for p in self._parameters]
        for label in labels.unique():
            (gradients,) = self.transposed((labels == label).double())
            counts.append(int((labels == label).sum()))
            by_class.append(squared_norm(gradients))
            for sums, gradient in zip(total, gradients, strict=True):
                sums += real(gradient).double().cpu()
        return ClassForms(tuple(counts), tuple(by_class), squared_norm(total), self.choices)

    @cached_property
    def _linear(self) -> list[tuple[Tensor, Gradients]]:
        """For every pass a vector v and Jᵀv with its graph, to be differentiated by v."""
        # Zeros will do: Jᵀv is linear in v, and its derivative is the same everywhere.
        source = torch.zeros(self.size, dtype=self._forward.dtype, device=self._forward.device, requires_grad=True)
        products = [
            (source, vjp(self._forward, self._parameters, cotangent, create_graph=True))
            for cotangent in self._cotangents(source)
        ]
        self.backward_passes += len(products)
        return products

    def _cotangents(self, vector: Tensor) -> Iterator[Tensor]:
        if len(vector) != self.size:
            raise KernelError(f"A vector of length {self.size} is needed, got one of length {len(vector)}.")
        return iter([vector.view_as(self._forward)]) if self._full else (c * vector[:, None] for c in self._passes)

    def _gradients(self, cotangent: Tensor) -> list[Tensor]:
        self.backward_passes += 1
        gradients = vjp(self._forward, self._parameters, cotangent)
        return [
            torch.zeros_like(p) if g is None else _dense(g) for p, g in zip(self._parameters, gradients, strict=True)
        ]

    def _line(self) -> str:
        return f"of {counted(self.size, 'row')}, never formed"


def _second_derivative(transposed: Sequence[Tensor], source: Tensor, cotangents: Sequence[Tensor]) -> Gradients:
    try:
        return vjp(transposed, [source], cotangents)
    except RuntimeError as error:
        words = ("once_differentiable", "is not implemented")
        if not isinstance(error, NotImplementedError) and not any(word in str(error) for word in words):
            raise
        raise KernelError(
            "A product with the kernel is the backward pass of a backward pass, and an operation of this network has "
            f"none: {str(error).splitlines()[0].rstrip('.')}. Use empirical_ntk, or forms, which take one pass."
        ) from error


def _dense(gradient: Tensor) -> Tensor:
    return gradient if gradient.layout == torch.strided else gradient.to_dense()


@contextmanager
def kernel_operator(
    model: nn.Module,
    x: Tensor,
    output: str = "sum",
    batch_norm: str = "frozen",
    parameters: str | Sequence[str] = "weights",
    labels: Tensor | None = None,
    verify: bool = True,
) -> Iterator[KernelOperator]:
    """Let the kernel of a batch act as an operator; the model is as it was when the context ends.

    Args:
        model: As in ``empirical_ntk``.
        x: The batch.
        output: Output reduction.
        batch_norm: Batch-norm policy.
        parameters: Parameter set, or names of parameters.
        labels: Classes of x.
        verify: Whether to check on four samples that the network is one fixed function and that the policy suits it,
            and on the batch that its backward pass is its derivative; see ``empirical_ntk``.

    Yields:
        The operator, which works inside the context alone.

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If the kernel is not defined for this module and batch.

    Example:
        >>> with kernel_operator(nn.Linear(3, 2), torch.eye(3)) as K:
        ...     K.form(torch.ones(3)), K.product(torch.tensor([1.0, 0.0, 0.0])).tolist()
        (6.0, [2.0, 0.0, 0.0])
    """
    (batch,) = preparation.checked_batches(x, labels=labels)
    with open_operator(model, batch, Choices.of(output, batch_norm, parameters), verify=verify) as kernel:
        yield kernel


@contextmanager
def open_operator(model: nn.Module, batch: Batch, choices: Choices, *, verify: bool = True) -> Iterator[KernelOperator]:
    """Let the kernel that some choices name act as an operator; see ``kernel_operator``.

    Args:
        model: The network.
        batch: The batch.
        choices: Which kernel, without normalisation.
        verify: Whether to check the network and its backward pass.

    Yields:
        The operator.

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If the kernel is not defined for this module and batch.
    """
    preparation.check_model(model)
    with under_policy(model, [batch], choices) as network:
        if verify:
            _verify(network, batch)
        network.policy.record()
        yield KernelOperator(network, batch)


def _verify(network: NetworkUnderPolicy, batch: Batch) -> None:
    """Check that this is one fixed function that its policy suits, and that its backward pass is its derivative."""
    repeatability.check(network, batch.x)
    if not network.couples_samples:
        decoupling.check(network, batch.x, tapped=False)
    network.policy.record()
    verification.proof(network, [batch])
