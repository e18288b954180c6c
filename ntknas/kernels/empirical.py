"""The one entry point: the empirical neural tangent kernel of any module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.core.layer_kernel import LayerKernel
from ntknas.kernels import decoupling, layers, preparation, repeatability, verification
from ntknas.kernels.batch import Batch
from ntknas.kernels.chunks import Receive, assembled
from ntknas.kernels.gram import GramAccumulator
from ntknas.kernels.layer_inputs import LayerInputs
from ntknas.kernels.layered_gram import LayeredGram
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.method import LAYER_WISE, ROW_LOOP, STRATEGIES, Method
from ntknas.kernels.network import NetworkUnderPolicy, under_policy
from ntknas.kernels.normalisation import normalised
from ntknas.kernels.strategies import layer_wise, row_loop
from ntknas.kernels.strategies.tapping import NotLayerWiseError
from ntknas.kernels.verification import Proof

_Sweep = Callable[[Batch, int, Receive], tuple[int, int]]
"""Hands over the rows of a chunk with so many rows per sample; returns how many outputs and passes there were."""

__all__ = ["STRATEGIES", "compute_kernel", "empirical_ntk"]


def empirical_ntk(
    model: nn.Module,
    x: Tensor,
    output: str = "sum",
    batch_norm: str = "frozen",
    parameters: str | Sequence[str] = "weights",
    labels: Tensor | None = None,
    x2: Tensor | None = None,
    labels2: Tensor | None = None,
    normalisation: str = "none",
    strategy: str = "auto",
    verify: bool = True,
    chunk: int | None = None,
    rows_at_once: int = 1,
    by_layer: bool = False,
    layer_inputs: bool = False,
) -> Kernel:
    """Compute K = J Jᵀ for the rows of J that the choices name.

    Dropout is off, and so is what the caller may have switched on: autocast, TF32, compiled graphs, fused attention.
    The model is left as it was: modes, running statistics, gradients, ``requires_grad``; so is x.

    Args:
        model: Any module with a real tensor as output, one row per sample; further dimensions count as outputs. Complex
            parameters count as real and imaginary parts. Blocks of re-entrant checkpoints run without checkpoint.
        x: The batch, N×…; same precision and device as the model. Rows of J have this precision, K is float64.
        output: Output reduction (``ntknas.core.choices.OUTPUTS``).
        batch_norm: Batch-norm policy (``BATCH_NORMS``).
        parameters: Parameter set (``PARAMETERS``), or names of parameters.
        labels: Classes of x, shape N; needed by ``output="label"`` and by measures that use labels.
        x2: A second batch for a cross-kernel, with the same rows on both sides. Under ``frozen`` the statistics are
            those of x; under ``coupled`` each batch has its own.
        labels2: Classes of x2.
        normalisation: Normalisation of K (``NORMALISATIONS``).
        strategy: ``auto``, ``layer-wise`` or ``row-loop``.
        verify: Whether to prove the kernel on the same batch: backward passes by the change of the outputs along a
            direction in the parameters, in forward mode, and the kernel by these passes, falling back to the row loop
            where a layer-wise one is wrong; and before, on four samples, that the network is one fixed function that
            the policy and the strategy suit. Without, the module tree alone decides, and rows are what autograd
            returns: for networks of a family for which all this was proved, and for gradients that are meant to be
            others, as those of straight-through estimators.
        chunk: How many samples to take at a time, for less memory: the rows of one chunk (chunk × parameters numbers),
            and of more as memory allows (a quarter of what is free, 512 MiB at most), are held while the others pass.
            Where samples are coupled the whole batch is passed, and ``chunk`` rows are computed at a time.
        rows_at_once: How many rows a backward pass of the row loop computes: more are faster where launching operations
            takes longer than computing them, in as many times the memory.
        by_layer: Whether the kernel's ``layers`` hold what each layer adds, K = Σ_l K_l, from the same passes: a module
            whose own parameters are among those of the set is a layer, and a tied parameter belongs to the first.
        layer_inputs: Whether they hold the Gram matrices of the layers' inputs beside, too.

    Returns:
        The kernel: N×N, N×M with x2, or NC×NC (row i·C + c) for ``full``.

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If the kernel is not defined for this module and batch, or not by this strategy; the message
            names the remedy.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> K = empirical_ntk(nn.Linear(3, 2), torch.eye(3), parameters="weights")
        >>> K.matrix.tolist()
        [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]
    """
    choices = Choices.of(output, batch_norm, parameters, normalisation)
    method = Method(strategy, verify, chunk, rows_at_once, by_layer, layer_inputs)
    return compute_kernel(model, preparation.checked_batches(x, x2, labels, labels2), choices, method)


def compute_kernel(
    model: nn.Module,
    sides: Sequence[Batch],
    choices: Choices,
    method: Method | None = None,
    *,
    reference: Tensor | None = None,
    weights: Sequence[float] | None = None,
) -> Kernel:
    """Compute the kernel that some choices name; see ``empirical_ntk``.

    Args:
        model: The network.
        sides: One batch, or two for a cross-kernel.
        choices: Which kernel; its precision is that of network and batches, whatever the choices say.
        method: How to compute it.
        reference: Samples whose statistics ``frozen`` takes; those of the first batch without them.
        weights: Weights of the parts of the one batch, for a kernel whose rows are weighted sums of the parts' rows.

    Returns:
        The kernel.

    Raises:
        ChoiceError: If a choice is unknown.
        KernelError: If the kernel is not defined for this module and batch, or not by this strategy.
    """
    method = method or Method()
    _check_layers(method, sides, choices)
    preparation.check_model(model)
    with under_policy(model, sides, choices) as network:
        if method.verify:  # first: of a random function no two passes could be compared
            repeatability.check(network, sides[0].x)
        strategy = _choose(network, sides, method)
        return _Computation(network, sides, method, reference, weights).kernel(strategy)


def _check_layers(method: Method, sides: Sequence[Batch], choices: Choices) -> None:
    """Check that what is asked for of layers is there.

    Raises:
        KernelError: If layers would not add up to the kernel, or inputs are of two batches.
    """
    if method.by_layer and choices.normalisation != "none":
        raise KernelError(
            f"Layers add up to a kernel without `normalisation`, got {choices.normalisation!r}: normalise each "
            "layer's kernel yourself, or set it to 'none'."
        )
    if method.layer_inputs and not method.by_layer:
        raise KernelError("`layer_inputs` belong to the layers of a kernel `by_layer`: set both.")
    if method.layer_inputs and (len(sides) > 1 or sides[0].parts):
        raise KernelError("`layer_inputs` are of one batch that is neither attacked nor held against another.")


def _choose(network: NetworkUnderPolicy, sides: Sequence[Batch], method: Method) -> str:
    """Return the strategy to use: what was asked for, if it is exact for this network.

    Raises:
        KernelError: If samples mix under a per-sample policy, or the strategy that was asked for does not apply.
    """
    blockers = layer_wise.blockers(network)
    if network.couples_samples:
        blockers.append("BatchNorm couples the samples")
    elif method.verify:
        tapped = method.strategy != ROW_LOOP and not blockers
        blockers += decoupling.check(network, _samples_to_check(sides), tapped=tapped).blockers
    if method.strategy == LAYER_WISE and blockers:
        raise KernelError(_not_exact("; ".join(blockers)))
    return ROW_LOOP if blockers or method.strategy == ROW_LOOP else LAYER_WISE


def _not_exact(reason: str) -> str:
    return f"The strategy 'layer-wise' is not exact for this network: {reason}. Set `strategy` to 'row-loop' or 'auto'."


def _samples_to_check(sides: Sequence[Batch]) -> Tensor:
    """Return the first batch, with the second where that has too few samples to tell anything."""
    alike = len({side.x.shape[1:] for side in sides}) == 1
    return torch.cat([side.x for side in sides]) if len(sides[0]) < decoupling.SAMPLES and alike else sides[0].x


@dataclass(eq=False)
class _Computation:
    """One kernel to compute.

    Attributes:
        network: The network.
        sides: One batch or two.
        method: How it was asked for.
        reference: Samples whose statistics are recorded, if not the first batch's.
        weights: Weights of the parts of the one batch, where rows are sums of theirs.
    """

    network: NetworkUnderPolicy
    sides: Sequence[Batch]
    method: Method
    reference: Tensor | None = None
    weights: Sequence[float] | None = None

    def kernel(self, strategy: str) -> Kernel:
        """Compute the kernel by a strategy, or by the row loop where that turns out not to apply.

        Returns:
            The kernel.

        Raises:
            KernelError: If no strategy that may be used computes it.
        """
        self._record_statistics()
        proof = verification.proof(self.network, self.sides, self.method.chunk) if self.method.verify else None
        if strategy == LAYER_WISE:
            try:
                return self._finished(*self._by_layers(proof), LAYER_WISE)
            except Exception as error:
                # what taps cannot do, the oracle can, in more memory; a true fault comes up again there
                if is_out_of_memory(error):
                    raise
                if self.method.strategy == LAYER_WISE:
                    raise KernelError(_not_exact(str(error))) from error
            self._record_statistics()  # afresh: taps that are wrong record wrong statistics
        return self._finished(*self._by_rows(proof), ROW_LOOP)

    @cached_property
    def _inputs(self) -> LayerInputs | None:
        return LayerInputs(self.network, len(self.sides[0])) if self.method.layer_inputs else None

    def _inputs_watched(self) -> AbstractContextManager[None]:
        """Take the layers' inputs on the way, where one pass sees the batch as it is."""
        if self._inputs is None or self.method.chunk or self.network.choices.output == "full":
            return nullcontext()
        return self._inputs.watched()

    @property
    def _accumulate(self) -> type[GramAccumulator]:
        return LayeredGram if self.method.by_layer else GramAccumulator

    def _record_statistics(self) -> None:
        """Record the statistics of the first batch, where the policy uses recorded ones.

        A single pass of a single batch records them on its way; joined, repeated or divided batches need them before.
        """
        if self.reference is not None:
            self.network.record_statistics(self.reference)
        elif len(self.sides) > 1 or self.network.choices.output == "full" or self.method.chunk:
            self.network.record_statistics(self.sides[0].x)
        elif self.network.policy.needs_recording:
            self.network.policy.record()

    def _by_layers(self, proof: Proof | None) -> tuple[GramAccumulator, int]:
        """Compute layer by layer and, if asked to, prove the result.

        Returns:
            The Gram matrix, and the number of outputs C.

        Raises:
            NotLayerWiseError: If the result is not the kernel.
        """
        if self.method.chunk:
            sweep = partial(layer_wise.sweep, self.network)
            accumulator, outputs_count = self._by_chunks(self.method.chunk, sweep)
        else:
            with self._inputs_watched():
                accumulator, outputs_count = layer_wise.gram(self.network, self.sides, self._accumulate)
        if proof and not proof.agrees(accumulator.gram):
            raise NotLayerWiseError("its kernel is not the one of plain backward passes")
        return accumulator, outputs_count

    def _by_rows(self, proof: Proof | None) -> tuple[GramAccumulator, int]:
        """Compute row by row and, if asked to, prove that rows add up to the backward pass of all.

        Returns:
            The Gram matrix, and the number of outputs C.

        Raises:
            KernelError: If they do not.
        """
        chunk, at_once = self.method.chunk, self.method.rows_at_once
        rows = min(at_once, chunk or at_once)  # `chunk` is there for less memory, whatever the other asks for
        if not chunk or self.network.couples_samples:
            with self._inputs_watched():
                accumulator, outputs_count = row_loop.gram(self.network, self.sides, chunk, rows, self._accumulate)
        else:
            sweep = partial(row_loop.sweep, self.network, rows, self.method.by_layer)
            accumulator, outputs_count = self._by_chunks(chunk, sweep)
        if proof and not proof.agrees(accumulator.gram):
            raise KernelError(
                "Backward passes of single rows do not add up to the backward pass of all: a gradient hook or an "
                "autograd.Function of this network is not linear in the gradient that it gets. Remove it, or call with "
                "verify=False, which computes what autograd returns."
            )
        return accumulator, outputs_count

    def _by_chunks(self, chunk: int, sweep: _Sweep) -> tuple[GramAccumulator, int]:
        """Compute a kernel of uncoupled samples from the rows of chunks."""
        copies = self.network.rows_per_sample(self.sides[0].x[:chunk])
        chunks = [side.split(chunk) for side in self.sides]
        outputs_count = passes = 0

        def pass_chunk(side: int, number: int, receive: Receive) -> None:
            nonlocal outputs_count, passes
            outputs_count, passes = sweep(chunks[side][number], copies, receive)

        sizes = [[len(batch) * copies for batch in side] for side in chunks]
        accumulator = self._accumulate(
            [sum(side) for side in sizes], self.network.columns, self.network.with_sums, self.sides[0].x.device
        )
        assembled(sizes, pass_chunk, accumulator)
        accumulator.columns *= passes  # rows of several outputs stand side by side
        return accumulator, outputs_count

    def _finished(self, accumulator: GramAccumulator, outputs_count: int, strategy: str) -> Kernel:
        """Normalise, and bring the kernel to the CPU."""
        # Parts have the same labels: of their rows the sums are one part's.
        choices, first = self.network.choices, self.sides[0].split(None)[0] if self.weights else self.sides[0]
        accumulator = accumulator.mixed(self.weights) if self.weights else accumulator
        symmetric = len(self.sides) == 1
        matrix, row_norms, column_norms = (
            tensor.detach().cpu() for tensor in normalised(accumulator, choices.normalisation)
        )
        kernel = Kernel(
            matrix=layers.symmetric(matrix) if symmetric else matrix,
            choices=choices,
            labels=None if first.labels is None else first.labels.detach().cpu(),
            samples=len(first),
            outputs=outputs_count,
            symmetric=symmetric,
            strategy=strategy,
            left_norms=row_norms,
            right_norms=row_norms if symmetric else column_norms,
        )
        return replace(kernel, layers=self._layers(kernel, accumulator)) if self.method.by_layer else kernel

    def _layers(self, kernel: Kernel, accumulator: GramAccumulator) -> tuple[LayerKernel, ...]:
        """Return what each layer adds; a layer without rows is dead, and adds nothing."""
        assert isinstance(accumulator, LayeredGram)
        if self._inputs is not None and not self._inputs.grams:
            self._inputs.of(self.sides[0].x)
        return layers.kernels_of(self.network, kernel, accumulator, self._inputs)
