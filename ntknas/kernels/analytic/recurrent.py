"""Recurrent networks and their infinite-width kernel. Source: Alemohammad et al. (2021), The Recurrent NTK.

h_t = φ(σ_w W h_{t−1}/√n + σ_u U x_t/√D + σ_b b), the same weights at every step; layers above take the states below in
place of x. Covariances of step t with step u come from those of t − 1 with u − 1, since W is the same at both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError, check_known
from ntknas.kernels.analytic.blocks import compute_in_blocks
from ntknas.kernels.analytic.finite import activation_module, dense, generator_of
from ntknas.kernels.analytic.infinite import InfiniteKernel
from ntknas.kernels.analytic.layers import ACTIVATIONS
from ntknas.kernels.analytic.samples import POOLINGS, Sequences, step_weights
from ntknas.kernels.analytic.tokens import TokenCovariance, read_out, token_covariance
from ntknas.kernels.analytic.variances import check_deviations


@dataclass(frozen=True)
class RecurrentNetwork:
    """A recurrent network of any width.

    Attributes:
        depth: Number of recurrent layers.
        activation: A key of ``ACTIVATIONS``.
        pooling: A key of ``POOLINGS``: what the readout takes.
        weight_std: σ_w of the weights between steps.
        input_std: σ_u of the weights of the inputs.
        bias_std: σ_b.
        initial_std: Deviation of the fixed random state h_0; 0 for a state of zeros.
        readout_std: σ_v of the readout.
        readout_bias_std: b_std of the readout.

    Raises:
        ChoiceError: If a name is unknown.
        KernelError: If a number is out of range.
    """

    depth: int = 1
    activation: str = "erf"
    pooling: str = "last"
    weight_std: float = 1.0
    input_std: float = 1.0
    bias_std: float = 0.1
    initial_std: float = 0.0
    readout_std: float = 1.0
    readout_bias_std: float = 0.0

    def __post_init__(self) -> None:
        """Check names and numbers."""
        check_known("activation", self.activation, ACTIVATIONS)
        check_known("pooling", self.pooling, POOLINGS)
        if self.depth < 1:
            raise KernelError(f"A recurrent network has at least one layer, got {self.depth}.")
        check_deviations(self, "weight_std", "input_std", "bias_std", "initial_std", "readout_std", "readout_bias_std")

    def kernel(self, sequences: Sequences, sequences2: Sequences | None = None) -> InfiniteKernel:
        """Return NNGP and NTK at infinite width, N×N or N×M.

        Args:
            sequences: N sequences.
            sequences2: M sequences to compare with, of any lengths; ``sequences`` itself without them.

        Raises:
            KernelError: If features differ in size, or a pair of sequences does not fit into memory.

        Example:
            >>> RecurrentNetwork(activation="relu", bias_std=0).kernel(Sequences(torch.ones(1, 1, 4).double())).ntk
            tensor([[1.]], dtype=torch.float64)
        """
        return compute_in_blocks(sequences, sequences2, self._evaluate_pairs)

    def _evaluate_pairs(self, first: Sequences, second: Sequences) -> tuple[Tensor, Tensor]:
        state = token_covariance(first.values, second.values)
        for _ in range(self.depth):
            state = self._layer(state)
        pooled = state.pooled(*(step_weights(batch.mask.to(batch.values), self.pooling) for batch in (first, second)))
        return read_out(pooled, self.readout_std, self.readout_bias_std)

    def _layer(self, below: TokenCovariance) -> TokenCovariance:
        """Covariances of the states h_t from those of the inputs of a layer."""
        inputs = below.affine(self.input_std, self.bias_std)
        variance = self._preactivation_variances(inputs.auto)
        variance2 = self._preactivation_variances(inputs.auto2)
        nngp = self._initial(torch.zeros_like(inputs.nngp[:, :, 0]))
        ntk, rows = torch.zeros_like(nngp), []
        for step in range(inputs.nngp.shape[2]):
            covariance = inputs.nngp[:, :, step] + self.weight_std**2 * nngp
            tangent = inputs.ntk[:, :, step] + self.weight_std**2 * (nngp + ntk)
            state, derivative = self._dual(variance[:, None, step, None], variance2[None], covariance)
            rows.append((state, derivative * tangent))
            nngp, ntk = (_shift(row) for row in rows[-1])
        values, gradients = (torch.stack(steps, 2) for steps in zip(*rows, strict=True))
        auto, auto2 = self._autocovariance(inputs.auto, variance), self._autocovariance(inputs.auto2, variance2)
        return TokenCovariance(values, gradients, auto, auto2)

    def _preactivation_variances(self, inputs: Tensor) -> Tensor:
        """Variances of the arguments of the nonlinearity, N×T."""
        variances, state = [], torch.full_like(inputs[:, 0, 0], self.initial_std**2)
        for step in range(inputs.shape[1]):
            variance = inputs[:, step, step] + self.weight_std**2 * state
            variances.append(variance)
            state = self._dual(variance, variance, variance)[0]
        return torch.stack(variances, 1)

    def _autocovariance(self, inputs: Tensor, variances: Tensor) -> Tensor:
        """E[h_t h_s] of each sample, N×T×T."""
        previous, rows = self._initial(torch.zeros_like(inputs[:, 0])), []
        for step in range(inputs.shape[1]):
            covariance = inputs[:, step] + self.weight_std**2 * previous
            rows.append(self._dual(variances[:, step, None], variances, covariance)[0])
            previous = _shift(rows[-1])
        return torch.stack(rows, 1)

    def _initial(self, zeros: Tensor) -> Tensor:
        """E[h_0 h_{u−1}] in place of u: the state before the first step has variance σ_h² and is independent."""
        zeros[..., 0] = self.initial_std**2
        return zeros

    def _dual(self, first: Tensor, second: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        return ACTIVATIONS[self.activation](first, second, covariance)

    def network(
        self, features: int, width: int, outputs: int = 1, seed: int | None = None, parametrisation: str = "ntk"
    ) -> nn.Module:
        """Build a finite network with these layers; it takes ``Sequences.packed()``.

        Args:
            features: Features of a step.
            width: Units of a state.
            outputs: Number of outputs.
            seed: Seed of the weights; torch's global state without one.
            parametrisation: ``ntk`` or ``standard`` (the same function at initialisation, factors within the weights).

        Returns:
            The network.
        """
        generator = generator_of(seed)
        layer = partial(dense, generator=generator, parametrisation=parametrisation)
        return _Network(self, features, width, outputs, layer, generator)


def _shift(row: Tensor) -> Tensor:
    """Put entry u − 1 at u; the fixed first state is independent of all later steps, hence the zero."""
    return torch.cat([torch.zeros_like(row[..., :1]), row[..., :-1]], -1)


class _Network(nn.Module):
    def __init__(
        self,
        choices: RecurrentNetwork,
        features: int,
        width: int,
        outputs: int,
        layer: Callable[..., nn.Module],
        generator: torch.Generator | None,
    ):
        super().__init__()
        sizes = [features] + [width] * (choices.depth - 1)
        self.inputs = nn.ModuleList(layer(size, width, choices.input_std) for size in sizes)
        self.recurrent = nn.ModuleList(layer(width, width, choices.weight_std, choices.bias_std) for _ in sizes)
        self.register_buffer("initial", choices.initial_std * torch.randn(choices.depth, width, generator=generator))
        self.readout = layer(width, outputs, choices.readout_std, choices.readout_bias_std)
        self.activation, self._pooling = activation_module(choices.activation), choices.pooling

    def forward(self, packed: Tensor) -> Tensor:
        """Apply the network to sequences and their mask, N×T×(D + 1)."""
        x, mask = packed[..., :-1], packed[..., -1]
        for index, (input_layer, recurrent) in enumerate(zip(self.inputs, self.recurrent, strict=True)):
            state = self.initial[index].expand(len(x), -1)  # type: ignore[index]
            states = []
            for inputs in input_layer(x).unbind(1):
                state = self.activation(recurrent(state) + inputs)
                states.append(state)
            x = torch.stack(states, 1)
        weights = step_weights(mask, self._pooling)
        return torch.as_tensor(self.readout((weights[:, :, None] * x).sum(1)))
