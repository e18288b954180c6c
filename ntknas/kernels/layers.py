"""The layers of a network, and what every one adds to a kernel, K = Σ_l K_l."""

from __future__ import annotations

from collections import Counter
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
        number: Its number among the network's modules.
        name: Its path in the network, that of its first place if it is shared; empty for the network itself.
        kind: Name of its class.
        columns: How many columns of J its parameters are.
    """

    number: int
    name: str
    kind: str
    columns: int


def layers_of(network: NetworkUnderPolicy) -> list[Layer]:
    """Return the layers of a network in the order of its modules; parameters that are tied belong to the first."""
    columns: Counter[int] = Counter()
    for (owner, _), parameter in zip(network.places, network.leaves, strict=True):
        columns[owner] += gradients.width(parameter)
    return [
        Layer(number, path, type(module).__name__, columns[number])
        for number, (path, module) in enumerate(network.model.named_modules())
        if number in columns
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

    def of(layer: Layer) -> LayerKernel:
        if part := gram.parts.get(layer.number):
            matrix, left, right = (values.cpu() for values in (part.gram, *part.norms))
        else:
            matrix, left, right = map(torch.zeros_like, (kernel.matrix, kernel.left_norms, kernel.right_norms))
        if kernel.symmetric:
            matrix, right = symmetric(matrix), left
        own = replace(kernel, matrix=matrix, left_norms=left, right_norms=right)
        given = inputs.grams.get(layer.number) if inputs else None
        return LayerKernel(
            layer.name, layer.kind, layer.columns, own, None if given is None else symmetric(given.cpu())
        )

    return tuple(map(of, layers_of(network)))


def symmetric(matrix: Tensor) -> Tensor:
    """Return a symmetric matrix: triangles round apart, and a solver for eigenvalues reads one of them."""
    return (matrix + matrix.T) / 2
