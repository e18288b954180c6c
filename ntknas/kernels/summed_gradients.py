"""The contraction of vilhess's code: gradients are summed over the entries of a parameter tensor before the product.

s_p[n] = Σ_a ∂f(x_n)/∂θ_{p,a} for each parameter tensor p, and K = Σ_p s_p s_pᵀ. This is not the tangent kernel
Σ_{p,a} ∂f(x_i)/∂θ_{p,a} ∂f(x_j)/∂θ_{p,a}: each tensor counts by one number, and its rank is at most their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.kernels import decoupling, outputs, preparation, repeatability, verification
from ntknas.kernels.batch import Batch
from ntknas.kernels.chunks import Piece
from ntknas.kernels.gradients import real
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.method import Method
from ntknas.kernels.network import NetworkUnderPolicy, under_policy
from ntknas.kernels.projections import TOLERANCE
from ntknas.kernels.strategies import layer_wise, per_sample
from ntknas.kernels.strategies.per_sample import Geometry
from ntknas.kernels.strategies.tapping import Context, LayerTap, Tapping

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
    method = Method(verify=verify, chunk=chunk)
    preparation.check_model(model)
    with under_policy(model, [batch], choices) as network:
        return _Sums(network, batch, method).compute()


@dataclass(eq=False)
class _Sums:
    """Sums of gradients of one network on one batch.

    Attributes:
        network: The network.
        batch: The batch.
        method: How to compute them.
    """

    network: NetworkUnderPolicy
    batch: Batch
    method: Method

    def compute(self) -> Tensor:
        """Compute the sums layer by layer, or sample by sample where that does not apply."""
        blockers = layer_wise.blockers(self.network)
        if self.method.verify:
            blockers += self._checked(tapped=not blockers)
        self.network.record_statistics(self.batch.x)
        if self.method.verify:
            verification.proof(self.network, [self.batch], self.method.chunk)
        if blockers or self.network.couples_samples:
            return self._by_sample()
        try:
            sums = self._by_layer()
        except (KernelError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            return self._by_sample()  # what taps cannot do; a true fault comes up again there
        return sums if not self.method.verify or self._agrees(sums) else self._by_sample()

    def _checked(self, *, tapped: bool) -> list[str]:
        """Check that the network is a fixed function that its policy suits; return what speaks against layers."""
        repeatability.check(self.network, self.batch.x)
        if self.network.couples_samples:
            return []
        return decoupling.check(self.network, self.batch.x, tapped=tapped).blockers

    def _chunks(self) -> list[Batch]:
        return self.batch.split(None if self.network.couples_samples else self.method.chunk)

    def _by_layer(self) -> Tensor:
        """Sum what every layer hands over in one backward pass of a chunk."""
        return torch.cat([self._by_layer_at_once(chunk) for chunk in self._chunks()])

    def _by_layer_at_once(self, chunk: Batch) -> Tensor:
        columns = self._columns()
        sums = torch.zeros(len(chunk), len(self.network.parameters), dtype=torch.float64)

        def add(tap: LayerTap) -> None:
            for index, values in enumerate(_tap_sums(tap)):
                sums[:, columns[tap.number, index]] += values.cpu()

        tapping = Tapping(self.network, len(chunk))
        tapping.deliver = add
        with tapping.active():
            output = self.network.output(chunk.x)
            (cotangent,) = self.network.passes(output, chunk.labels)
            outside = tapping.backward(output, cotangent, [*self.network.leaves], last=True)
        layer_wise.check_inside(self.network, outside)
        return sums

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
        """Sum the gradients of one backward pass for each sample: the oracle."""
        sums = []
        for chunk in self._chunks():
            output = self.network.output(chunk.x)
            (cotangent,) = self.network.passes(output, chunk.labels)
            for sample in range(len(chunk)):
                alone = torch.zeros_like(cotangent)
                alone[sample] = cotangent[sample]
                sums.append(self._tensor_sums(output, alone))
        return torch.stack(sums)

    def _agrees(self, sums: Tensor) -> bool:
        """Return whether a random combination of the samples has the sums of its own plain backward pass."""
        generator = torch.Generator().manual_seed(0)
        # Away from zero, so that every sample counts.
        weights = torch.rand(len(self.batch), generator=generator, dtype=torch.float64) + 0.5
        expected = torch.zeros(len(self.network.parameters), dtype=torch.float64)
        for chunk, w in zip(self._chunks(), weights.split(self.method.chunk or len(self.batch)), strict=True):
            output = self.network.output(chunk.x)
            (cotangent,) = self.network.passes(output, chunk.labels)
            expected += self._tensor_sums(output, cotangent * w.to(cotangent)[:, None])
        error = (weights @ sums - expected).norm()
        x = self.batch.x
        return bool(error <= TOLERANCE[x.dtype if x.is_floating_point() else torch.float32] * expected.norm())

    def _tensor_sums(self, output: Tensor, cotangent: Tensor) -> Tensor:
        """Return the sum of the gradient's entries by parameter tensor, zero where nothing depends on it."""
        if output.requires_grad:
            outputs.check_precision(output, self.network.leaves)
        sums = [
            0.0 if gradient is None else float(real(gradient).sum(dtype=torch.float64))
            for gradient in self.network.vjp(output, cotangent)
        ]
        return torch.tensor(sums, dtype=torch.float64)


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
