"""Each layer's share of a kernel: of its trace, and of its smallest and largest eigenvalue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.core.layer_kernel import LayerKernel
from ntknas.kernels.features import PREFIX as FEATURES_PREFIX
from ntknas.measures import measure
from ntknas.spaces.pooled import PooledNetwork

_FEW = 24
"""Layers that are few enough to be shown one by one."""
_KINDS = {"InferCell": "cell", "Reduction": "reduction", "Module": "module"}
"""What blocks of our own networks are called."""


@dataclass(frozen=True)
class Shares:
    """What some layers add to a kernel, as parts of 1.

    Attributes:
        trace: Σ_l tr K_l / tr K.
        smallest: Σ_l vᵀK_l v / λ_min, v the eigenvector of λ_min; ``None`` where the kernel counts as singular.
        largest: The same of λ_max.
    """

    trace: float
    smallest: float | None
    largest: float

    @classmethod
    def total(cls, shares: Iterable[Shares]) -> Shares:
        """Return the sum of some shares."""
        held = list(shares)
        smallest = [share.smallest for share in held if share.smallest is not None]
        return cls(
            sum(share.trace for share in held),
            sum(smallest) if len(smallest) == len(held) else None,
            sum(share.largest for share in held),
        )


@dataclass(frozen=True)
class LayerShare:
    """A layer's share.

    Attributes:
        name: Its path in the network.
        kind: Name of its class.
        columns: Its parameters that are meant.
        block: The block that it stands in.
        shares: What it adds.
        effective_rank: That of what it adds; ``None`` where it adds nothing.
    """

    name: str
    kind: str
    columns: int
    block: str
    shares: Shares
    effective_rank: float | None

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        named = {"name": self.name, "kind": self.kind, "parameters": self.columns, "block": self.block}
        return {**named, **asdict(self.shares), "effective_rank": self.effective_rank}


def layer_shares(network: nn.Module, kernel: Kernel) -> list[LayerShare]:
    """Return each layer's share of a kernel.

    Args:
        network: The network.
        kernel: The kernel, symmetric and with its layers.

    Returns:
        The shares in the order of the layers; none where the kernel is zero.

    Raises:
        KernelError: If the kernel is between two batches, or has no layers.
    """
    kernel.require_symmetric("The shares of layers")
    if kernel.layers is None:
        raise KernelError("The shares of layers are of a kernel `by_layer`, which has no `normalisation`.")
    values, vectors = torch.linalg.eigh(kernel.matrix)
    trace, smallest, largest = float(kernel.matrix.trace()), float(values[0]), float(values[-1])
    if largest <= 0:
        return []
    names = [_path(layer, kernel) for layer in kernel.layers]
    blocks = _blocks_of(network, names)
    least = None if kernel.is_singular else smallest

    def shares(matrix: Tensor) -> Shares:
        forms = [float(vectors[:, number] @ matrix @ vectors[:, number]) for number in (0, -1)]
        return Shares(float(matrix.trace()) / trace, None if least is None else forms[0] / least, forms[1] / largest)

    return [
        LayerShare(
            name,
            layer.kind,
            layer.columns,
            blocks[name],
            shares(layer.kernel.matrix),
            measure("effective_rank", layer.kernel).value,
        )
        for name, layer in zip(names, kernel.layers, strict=True)
    ]


def by_block(layers: Sequence[LayerShare]) -> dict[str, Shares]:
    """Return the shares of the blocks, in the order of the layers."""
    blocks: dict[str, list[Shares]] = {}
    for layer in layers:
        blocks.setdefault(layer.block, []).append(layer.shares)
    return {name: Shares.total(shares) for name, shares in blocks.items()}


def of_part(layers: Sequence[LayerShare], part: str) -> Shares | None:
    """Return the shares of the layers below a path within a cell, such as ``edges.0``; ``None`` where none is there.

    Args:
        layers: All layers.
        part: The path.
    """
    inside = [layer.shares for layer in layers if f".{part}." in f".{layer.name}."]
    return Shares.total(inside) if part and inside else None


def _path(layer: LayerKernel, kernel: Kernel) -> str:
    """Return the path of a layer in the network itself: for kernels of features it stands in another module."""
    name = layer.name.removeprefix(FEATURES_PREFIX) if kernel.choices.output == "features" else layer.name
    return name or "(the network itself)"


def _blocks_of(network: nn.Module, layers: Sequence[str]) -> Mapping[str, str]:
    """Return the block that each layer stands in: of our own networks as they say, else by the modules' paths."""
    if isinstance(network, PooledNetwork):
        return _own_blocks(network, layers)
    if len(layers) <= _FEW:
        return {layer: layer for layer in layers}
    for depth in (1, 2, 3):
        blocks = {layer: ".".join(layer.split(".")[:depth]) for layer in layers}
        if len(set(blocks.values())) > 2:
            return blocks
    return blocks


def _own_blocks(network: PooledNetwork, layers: Sequence[str]) -> Mapping[str, str]:
    paths = {id(module): path for path, module in network.named_modules()}
    counts: dict[str, int] = {}
    names = {}
    for module in network.blocks():
        kind = _KINDS.get(type(module).__name__, "layer")
        counts[kind] = counts.get(kind, 0) + 1
        path = paths[id(module)]
        names[path] = path if path in ("stem", "last") else f"{kind} {counts[kind]}"
    inside = {layer: [name for path, name in names.items() if layer.startswith(f"{path}.")] for layer in layers}
    return {layer: found[0] if found else "head" for layer, found in inside.items()}
