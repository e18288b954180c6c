"""The rows of J layer by layer, whichever strategy makes them: what every layer adds to a kernel, K = Σ_l K_l."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ntknas.core.kernel import Kernel
from ntknas.core.layer_kernel import LayerKernel
from ntknas.kernels import gradients
from ntknas.kernels.batch import Batch
from ntknas.kernels.gram import Piece
from ntknas.kernels.layer_inputs import LayerInputs
from ntknas.kernels.layered_gram import LayeredGram
from ntknas.kernels.method import LAYER_WISE
from ntknas.kernels.network import NetworkUnderPolicy
from ntknas.kernels.strategies import layer_wise, row_loop
from ntknas.kernels.strategies.tapping import LayerTap


@dataclass(frozen=True)
class Layer:
    """A module whose own parameters are among those that the Jacobian is taken by.

    Attributes:
        name: Its path in the network, that of its first place if it is shared; empty for the network itself.
        kind: Name of its class.
        parameters: Its parameters of the set, by name.
        columns: How many columns of J they are.
    """

    name: str
    kind: str
    parameters: tuple[str, ...]
    columns: int


@dataclass(frozen=True)
class Rows:
    """Some rows of J, restricted to a parameter of a layer.

    Attributes:
        layer: Number of the layer among ``layers_of``.
        parameter: Number of the parameter in the layer.
        first: Number of the first row.
        piece: The rows, or their factors.
    """

    layer: int
    parameter: int
    first: int
    piece: Piece


Receive = Callable[[Rows], None]


def layers_of(network: NetworkUnderPolicy) -> list[Layer]:
    """Return the layers of a network in the order of its modules; parameters that are tied belong to the first."""
    owned: dict[str, list[str]] = {}
    for name in network.parameters:
        owned.setdefault(name.rpartition(".")[0], []).append(name)
    return [
        Layer(
            path,
            type(module).__name__,
            tuple(owned[path]),
            gradients.columns([network.parameters[name] for name in owned[path]]),
        )
        for path, module in network.model.named_modules()
        if path in owned
    ]


def kernels_of(
    network: NetworkUnderPolicy, kernel: Kernel, gram: LayeredGram, inputs: LayerInputs | None
) -> tuple[LayerKernel, ...]:
    """Return what each layer adds to a kernel, with its inputs where they were taken.

    Args:
        network: The network.
        kernel: The kernel.
        gram: Its Gram matrix by module.
        inputs: What the layers were given.
    """
    modules = {path: number for number, (path, _) in enumerate(network.model.named_modules())}

    def of(layer: Layer) -> LayerKernel:
        number = modules[layer.name]
        if number in gram.parts:
            matrix, left, right = (values.cpu() for values in (gram.parts[number].gram, *gram.parts[number].norms))
        else:
            matrix, left, right = map(torch.zeros_like, (kernel.matrix, kernel.left_norms, kernel.right_norms))
        part = replace(kernel, matrix=symmetric(matrix) if kernel.symmetric else matrix, left_norms=left)
        given = inputs.grams.get(number) if inputs else None
        return LayerKernel(
            layer.name,
            layer.kind,
            layer.columns,
            replace(part, right_norms=left if kernel.symmetric else right),
            None if given is None else symmetric(given.cpu()),
        )

    return tuple(map(of, layers_of(network)))


def symmetric(matrix: Tensor) -> Tensor:
    """Return a symmetric matrix: triangles round apart, and a solver for eigenvalues reads one of them."""
    return (matrix + matrix.T) / 2


def sweep(
    network: NetworkUnderPolicy, batch: Batch, strategy: str, receive: Receive, close: Callable[[], None]
) -> None:
    """Pass a batch, and hand over the rows of every layer.

    Args:
        network: The network, with its statistics recorded or about to be.
        batch: The batch.
        strategy: The strategy that is exact for it.
        receive: Takes rows; all those of a parameter and a pass come before ``close``.
        close: Called when the rows of some layers in one pass are complete.

    Raises:
        NotLayerWiseError: If the run shows that the strategy does not apply.
    """
    if strategy == LAYER_WISE:
        modules = {path: number for number, (path, _) in enumerate(network.model.named_modules())}
        layers = {modules[layer.name]: (number, layer) for number, layer in enumerate(layers_of(network))}
        copies = network.rows_per_sample(batch.x)
        layer_wise.deliver(network, batch, copies, partial(_tapped, layers, receive, close))
    else:
        _by_rows(network, batch, receive, close)


def _tapped(
    layers: dict[int, tuple[int, Layer]], receive: Receive, close: Callable[[], None], _: int, tap: LayerTap
) -> None:
    number, _layer = layers[tap.number]
    for index, piece in enumerate(tap.pieces()):
        receive(Rows(number, index, 0, piece))
    close()


def _by_rows(network: NetworkUnderPolicy, batch: Batch, receive: Receive, close: Callable[[], None]) -> None:
    places = {
        name: (number, index)
        for number, layer in enumerate(layers_of(network))
        for index, name in enumerate(layer.parameters)
    }
    widths = [gradients.width(leaf) for leaf in network.leaves]
    output = network.output(batch.x)
    for rows in row_loop.rows_of_passes(network, output, batch.labels):
        for row in rows.split(1):  # more would be held for all parameters at once
            by_parameter = row_loop.jacobian_rows(output, row, network.leaves).split(widths, dim=1)
            for name, piece in zip(network.parameters, by_parameter, strict=True):
                receive(Rows(*places[name], row.numbers.start, piece))
        close()
