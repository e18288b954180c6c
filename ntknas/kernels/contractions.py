"""Jacobians in which each parameter tensor counts by one number: a linear form of its gradient.

One forward pass of a batch, and one backward pass for each pass of the output reduction, give the numbers of all
samples where these do not see one another; no more of a gradient is formed than the form needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.kernels import decoupling, outputs, preparation, repeatability, verification
from ntknas.kernels.batch import Batch
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.method import Method
from ntknas.kernels.network import NetworkUnderPolicy, under_policy
from ntknas.kernels.projections import TOLERANCE
from ntknas.kernels.strategies import layer_wise
from ntknas.kernels.strategies.tapping import LayerTap, Tapping


@dataclass(frozen=True)
class Form:
    """A linear form on the gradients of a parameter tensor.

    Attributes:
        of_tap: Takes a layer's tap to the numbers of the samples, N for its weight and its bias, as far as they are in
            the parameter set.
        of_gradient: The same number of one gradient of a tensor.
    """

    of_tap: Callable[[LayerTap], Iterable[Tensor]]
    of_gradient: Callable[[Tensor], float]


def contracted_jacobian(
    model: nn.Module, batch: Batch, choices: Choices, form: Form, *, verify: bool = True, chunk: int | None = None
) -> Tensor:
    """Compute the numbers of all samples, passes and parameter tensors.

    Args:
        model: The network.
        batch: The batch.
        choices: Output reduction, batch-norm policy and parameter set; nothing is normalised.
        form: What a tensor's gradient counts by.
        verify: Whether to check policy and numbers.
        chunk: Samples per pass where they do not see one another; ``None`` for all.

    Returns:
        The numbers, N×passes×P, one column for each parameter tensor in the order of the set, float64, on the CPU.

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If they are not defined for this module and batch.
    """
    method = Method(verify=verify, chunk=chunk)
    preparation.check_model(model)
    with under_policy(model, [batch], choices) as network:
        return _Contraction(network, batch, method, form).compute()


@dataclass(eq=False)
class _Contraction:
    """The numbers of one network on one batch.

    Attributes:
        network: The network.
        batch: The batch.
        method: How to compute them.
        form: What a tensor's gradient counts by.
    """

    network: NetworkUnderPolicy
    batch: Batch
    method: Method
    form: Form

    def compute(self) -> Tensor:
        """Compute the numbers layer by layer, or sample by sample where that does not apply."""
        blockers = layer_wise.blockers(self.network)
        if self.method.verify:
            blockers += self._checked(tapped=not blockers)
        self.network.record_statistics(self.batch.x)
        if self.method.verify:
            verification.proof(self.network, [self.batch], self.method.chunk)
        if blockers or self.network.couples_samples:
            return self._by_sample()
        try:
            numbers = self._by_layer()
        except (KernelError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            return self._by_sample()  # what taps cannot do; a true fault comes up again there
        return numbers if not self.method.verify or self._agrees(numbers) else self._by_sample()

    def _checked(self, *, tapped: bool) -> list[str]:
        """Check that the network is a fixed function that its policy suits; return what speaks against layers."""
        repeatability.check(self.network, self.batch.x)
        if self.network.couples_samples:
            return []
        return decoupling.check(self.network, self.batch.x, tapped=tapped).blockers

    def _chunks(self) -> list[Batch]:
        return self.batch.split(None if self.network.couples_samples else self.method.chunk)

    def _by_layer(self) -> Tensor:
        """Contract what every layer hands over in the backward passes of a chunk."""
        return torch.cat([self._by_layer_at_once(chunk) for chunk in self._chunks()])

    def _by_layer_at_once(self, chunk: Batch) -> Tensor:
        columns = self._columns()
        numbers: list[Tensor] = []

        def add(tap: LayerTap) -> None:
            for index, values in enumerate(self.form.of_tap(tap)):
                numbers[-1][:, columns[tap.number, index]] += values.cpu()

        tapping = Tapping(self.network, len(chunk))
        tapping.deliver = add
        with tapping.active():
            output = self.network.output(chunk.x)
            passes = self.network.passes(output, chunk.labels)
            for number, cotangent in enumerate(passes, 1):
                numbers.append(torch.zeros(len(chunk), len(self.network.parameters), dtype=torch.float64))
                last = number == len(passes)
                outside = tapping.backward(output, cotangent, [*self.network.leaves], last=last)
                layer_wise.check_inside(self.network, outside)
        return torch.stack(numbers, 1)

    def _columns(self) -> dict[tuple[int, int], int]:
        """Return the column of what a layer hands over, by the layer's number and the index of the piece."""
        by_parameter = {id(parameter): column for column, parameter in enumerate(self.network.leaves)}
        columns = {}
        for number, module in enumerate(self.network.model.modules()):
            parameters = [module._parameters.get(name) for name in ("weight", "bias")]
            for index, column in enumerate(by_parameter[id(p)] for p in parameters if id(p) in by_parameter):
                columns[number, index] = column
        return columns

    def _by_sample(self) -> Tensor:
        """Contract the gradients of one backward pass for each sample and pass: the oracle."""
        numbers = []
        for chunk in self._chunks():
            output = self.network.output(chunk.x)
            passes = self.network.passes(output, chunk.labels)
            for sample in range(len(chunk)):
                rows = [self._of_tensors(output, _alone(cotangent, sample)) for cotangent in passes]
                numbers.append(torch.stack(rows))
        return torch.stack(numbers)

    def _agrees(self, numbers: Tensor) -> bool:
        """Return whether a random combination of samples and passes has the numbers of its own plain backward pass."""
        generator = torch.Generator().manual_seed(0)
        # Away from zero, so that every sample counts.
        weights = torch.rand(numbers.shape[:2], generator=generator, dtype=torch.float64) + 0.5
        expected = torch.zeros(len(self.network.parameters), dtype=torch.float64)
        for chunk, w in zip(self._chunks(), weights.split(self.method.chunk or len(self.batch)), strict=True):
            output = self.network.output(chunk.x)
            passes = self.network.passes(output, chunk.labels)
            mixed = sum(cotangent * w.to(cotangent)[:, k, None] for k, cotangent in enumerate(passes))
            assert isinstance(mixed, Tensor)
            expected += self._of_tensors(output, mixed)
        error = (torch.einsum("nk,nkp->p", weights, numbers) - expected).norm()
        x = self.batch.x
        return bool(error <= TOLERANCE[x.dtype if x.is_floating_point() else torch.float32] * expected.norm())

    def _of_tensors(self, output: Tensor, cotangent: Tensor) -> Tensor:
        """Return the number of the gradient of every parameter tensor, zero where nothing depends on it."""
        if output.requires_grad:
            outputs.check_precision(output, self.network.leaves)
        numbers = [0.0 if g is None else self.form.of_gradient(g) for g in self.network.vjp(output, cotangent)]
        return torch.tensor(numbers, dtype=torch.float64)


def _alone(cotangent: Tensor, sample: int) -> Tensor:
    alone = torch.zeros_like(cotangent)
    alone[sample] = cotangent[sample]
    return alone
