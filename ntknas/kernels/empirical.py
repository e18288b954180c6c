"""The one entry point: the empirical neural tangent kernel of any module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError, check_known
from ntknas.core.kernel import Kernel
from ntknas.kernels import decoupling, gradients, outputs, preparation, repeatability, verification
from ntknas.kernels.batch_norm import Policy, applied
from ntknas.kernels.chunks import Receive, assembled
from ntknas.kernels.gram import GramParts
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.normalisation import normalised
from ntknas.kernels.strategies import layer_wise, row_loop
from ntknas.kernels.verification import Proof

_ChunkSweep = Callable[[Tensor, Tensor | None, Receive], tuple[int, int]]

STRATEGIES = {
    "auto": "layer-wise where it is exact, else row-loop",
    "layer-wise": "one forward and one backward pass, contracted layer by layer; decoupled networks only",
    "row-loop": "the oracle: one backward pass of the batch for each row",
}


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
) -> Kernel:
    """Compute K = J Jᵀ for the rows of J that the choices name.

    Dropout is off, and so is what the caller may have switched on: autocast, TF32, compiled graphs, fused attention.
    The model is left as it was: modes, running statistics, gradients, ``requires_grad``; so is x.

    Args:
        model: Any module with a real tensor as output, one row a sample; further dimensions count as outputs. Complex
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
    check_known("strategy", strategy, STRATEGIES)
    preparation.check_model(model)
    if (chunk is not None and chunk < 1) or rows_at_once < 1:
        raise KernelError(
            f"A chunk has at least one sample, and one row is computed at once: got {chunk}, {rows_at_once}."
        )
    batches, batch_labels = preparation.checked_batches(x, x2, labels, labels2)
    chosen, choices = preparation.request(model, batches, output, batch_norm, parameters, normalisation)
    with preparation.prepared(model, chosen, batches[0]), applied(model, batch_norm) as policy:
        if verify:
            repeatability.check(model, policy, batches[0])
        used = _choose(model, policy, chosen, batches, strategy, verify)
        work = _Work(model, policy, chosen, batches, choices, strategy, verify, chunk, rows_at_once)
        parts, outputs_count, used = work.compute(batch_labels, used)
    return _kernel(parts, choices, labels, len(x), outputs_count, x2 is None, used)


def _choose(
    model: nn.Module,
    policy: Policy,
    chosen: dict[str, nn.Parameter],
    batches: list[Tensor],
    strategy: str,
    verify: bool,
) -> str:
    """Return the strategy to use: what was asked for, if it is exact for this network.

    Raises:
        KernelError: If samples mix under a per-sample policy, or the strategy that was asked for does not apply.
    """
    blockers = layer_wise.blockers(model, chosen)
    if policy.couples_samples:
        blockers.append("BatchNorm couples the samples")
    elif verify:
        tapped = strategy != row_loop.NAME and not blockers
        found = decoupling.check(model, policy, chosen, _samples_to_check(batches), tapped)
        decoupling.refuse_mixing(policy, found.mixes)
        blockers += ["samples are mixed"] * found.mixes + [found.blocker] * bool(found.blocker)
    if strategy == layer_wise.NAME and blockers:
        raise KernelError(
            f"The strategy 'layer-wise' is not exact for this network: {'; '.join(blockers)}. "
            "Use strategy='row-loop', or 'auto'."
        )
    return row_loop.NAME if blockers or strategy == row_loop.NAME else layer_wise.NAME


def _samples_to_check(batches: list[Tensor]) -> Tensor:
    """The first batch, with the second where that has too few samples to tell anything."""
    alike = len({batch.shape[1:] for batch in batches}) == 1
    return torch.cat(batches) if len(batches[0]) < decoupling.SAMPLES and alike else batches[0]


