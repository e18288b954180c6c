"""The layers of a network, and what every one adds to a kernel, K = Σ_l K_l."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntknas.core.kernel import Kernel
from ntknas.core.layer_kernel import LayerKernel
from ntknas.kernels import gradients
from ntknas.kernels.layer_inputs import LayerInputs
from ntknas.kernels.layered_gram import LayeredGram
from ntknas.kernels.network import NetworkUnderPolicy


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
