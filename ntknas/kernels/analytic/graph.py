"""Graph networks and their infinite-width kernel, the GNTK. Source: Du et al. (2019), Graph Neural Tangent Kernel.

A block sums over each node and its neighbours, scaled by c_u, and applies dense layers with a nonlinearity after each;
the readout is a linear function of the sum over nodes, of the last block or, with jumping knowledge, of the features
and of every block, each with weights of its own. In NTK parametrisation, with features divided by √D: the published
kernel is D times this one where there are no biases.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError, check_known
from ntknas.kernels.analytic.blocks import compute_in_blocks
from ntknas.kernels.analytic.finite import activation_module, dense, generator_of
from ntknas.kernels.analytic.infinite import InfiniteKernel
from ntknas.kernels.analytic.layers import ACTIVATIONS
from ntknas.kernels.analytic.samples import AGGREGATIONS, Graphs
from ntknas.kernels.analytic.tokens import TokenCovariance, read_out, token_covariance
from ntknas.kernels.analytic.variances import check_deviations


@dataclass(frozen=True)
class GraphNetwork:
    """A graph network of any width.

    Attributes:
        blocks: Number of aggregations.
        layers: Dense layers after each.
        aggregation: A key of ``AGGREGATIONS``.
        jumping: Whether the readout takes the features and all blocks (jumping knowledge).
        activation: A key of ``ACTIVATIONS``.
        weight_std: W_std of the dense layers; √2 keeps the variance of ReLU networks (c_σ = 2 in the source).
        bias_std: b_std of the dense layers; the source has none.
        readout_std: W_std of the readout.
        readout_bias_std: b_std of the readout; the source has no bias there.

    Raises:
        ChoiceError: If a name is unknown.
        KernelError: If a number is out of range.
    """

    blocks: int = 2
    layers: int = 1
    aggregation: str = "sum"
    jumping: bool = False
    activation: str = "relu"
    weight_std: float = math.sqrt(2)
    bias_std: float = 0.0
    readout_std: float = 1.0
    readout_bias_std: float = 0.0

    def __post_init__(self) -> None:
        """Check names and numbers."""
        check_known("aggregation", self.aggregation, AGGREGATIONS)
        check_known("activation", self.activation, ACTIVATIONS)
        if self.blocks < 1 or self.layers < 1:
            raise KernelError(
                f"A graph network has at least one block and one layer in it, got {self.blocks}, {self.layers}."
            )
        check_deviations(self, "weight_std", "bias_std", "readout_std", "readout_bias_std")

    def kernel(self, graphs: Graphs, graphs2: Graphs | None = None) -> InfiniteKernel:
        """Return NNGP and NTK at infinite width, N×N or N×M.

        Args:
            graphs: N graphs.
            graphs2: M graphs to compare with; ``graphs`` itself without them.

        Raises:
            KernelError: If features differ in size, or a pair of graphs does not fit into memory.

        Example:
            >>> edge = Graphs((torch.eye(2).double(),), (torch.tensor([[0.0, 1.0], [1.0, 0.0]]).double(),))
            >>> GraphNetwork(blocks=1).kernel(edge).ntk.round(decimals=6).tolist()
            [[8.0]]
        """
        return compute_in_blocks(graphs, graphs2, self._evaluate_pairs)

    def _evaluate_pairs(self, graphs: Graphs, graphs2: Graphs) -> tuple[Tensor, Tensor]:
        (nodes, matrices, mask), (nodes2, matrices2, mask2) = (
            batch.padded(self.aggregation) for batch in (graphs, graphs2)
        )
        state = token_covariance(nodes, nodes2)
        states = [state]
        for _ in range(self.blocks):
            state = self._block(state, matrices, matrices2)
            states.append(state)
        weights, weights2 = mask.to(matrices), mask2.to(matrices)
        pooled = [layer.pooled(weights, weights2) for layer in (states if self.jumping else states[-1:])]
        nngp, ntk = (torch.stack(kernels).sum(0) for kernels in zip(*pooled, strict=True))
        return read_out((nngp, ntk), self.readout_std, self.readout_bias_std)

    def _block(self, state: TokenCovariance, matrices: Tensor, matrices2: Tensor) -> TokenCovariance:
        state = state.mixed(matrices, matrices2)
        for _ in range(self.layers):
            state = state.affine(self.weight_std, self.bias_std).activated(self.activation)
        return state

    def network(
        self, features: int, width: int, outputs: int = 1, seed: int | None = None, parametrisation: str = "ntk"
    ) -> nn.Module:
        """Build a finite network with these layers; it takes ``Graphs.packed(aggregation)``.

        Args:
            features: Features of a node.
            width: Units of every dense layer.
            outputs: Number of outputs.
            seed: Seed of the weights; torch's global state without one.
            parametrisation: ``ntk`` or ``standard`` (the same function at initialisation, factors within the weights).

        Returns:
            The network.
        """
        layer = partial(dense, generator=generator_of(seed), parametrisation=parametrisation)
        return _Network(self, features, width, outputs, layer)


class _Network(nn.Module):
    def __init__(
        self,
        choices: GraphNetwork,
        features: int,
        width: int,
        outputs: int,
        layer: Callable[..., nn.Module],
    ):
        super().__init__()
        self._features, self._jumping = features, choices.jumping
        sizes = [features] + [width] * (choices.blocks * choices.layers)
        hidden = [layer(a, b, choices.weight_std, choices.bias_std) for a, b in pairwise(sizes)]
        self.blocks = nn.ModuleList(
            nn.ModuleList(hidden[first : first + choices.layers]) for first in range(0, len(hidden), choices.layers)
        )
        readout_sizes = [features] + [width] * choices.blocks if choices.jumping else [width]
        biases = [choices.readout_bias_std] + [0.0] * (len(readout_sizes) - 1)  # one bias for their sum
        self.readouts = nn.ModuleList(
            layer(size, outputs, choices.readout_std, bias) for size, bias in zip(readout_sizes, biases, strict=True)
        )
        self.activation = activation_module(choices.activation)

    def forward(self, packed: Tensor) -> Tensor:
        """Apply the network to features and aggregation matrices, N×V×(D + V)."""
        x, matrices = packed[..., : self._features], packed[..., self._features :]
        mask = (matrices.diagonal(dim1=1, dim2=2) > 0).to(x)[:, :, None]
        states = [x]
        for block in self.blocks:
            x = matrices @ x
            for layer in block:  # type: ignore[attr-defined]
                x = self.activation(layer(x))
            states.append(x)
        pooled = [(mask * state).sum(1) for state in (states if self._jumping else states[-1:])]
        outputs = [readout(nodes) for readout, nodes in zip(self.readouts, pooled, strict=True)]
        return torch.stack(outputs).sum(0)