@dataclass
class _Work:
    """One kernel to compute: the network under its policy, and how."""

    model: nn.Module
    policy: Policy
    chosen: dict[str, nn.Parameter]
    batches: list[Tensor]
    choices: Choices
    asked: str
    verify: bool
    chunk: int | None
    rows_at_once: int

    def freeze(self) -> None:
        """Record the frozen statistics over the first batch.

        One batch records them in the strategy's own forward pass; joined, repeated or divided batches need them
        beforehand.
        """
        if self.policy.name != "frozen" or not self.policy.modules:
            return
        self.policy.record()
        if len(self.batches) > 1 or self.choices.output == "full" or self.chunk:
            with torch.no_grad():
                outputs.of(self.model, self.batches[0])
            self.policy.start()

    def compute(self, labels: list[Tensor | None], used: str) -> tuple[GramParts, int, str]:
        """Return the kernel's parts, the number of outputs and the strategy that was used."""
        self.freeze()
        proof = self._proof(labels) if self.verify else None
        if used == layer_wise.NAME:
            try:
                return *self._layer_wise(labels, proof), used
            except Exception as error:
                # what taps cannot do, the oracle can, in more memory; a true fault comes up again there
                if is_out_of_memory(error):
                    raise
                reason = error
            if self.asked == layer_wise.NAME:
                raise KernelError(
                    f"The strategy 'layer-wise' is not exact for this network: {reason}. Use 'row-loop' or 'auto'."
                ) from reason
            self.freeze()  # afresh: taps that are wrong record wrong statistics
        return *self._row_loop(labels, proof), row_loop.NAME

    def _proof(self, labels: list[Tensor | None]) -> Proof:
        network = verification.Network(self.model, self.policy, self.chosen, self.choices.output)
        chunk = None if self.policy.couples_samples else self.chunk
        return verification.proof(network, self.batches, labels, chunk)

    def _layer_wise(self, labels: list[Tensor | None], proof: Proof | None) -> tuple[GramParts, int]:
        """Compute layer by layer and, if asked to, prove the result.

        Raises:
            NotLayerWiseError: If the result is not the kernel.
        """
        network = (self.model, self.policy, self.chosen)
        if self.chunk:
            copies = outputs.rows_a_sample(self.choices.output, self.model, self.batches[0][: self.chunk])
            found = self._by_chunks(
                labels, copies, lambda x, y, take: layer_wise.sweep(*network, x, y, self.choices.output, copies, take)
            )
        else:
            found = layer_wise.gram(*network, self.batches, labels, self.choices.output, self._with_sums)
        if proof and not proof.agrees(found[0].gram):
            raise layer_wise.NotLayerWiseError("its kernel is not the one of plain backward passes")
        return found

    def _row_loop(self, labels: list[Tensor | None], proof: Proof | None) -> tuple[GramParts, int]:
        found = self._rows_one_by_one(labels)
        if proof and not proof.agrees(found[0].gram):
            raise KernelError(
                "Backward passes of single rows do not add up to the backward pass of all: a gradient hook or an "
                "autograd.Function of this network is not linear in the gradient that it gets. Remove it, or call with "
                "verify=False, which computes what autograd returns."
            )
        return found

    def _rows_one_by_one(self, labels: list[Tensor | None]) -> tuple[GramParts, int]:
        output, rows = self.choices.output, min(self.rows_at_once, self.chunk or self.rows_at_once)
        if not self.chunk or self.policy.couples_samples:
            what = (self.batches, labels, output, self._with_sums)
            return row_loop.gram(self.model, self._parameters, *what, chunk=self.chunk, rows_at_once=rows)
        copies = outputs.rows_a_sample(output, self.model, self.batches[0][: self.chunk])
        return self._by_chunks(
            labels, copies, lambda x, y, take: row_loop.sweep(self.model, self._parameters, x, y, output, take, rows)
        )

    def _by_chunks(self, labels: list[Tensor | None], copies: int, sweep: _ChunkSweep) -> tuple[GramParts, int]:
        """Compute a kernel of uncoupled samples from the rows of chunks."""
        assert self.chunk is not None
        samples = [batch.split(self.chunk) for batch in self.batches]
        classes = [
            [None] * len(parts) if y is None else y.split(self.chunk) for y, parts in zip(labels, samples, strict=True)
        ]
        seen = (0, 0)

        def pass_chunk(side: int, number: int, receive: Receive) -> None:
            nonlocal seen
            seen = sweep(samples[side][number], classes[side][number], receive)

        sizes = [[len(x) * copies for x in side] for side in samples]
        columns = gradients.columns(self._parameters)
        parts = GramParts([sum(each) for each in sizes], columns, self._with_sums, self.batches[0].device)
        assembled(sizes, pass_chunk, parts)
        parts.columns *= seen[1]
        return parts, seen[0]

    @property
    def _parameters(self) -> list[nn.Parameter]:
        return list(self.chosen.values())

    @property
    def _with_sums(self) -> bool:
        return self.choices.normalisation == "corrcoef"


def _kernel(
    parts: GramParts,
    choices: Choices,
    labels: Tensor | None,
    samples: int,
    outputs_count: int,
    symmetric: bool,
    strategy: str,
) -> Kernel:
    matrix, left, right = (tensor.detach().cpu() for tensor in normalised(parts, choices.normalisation))
    if symmetric:
        matrix = (matrix + matrix.T) / 2
    return Kernel(
        matrix=matrix,
        choices=choices,
        labels=None if labels is None else labels.detach().cpu(),
        samples=samples,
        outputs=outputs_count,
        symmetric=symmetric,
        strategy=strategy,
        left_norms=left,
        right_norms=left if symmetric else right,
    )
