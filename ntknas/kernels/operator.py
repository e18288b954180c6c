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
from ntknas.kernels import decoupling, outputs, preparation, repeatability, verification
from ntknas.kernels.batch_norm import applied
from ntknas.kernels.gradients import real
from ntknas.kernels.strategies import row_loop


class KernelOperator:
    """The kernel of one batch as a linear map; made by ``kernel_operator``.

    Args:
        forward: The network's output on the batch, N×C, with its graph.
        parameters: What the Jacobian is taken by.
        choices: Which kernel it is.
        labels: Labels of the batch, or ``None``.

    Attributes:
        size: Number of rows of the kernel.
        backward_passes: How many there were.
    """

    def __init__(self, forward: Tensor, parameters: Sequence[nn.Parameter], choices: Choices, labels: Tensor | None):
        self.choices = choices
        self.labels = labels
        self._forward = forward
        outputs.check_precision(forward, parameters)
        self._parameters = list(parameters)
        self._full = choices.output == "full"
        self._passes: Sequence[Tensor] = [] if self._full else outputs.passes(choices.output, forward, labels)
        self.size = forward.numel() if self._full else len(forward)
        self.backward_passes = 0

    def transposed(self, vector: Tensor) -> Iterator[list[Tensor]]:
        """Yield Jᵀv for every pass, as one gradient for each parameter."""
        return (self._gradients(cotangent) for cotangent in self._cotangents(vector.to(self._forward)))

    def form(self, vector: Tensor) -> float:
        """Return vᵀKv, sums in float64."""
        return sum(_squares(gradients) for gradients in self.transposed(vector))

    def rows(self, count: int, rows_at_once: int = 1) -> Tensor:
        """Return the first rows of J, of the first pass."""
        if self._full:
            raise KernelError("Rows of the full kernel are not kept apart by class: use empirical_ntk.")
        self.backward_passes += -(-count // rows_at_once)
        wanted = row_loop.Rows(self._passes[0], range(min(count, len(self._forward))))
        return row_loop.jacobian_rows(self._forward, wanted, self._parameters, rows_at_once)

    def product(self, vector: Tensor) -> Tensor:
        """Return Kv, shape n, float64 on the CPU.

        Raises:
            KernelError: If an operation of the network has no second derivative.
        """
        total = torch.zeros(self.size, dtype=torch.float64)
        for gradients, (source, transposed) in zip(self.transposed(vector), self._linear, strict=True):
            pairs = [(t, g) for t, g in zip(transposed, gradients, strict=True) if t is not None and t.requires_grad]
            if not pairs:
                continue
            self.backward_passes += 1
            (product,) = _second_derivative([t for t, _ in pairs], source, [g for _, g in pairs])
            if product is not None:
                total += product.double().cpu()
        return total

    def class_forms(self) -> ClassForms:
        """Return the quadratic forms in the indicators of the classes, one backward pass a class.

        Raises:
            KernelError: Without labels, and for ``traced`` and ``full``.
        """
        if self.labels is None or self.choices.output not in ("sum", "label"):
            raise KernelError("Class forms need labels, and output 'sum' or 'label'.")
        labels = self.labels.cpu()
        counts, by_class, total = [], [], [torch.zeros(p.shape, dtype=torch.float64) for p in self._parameters]
        for each in labels.unique():
            (gradients,) = self.transposed((labels == each).double())
            counts.append(int((labels == each).sum()))
            by_class.append(_squares(gradients))
            for part, gradient in zip(total, gradients, strict=True):
                part += real(gradient).double().cpu()
        return ClassForms(tuple(counts), tuple(by_class), _squares(total), self.choices)

    @cached_property
    def _linear(self) -> list[tuple[Tensor, tuple[Tensor | None, ...]]]:
        """For every pass a vector v and Jᵀv with its graph, to be differentiated by v."""
        found: list[tuple[Tensor, tuple[Tensor | None, ...]]] = []
        source = torch.zeros(self.size, dtype=self._forward.dtype, device=self._forward.device, requires_grad=True)
        for cotangent in self._cotangents(source):
            transposed = (
                torch.autograd.grad(self._forward, self._parameters, cotangent, create_graph=True, allow_unused=True)
                if self._forward.requires_grad
                else (None,) * len(self._parameters)
            )
            found.append((source, transposed))
        self.backward_passes += len(found)
        return found

    def _cotangents(self, vector: Tensor) -> Iterator[Tensor]:
        if len(vector) != self.size:
            raise KernelError(f"A vector of length {self.size} is needed, got one of length {len(vector)}.")
        return iter([vector.view_as(self._forward)]) if self._full else (c * vector[:, None] for c in self._passes)

    def _gradients(self, cotangent: Tensor) -> list[Tensor]:
        self.backward_passes += 1
        if not self._forward.requires_grad:
            return [torch.zeros_like(p) for p in self._parameters]
        found = torch.autograd.grad(self._forward, self._parameters, cotangent, retain_graph=True, allow_unused=True)
        return [torch.zeros_like(p) if g is None else _dense(g) for p, g in zip(self._parameters, found, strict=True)]


def _second_derivative(
    transposed: Sequence[Tensor], source: Tensor, cotangents: Sequence[Tensor]
) -> tuple[Tensor | None, ...]:
    try:
        return torch.autograd.grad(transposed, source, cotangents, retain_graph=True, allow_unused=True)
    except RuntimeError as error:
        words = ("once_differentiable", "is not implemented")
        missing = isinstance(error, NotImplementedError) or any(word in str(error) for word in words)
        if not missing:
            raise
        raise KernelError(
            "A product with the kernel is the backward pass of a backward pass, and an operation of this network has "
            f"none: {str(error).splitlines()[0].rstrip('.')}. Use empirical_ntk, or forms, which take one pass."
        ) from error


def _dense(gradient: Tensor) -> Tensor:
    return gradient if gradient.layout == torch.strided else gradient.to_dense()


def _squares(found: Sequence[Tensor]) -> float:
    return sum(float(real(gradient).double().square().sum()) for gradient in found)


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

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If the kernel is not defined for this module and batch.

    Example:
        >>> with kernel_operator(nn.Linear(3, 2), torch.eye(3)) as K:
        ...     K.form(torch.ones(3)), K.product(torch.tensor([1.0, 0.0, 0.0])).tolist()
        (6.0, [2.0, 0.0, 0.0])
    """
    preparation.check_model(model)
    batches, (y,) = preparation.checked_batches(x, None, labels, None)
    chosen, choices = preparation.request(model, batches, output, batch_norm, parameters)
    with preparation.prepared(model, chosen, x), applied(model, batch_norm) as policy:
        if verify:
            _verify(verification.Network(model, policy, chosen, output), batches, y)
        if policy.name == "frozen":
            policy.record()
        yield KernelOperator(outputs.of(model, batches[0]), list(chosen.values()), choices, y)


def _verify(network: verification.Network, batches: Sequence[Tensor], labels: Tensor | None) -> None:
    """Check that this is one fixed function that its policy suits, and that its backward pass is its derivative."""
    model, policy, (x,) = network.model, network.policy, batches
    repeatability.check(model, policy, x)
    if not policy.couples_samples:
        decoupling.refuse_mixing(policy, decoupling.check(model, policy, network.parameters, x, tapped=False).mixes)
    if policy.name == "frozen":
        policy.record()
    verification.proof(network, batches, [labels])
