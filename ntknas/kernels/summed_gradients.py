"""The contraction of vilhess's code: gradients are summed over the entries of a parameter tensor before the product.

s_p[n] = Σ_a ∂f(x_n)/∂θ_{p,a} for each parameter tensor p, and K = Σ_p s_p s_pᵀ. This is not the tangent kernel
Σ_{p,a} ∂f(x_i)/∂θ_{p,a} ∂f(x_j)/∂θ_{p,a}: each tensor counts by one number, and its rank is at most their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ntknas.core.errors import ChoiceError, KernelError
from ntknas.kernels import decoupling, outputs, preparation, repeatability, verification
from ntknas.kernels.batch_norm import Policy, applied
from ntknas.kernels.gradients import real
from ntknas.kernels.gram import Factors
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.projections import TOLERANCE
from ntknas.kernels.strategies import layer_wise, per_sample
from ntknas.kernels.strategies.layer_wise import Context, LayerTap, NotLayerWiseError, Tapping

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

    Where samples do not see one another this is one forward and one backward pass, else one backward pass a sample.

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
        raise ChoiceError(f"Summed gradients have the output reduction 'sum' or 'label', got {output!r}.")
    if chunk is not None and chunk < 1:
        raise KernelError(f"A chunk has at least one sample, got {chunk}.")
    preparation.check_model(model)
    (x,), _ = preparation.checked_batches(x, None, labels, None)
    chosen, _ = preparation.request(model, [x], output, batch_norm, parameters)
    with preparation.prepared(model, chosen, x), applied(model, batch_norm) as policy:
        work = _Sums(model, policy, chosen, output)
        return work.compute(x, labels, verify, chunk)


class _Sums:
    """Sums of gradients of one network under its policy."""

    def __init__(self, model: nn.Module, policy: Policy, parameters: dict[str, nn.Parameter], output: str):
        self.model = model
        self.policy = policy
        self.parameters = parameters
        self.output = output

    def compute(self, x: Tensor, labels: Tensor | None, verify: bool, chunk: int | None) -> Tensor:
        blockers = layer_wise.blockers(self.model, self.parameters)
        if verify:
            repeatability.check(self.model, self.policy, x)
        if verify and not self.policy.couples_samples:
            check = decoupling.check(self.model, self.policy, self.parameters, x, tapped=not blockers)
            decoupling.refuse_mixing(self.policy, check.mixes)
            blockers += ["samples are mixed"] * check.mixes + [check.blocker] * bool(check.blocker)
        self._freeze(x)
        if verify:
            network = verification.Network(self.model, self.policy, self.parameters, self.output)
            verification.proof(network, [x], [labels], None if self.policy.couples_samples else chunk)
        if blockers or self.policy.couples_samples:
            return self._by_sample(x, labels, chunk)
        try:
            sums = self._by_layer(x, labels, chunk)
        except (KernelError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            return self._by_sample(x, labels, chunk)  # what taps cannot do; a true fault comes up again there
        return sums if not verify or self._agrees(sums, x, labels, chunk) else self._by_sample(x, labels, chunk)

    def _freeze(self, x: Tensor) -> None:
        """Record the frozen statistics over the whole batch."""
        if self.policy.name == "frozen" and self.policy.modules:
            self.policy.record()
            with torch.no_grad():
                outputs.of(self.model, x)
            self.policy.start()

    def _by_layer(self, x: Tensor, labels: Tensor | None, chunk: int | None) -> Tensor:
        """Sum what every layer hands over in one backward pass of a chunk."""
        return torch.cat([self._by_layer_at_once(*some) for some in _chunks(x, labels, chunk)])

    def _by_layer_at_once(self, x: Tensor, labels: Tensor | None) -> Tensor:
        columns = self._columns()
        sums = torch.zeros(len(x), len(self.parameters), dtype=torch.float64)

        def take(tap: LayerTap) -> None:
            for piece, part in enumerate(_tap_sums(tap)):
                sums[:, columns[tap.number, piece]] += part.cpu()

        tapping = Tapping(self.model, self.policy, self.parameters, len(x))
        tapping.deliver = take
        with tapping.active():
            outcome = outputs.of(self.model, x)
            (cotangent,) = outputs.passes(self.output, outcome, labels)
            outside = tapping.backward(outcome, cotangent, list(self.parameters.values()), last=True)
        if any(gradient is not None for gradient in outside):
            raise NotLayerWiseError("a parameter is used outside its layer")
        return sums

    def _columns(self) -> dict[tuple[int, int], int]:
        """Return the column of what a layer hands over, by its place in the network and the piece's in the layer."""
        places = {id(parameter): column for column, parameter in enumerate(self.parameters.values())}
        columns = {}
        for number, module in enumerate(self.model.modules()):
            own = [module._parameters.get(name) for name in ("weight", "bias")]
            for piece, column in enumerate(places[id(p)] for p in own if id(p) in places):
                columns[number, piece] = column
        return columns

    def _by_sample(self, x: Tensor, labels: Tensor | None, chunk: int | None) -> Tensor:
        """Sum the gradients of one backward pass for each sample: the oracle."""
        sums = []
        for some, classes in _chunks(x, labels, None if self.policy.couples_samples else chunk):
            outcome = outputs.of(self.model, some)
            (cotangent,) = outputs.passes(self.output, outcome, classes)
            for sample in range(len(some)):
                alone = torch.zeros_like(cotangent)
                alone[sample] = cotangent[sample]
                sums.append(self._tensor_sums(outcome, alone))
        return torch.stack(sums)

    def _agrees(self, sums: Tensor, x: Tensor, labels: Tensor | None, chunk: int | None) -> bool:
        """Whether a random combination of the samples has the sums of its own plain backward pass."""
        generator = torch.Generator().manual_seed(0)
        weights = torch.rand(len(x), generator=generator, dtype=torch.float64) + 0.5
        expected = torch.zeros(len(self.parameters), dtype=torch.float64)
        for (some, classes), w in zip(_chunks(x, labels, chunk), weights.split(chunk or len(x)), strict=True):
            outcome = outputs.of(self.model, some)
            (cotangent,) = outputs.passes(self.output, outcome, classes)
            expected += self._tensor_sums(outcome, cotangent * w.to(cotangent)[:, None])
        error = (weights @ sums - expected).norm()
        return bool(error <= TOLERANCE[x.dtype if x.is_floating_point() else torch.float32] * expected.norm())

    def _tensor_sums(self, outcome: Tensor, cotangent: Tensor) -> Tensor:
        """Return the sum of the gradient's entries by parameter tensor, zero where nothing depends on it."""
        if not outcome.requires_grad:
            return torch.zeros(len(self.parameters), dtype=torch.float64)
        parameters = list(self.parameters.values())
        outputs.check_precision(outcome, parameters)
        found = torch.autograd.grad(outcome, parameters, cotangent, retain_graph=True, allow_unused=True)
        return torch.tensor(
            [0.0 if g is None else float(real(g).sum(dtype=torch.float64)) for g in found], dtype=torch.float64
        )


