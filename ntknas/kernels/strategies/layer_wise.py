"""One forward and one backward pass for all rows of a decoupled network, contracted layer by layer.

Where sample j's output depends on sample j alone, one backward pass of the summed cotangents leaves, at every layer,
each sample's own output gradient. With the layer's input these make the layer's columns of J for all samples at
once; their Gram matrix is added to the kernel and they are dropped. No more of J than one layer is ever in memory.

What it needs, and ``blockers`` checks without running the network: every parameter of the set belongs to exactly one
linear, convolution or BatchNorm layer. What only a run shows (a weight used by hand, samples that are not in dimension
0 of a layer's input) is found by ``ntknas.kernels.decoupling`` on a few samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ntknas.kernels import outputs
from ntknas.kernels.batch import Batch, joined
from ntknas.kernels.chunks import Receive
from ntknas.kernels.gradients import Gradients
from ntknas.kernels.gram import Columns, GramAccumulator, Piece
from ntknas.kernels.network import NetworkUnderPolicy
from ntknas.kernels.strategies.tapping import LayerTap, NotLayerWiseError, Tapping

_EXACT_TYPES = (nn.Linear, nn.Conv1d, nn.Conv2d)
_NAMES = {"weight", "bias"}
Take = Callable[[int, LayerTap], None]


def blockers(network: NetworkUnderPolicy) -> list[str]:
    """Return why the strategy cannot compute the kernel of these parameters, from the module tree alone.

    Args:
        network: The network.

    Returns:
        One phrase for each parameter in the way; empty if there is none.
    """
    owners: dict[int, list[nn.Module]] = {}
    for module in network.model.modules():
        for parameter in module._parameters.values():
            if parameter is not None:
                owners.setdefault(id(parameter), []).append(module)
    return [
        f"{name} ({reason})"
        for name, parameter in network.parameters.items()
        if (reason := "complex" if parameter.is_complex() else _blocker(owners.get(id(parameter), [])))
    ]


def _blocker(owners: list[nn.Module]) -> str:
    if len(owners) != 1:
        return "tied"
    module = owners[0]
    # Not isinstance: a subclass may compute something else with its weight.
    stock = type(module) in _EXACT_TYPES and "forward" not in module.__dict__
    if not (stock or isinstance(module, _BatchNorm)):
        return f"in a {type(module).__name__}"
    if module._parameters.get("weight") is None:
        return f"in a {type(module).__name__} without weight"
    return "" if set(module._parameters) <= _NAMES else "reparametrised"


def gram(
    network: NetworkUnderPolicy, sides: Sequence[Batch], accumulate: type[GramAccumulator] = GramAccumulator
) -> tuple[GramAccumulator, int]:
    """Compute the Gram matrix of one batch with itself, or of two batches.

    ``full`` runs every sample once for each output, so that its rows are the rows of a bigger batch.

    Args:
        network: The network, whose policy decouples the samples.
        sides: One batch or two.
        accumulate: What adds it up.

    Returns:
        The Gram matrix, and the number of outputs C.

    Raises:
        NotLayerWiseError: If the run shows that the strategy does not apply.
    """
    copies = network.rows_per_sample(sides[0].x)
    sizes = [len(side) * copies for side in sides]
    accumulator = accumulate(sizes, network.columns, network.with_sums, sides[0].x.device)

    def receive(columns: Columns, piece: Piece) -> None:
        if isinstance(piece, Tensor):
            accumulator.take(columns, *piece.split(sizes))
        else:
            accumulator.take(columns, *zip(*(factor.split(sizes) for factor in piece), strict=True))

    outputs_count, passes = sweep(network, joined(sides), copies, receive)
    accumulator.columns *= passes
    return accumulator, outputs_count


def sweep(network: NetworkUnderPolicy, batch: Batch, copies: int, receive: Receive) -> tuple[int, int]:
    """Pass a batch forward and backward, and hand over its rows layer by layer.

    Args:
        network: The network, whose policy decouples the samples.
        batch: The batch.
        copies: Rows per sample: C for ``full``, else 1.
        receive: Takes columns, and the rows restricted to them, or their factors.

    Returns:
        Number of outputs C, and of backward passes.

    Raises:
        NotLayerWiseError: If the run shows that the strategy does not apply.
    """
    return deliver(network, batch, copies, partial(_hand_over, receive))


def deliver(network: NetworkUnderPolicy, batch: Batch, copies: int, take: Take) -> tuple[int, int]:
    """Pass a batch forward and backward, and hand over its layers one after the other.

    Args:
        network: The network, whose policy decouples the samples.
        batch: The batch.
        copies: Rows per sample: C for ``full``, else 1.
        take: Takes the number of the pass and the layer's tap, whose rows are there until it returns.

    Returns:
        Number of outputs C, and of backward passes.

    Raises:
        NotLayerWiseError: If the run shows that the strategy does not apply.
    """
    batch = batch.repeated(copies)
    tapping = Tapping(network, len(batch))
    with tapping.active():
        output = network.output(batch.x)
        outputs.check_precision(output, network.leaves)
        cotangents = _cotangents(network, output, batch.labels)
        for number, cotangent in enumerate(cotangents, 1):
            tapping.deliver = partial(take, number)
            last = number == len(cotangents)
            check_inside(network, tapping.backward(output, cotangent, [*network.leaves], last=last))
    return output.shape[1], len(cotangents)


def check_inside(network: NetworkUnderPolicy, outside: Gradients) -> None:
    """Check that every parameter was used by its layer alone.

    Args:
        network: The network.
        outside: Gradients that reached the parameters themselves, past the taps.

    Raises:
        NotLayerWiseError: If one was used outside.
    """
    names = [name for name, gradient in zip(network.parameters, outside, strict=True) if gradient is not None]
    if names:
        raise NotLayerWiseError(f"{', '.join(names)} is used outside its layer")


def _cotangents(network: NetworkUnderPolicy, output: Tensor, labels: Tensor | None) -> Sequence[Tensor]:
    if network.choices.output == "full":
        identity = torch.eye(output.shape[1], dtype=output.dtype, device=output.device)
        return [identity.repeat(len(output) // output.shape[1], 1)]
    return network.passes(output, labels)


def _hand_over(receive: Receive, number: int, tap: LayerTap) -> None:
    for index, piece in enumerate(tap.pieces()):
        receive(Columns(number, tap.number, index), piece)
