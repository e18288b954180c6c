"""What each layer adds to a kernel, K = Σ_l K_l, seen along given vectors: tr K_l and vᵀK_l v, without any K_l.

With rows J_l of the layer alone, tr K_l = ‖J_l‖² and vᵀK_l v = ‖J_lᵀv‖²: numbers that are added up while rows pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.kernels import layers, preparation
from ntknas.kernels.batch import Batch
from ntknas.kernels.layers import Layer, Rows
from ntknas.kernels.network import NetworkUnderPolicy, under_policy

_COLUMNS = 1 << 14
"""So many columns are converted to float64 at a time."""
_AGREEMENT = 1e-4
"""How far, relative to the trace, traces of layers may add up to another trace than the kernel's: rounding alone."""


@dataclass(frozen=True, eq=False)
class LayerForms:
    """What one layer adds to a kernel.

    Attributes:
        layer: The layer.
        trace: tr K_l.
        forms: vᵀK_l v for each of the vectors, float64.
    """

    layer: Layer
    trace: float
    forms: Tensor


def layer_forms(model: nn.Module, batch: Batch, kernel: Kernel, vectors: Tensor) -> list[LayerForms]:
    """Return what each layer adds to the trace of a kernel and to its quadratic forms at some vectors.

    Args:
        model: The network that the kernel is of, as it was.
        batch: The batch that it is of.
        kernel: The kernel, without normalisation and attack.
        vectors: Vectors in columns, as long as the kernel has rows.

    Returns:
        One for each layer with parameters of the set, in the order of the modules; they add up to the kernel's.

    Raises:
        KernelError: If the kernel is of two batches, normalised or under attack, or is not of this network and batch.
    """
    kernel.require_symmetric("The shares of layers")
    choices = kernel.choices
    if choices.normalisation != "none" or choices.attack is not None:
        raise KernelError("The shares of layers are of kernels without `normalisation` and `perturb`.")
    if vectors.dim() != 2 or len(vectors) != kernel.size:
        raise KernelError(f"Vectors must be {kernel.size} long, one a column, got shape {tuple(vectors.shape)}.")
    preparation.check_model(model)
    with under_policy(model, [batch], choices) as network:
        found = layers.layers_of(network)
        sums = _Sums(len(found), vectors.to(batch.x.device, torch.float64))
        _record_statistics(network, batch)
        layers.sweep(network, batch, kernel.strategy, sums.add, sums.close)
    total, trace = float(sums.traces.sum()), float(kernel.matrix.trace())
    if not abs(total - trace) <= _AGREEMENT * abs(trace):
        raise KernelError(
            f"The traces of layers add up to {total:.6g}, and the kernel's is {trace:.6g}: it is of another network, "
            "or of another batch."
        )
    forms, traces = sums.forms.cpu(), sums.traces.tolist()
    return [LayerForms(*parts) for parts in zip(found, traces, forms, strict=True)]


def _record_statistics(network: NetworkUnderPolicy, batch: Batch) -> None:
    """Let the policy record the statistics of the batch as the kernel's own pass did."""
    if network.choices.output == "full":
        network.record_statistics(batch.x)
    elif network.policy.needs_recording:
        network.policy.record()


class _Sums:
    """Adds up traces and forms of layers.

    Args:
        count: Number of layers.
        vectors: Vectors in columns, float64.

    Attributes:
        traces: Of each layer.
        forms: Layers × vectors.
    """

    def __init__(self, count: int, vectors: Tensor):
        self._vectors = vectors
        self.traces = vectors.new_zeros(count)
        self.forms = vectors.new_zeros(count, vectors.shape[1])
        self._products: dict[tuple[int, int], Tensor] = {}

    def add(self, rows: Rows) -> None:
        """Take rows: their norms, and what they add to J_lᵀv."""
        piece = rows.piece
        factors = [piece] if isinstance(piece, Tensor) else list(piece)
        norms = [torch.linalg.vector_norm(factor, dim=1, dtype=torch.float64).square() for factor in factors]
        self.traces[rows.layer] += torch.stack(norms).prod(0).sum()
        vectors = self._vectors[rows.first : rows.first + len(factors[0])]
        product = _product(vectors, *(factor.flatten(1) for factor in factors))
        key = (rows.layer, rows.parameter)
        self._products[key] = self._products[key] + product if key in self._products else product

    def close(self) -> None:
        """Square what has been added up: all rows of these columns were there."""
        for (layer, _), product in self._products.items():
            self.forms[layer] += product.square().sum(1)
        self._products.clear()


def _product(vectors: Tensor, rows: Tensor, others: Tensor | None = None) -> Tensor:
    """Return Vᵀ times rows, or times rows g ⊗ a, in float64: a row for each vector."""
    if others is None:
        blocks = rows.split(_COLUMNS, dim=1)
        return torch.cat([vectors.T @ block.double() for block in blocks], dim=1)
    first, second = rows.double(), others.double()
    return torch.stack([((first * vector[:, None]).T @ second).flatten() for vector in vectors.T])