def _chunks(x: Tensor, labels: Tensor | None, chunk: int | None) -> list[tuple[Tensor, Tensor | None]]:
    size = chunk or len(x)
    classes = [None] * -(-len(x) // size) if labels is None else labels.split(size)
    return list(zip(x.split(size), classes, strict=True))


def _tap_sums(tap: LayerTap) -> Iterator[Tensor]:
    """Yield the sums over the entries of a layer's weight and of its bias, as far as they are wanted.

    The entries of a row g ⊗ a sum to the product of the sums of g and a: of a layer that sums over its channels, one
    channel is enough.
    """
    if not isinstance(tap.module, nn.Linear | nn.Conv1d | nn.Conv2d) or getattr(tap.module, "groups", 1) > 1:
        yield from (_row_sums(piece) for piece in tap.pieces())
        return
    along = -1 if isinstance(tap.module, nn.Linear) else 1
    calls = [(_summed(x, along), _summed(gradient, along), context) for x, gradient, context in tap.received]
    if "weight" in tap.wanted:
        yield torch.stack([_weight_sums(tap.module, *call) for call in calls]).sum(0)
    if "bias" in tap.wanted:
        yield torch.stack([gradient.flatten(1).sum(1) for _, gradient, _ in calls]).sum(0)


def _weight_sums(module: nn.Module, x: Tensor, gradient: Tensor, context: Context) -> Tensor:
    """Return the sums of the rows of a weight from inputs and output gradients that are summed over channels."""
    if isinstance(module, nn.Linear):
        return (x * gradient).flatten(1).sum(1)
    assert isinstance(module, nn.Conv1d | nn.Conv2d)
    return per_sample.convolution_weight(x, gradient, module.kernel_size, context, any_order=True).sum(1)


def _summed(values: Tensor, along: int) -> Tensor:
    return values.detach().sum(along, keepdim=True, dtype=torch.float64)


def _row_sums(piece: Tensor | Factors) -> Tensor:
    """Return the sum of every row, of a row g ⊗ a the product of the sums."""
    if isinstance(piece, Tensor):
        return piece.sum(1, dtype=torch.float64)
    left, right = (factor.sum(1, dtype=torch.float64) for factor in piece)
    return left * right
