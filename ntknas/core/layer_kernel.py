"""What one layer adds to a kernel, K = Σ_l K_l."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from ntknas.core.kernel import Kernel


@dataclass(frozen=True)
class LayerKernel:
    """A layer's kernel K_l = J_l J_lᵀ, J_l the columns of J that belong to its parameters.

    Attributes:
        name: The layer's path in the network; empty for the network itself.
        kind: Name of its class.
        columns: How many columns J_l has.
        kernel: K_l, with the choices of K; zero where the layer is dead.
        inputs: Σ over the layer's calls of ⟨a_i, a_j⟩, a_i the layer's input for sample i: N×N, float64, on the CPU;
            ``None`` unless asked for.
    """

    name: str
    kind: str
    columns: int
    kernel: Kernel
    inputs: Tensor | None = field(default=None, repr=False)
