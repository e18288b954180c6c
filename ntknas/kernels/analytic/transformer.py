"""Transformer encoders and their infinite-width kernel. Source: Yang (2020), Tensor Programs II; Vaswani et al. (2017).

One head. ``tied``: k = Ux + u is query, key and value at once, z = LN(softmax(kkᵀ/n)k + k). ``untied``: an embedding,
then z = LN(x + W_o softmax(qkᵀ/n)v) with weights of their own for q, k and v, so that with the scaling 1/n all steps
weigh the same in the limit. Both go on with x = LN(z + W_2 φ(W_1 z)), and the readout takes the mean over steps.
With 1/n attention is deterministic in the limit, and what flows through the softmax vanishes from the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError, check_known
from ntknas.kernels.analytic.blocks import compute_in_blocks
from ntknas.kernels.analytic.finite import activation_module, dense, generator_of
from ntknas.kernels.analytic.infinite import InfiniteKernel
from ntknas.kernels.analytic.layers import ACTIVATIONS
from ntknas.kernels.analytic.samples import Sequences, step_weights
from ntknas.kernels.analytic.tokens import TokenCovariance, read_out, token_covariance
from ntknas.kernels.analytic.variances import check_deviations

ATTENTIONS = {
    "tied": "query, key and value are one (Yang 2020)",
    "untied": "query, key and value have weights of their own (Vaswani et al. 2017)",
}
EPSILON = 1e-5
"""Added to the variance by layer normalisation, as torch does."""


@dataclass(frozen=True)
class TransformerNetwork:
    """A transformer encoder of any width.

    Attributes:
        depth: Number of encoder layers.
        attention: A key of ``ATTENTIONS``.
        activation: A key of ``ACTIVATIONS``, of the feed-forward layers.
        layer_norm: Whether layers are normalised (without scale and shift).
        weight_std: W_std of every dense layer.
        bias_std: b_std of every dense layer but the readout.
        readout_std: W_std of the readout.
        readout_bias_std: b_std of the readout.

    Raises:
        ChoiceError: If a name is unknown.
        KernelError: If a number is out of range.
    """

    depth: int = 1
    attention: str = "tied"
    activation: str = "relu"
    layer_norm: bool = True
    weight_std: float = 1.0
    bias_std: float = 0.1
    readout_std: float = 1.0
    readout_bias_std: float = 0.0

    def __post_init__(self) -> None:
        """Check names and numbers."""
        check_known("attention", self.attention, ATTENTIONS)
        check_known("activation", self.activation, ACTIVATIONS)
        if self.depth < 1:
            raise KernelError(f"A transformer has at least one encoder layer, got {self.depth}.")
        check_deviations(self, "weight_std", "bias_std", "readout_std", "readout_bias_std")

    def kernel(self, sequences: Sequences, sequences2: Sequences | None = None) -> InfiniteKernel:
        """Return NNGP and NTK at infinite width, N×N or N×M.

        Args:
            sequences: N sequences.
            sequences2: M sequences to compare with, of any lengths; ``sequences`` itself without them.

        Raises:
            KernelError: If features differ in size, or a pair of sequences does not fit into memory.

        Example:
            >>> x = Sequences(torch.ones(1, 3, 4).double())
            >>> TransformerNetwork().kernel(x).nngp.round(decimals=3).tolist()
            [[1.0]]
        """
        return compute_in_blocks(sequences, sequences2, self._evaluate_pairs)

    def _evaluate_pairs(self, first: Sequences, second: Sequences) -> tuple[Tensor, Tensor]:
        state, masks = token_covariance(first.values, second.values), (first.mask, second.mask)
        if self.attention == "untied":
            state = self._dense(state)
        for _ in range(self.depth):
            attended = self._tied(state, masks) if self.attention == "tied" else self._untied(state, masks)
            attended = self._normalised(attended)
            feedforward = self._dense(self._dense(attended).activated(self.activation))
            state = self._normalised(attended + feedforward)
        pooled = state.pooled(*(step_weights(batch.mask.to(batch.values), "mean") for batch in (first, second)))
        return read_out(pooled, self.readout_std, self.readout_bias_std)

    def _tied(self, state: TokenCovariance, masks: tuple[Tensor, Tensor]) -> TokenCovariance:
        keys = self._dense(state)
        attention, attention2 = (
            _softmax(logits, mask) + torch.eye(logits.shape[1], dtype=logits.dtype, device=logits.device)
            for logits, mask in zip((keys.auto, keys.auto2), masks, strict=True)
        )
        return keys.mixed(attention, attention2)

    def _untied(self, state: TokenCovariance, masks: tuple[Tensor, Tensor]) -> TokenCovariance:
        covariances = (state.auto, state.auto2)
        attention, attention2 = (
            _softmax(torch.zeros_like(auto), mask) for auto, mask in zip(covariances, masks, strict=True)
        )
        return state + self._dense(self._dense(state).mixed(attention, attention2))

    def _dense(self, state: TokenCovariance) -> TokenCovariance:
        return state.affine(self.weight_std, self.bias_std)

    def _normalised(self, state: TokenCovariance) -> TokenCovariance:
        return state.normalised(EPSILON) if self.layer_norm else state

    def network(
        self, features: int, width: int, outputs: int = 1, seed: int | None = None, parametrisation: str = "ntk"
    ) -> nn.Module:
        """Build a finite network with these layers; it takes ``Sequences.packed()``.

        Args:
            features: Features of a step.
            width: Units of every layer.
            outputs: Number of outputs.
            seed: Seed of the weights; torch's global state without one.
            parametrisation: ``ntk`` or ``standard`` (the same function at initialisation, factors within the weights).

        Returns:
            The network.
        """
        layer = partial(dense, generator=generator_of(seed), parametrisation=parametrisation)
        hidden = (self.weight_std, self.bias_std)
        tied = self.attention == "tied"
        embedding = nn.Identity() if tied else layer(features, width, *hidden)
        encoders = []
        for index in range(self.depth):
            inputs = features if tied and index == 0 else width
            projections = [layer(inputs, width, *hidden) for _ in range(1 if tied else 4)]
            feed = [layer(width, width, *hidden) for _ in range(2)]
            encoders.append(_Encoder(projections, feed, width, self))
        return _Network(embedding, encoders, layer(width, outputs, self.readout_std, self.readout_bias_std))


def _softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Attention of every step, rows that sum to one over the steps of the sequence, N×T×T."""
    return logits.masked_fill(~mask[:, None, :], -torch.inf).softmax(-1)


class _Encoder(nn.Module):
    """One encoder layer: attention, then the feed-forward layers."""

    def __init__(self, projections: list[nn.Module], feed: list[nn.Module], width: int, choices: TransformerNetwork):
        super().__init__()
        self.projections, self.feed = nn.ModuleList(projections), nn.ModuleList(feed)
        self.activation = activation_module(choices.activation)
        normal = nn.LayerNorm(width, eps=EPSILON, elementwise_affine=False)
        self.norm = normal if choices.layer_norm else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Apply the encoder to N×T×n and the mask N×T."""
        if len(self.projections) == 1:
            (key,) = (projection(x) for projection in self.projections)
            attended = self._attention(key, key, mask) @ key + key
        else:
            query, key, value = (projection(x) for projection in self.projections[:3])
            attended = x + self.projections[3](self._attention(query, key, mask) @ value)
        attended = self.norm(attended)
        first, second = self.feed
        return torch.as_tensor(self.norm(attended + second(self.activation(first(attended)))))

    def _attention(self, query: Tensor, key: Tensor, mask: Tensor) -> Tensor:
        return _softmax(query @ key.mT / query.shape[-1], mask)  # n, not √n: the limit above is that of 1/n


class _Network(nn.Module):
    def __init__(self, embedding: nn.Module, encoders: list[_Encoder], readout_layer: nn.Module):
        super().__init__()
        self.embedding, self.encoders, self.readout = embedding, nn.ModuleList(encoders), readout_layer

    def forward(self, packed: Tensor) -> Tensor:
        """Apply the network to sequences and their mask, N×T×(D + 1)."""
        mask = packed[..., -1]
        x = self.embedding(packed[..., :-1])
        for encoder in self.encoders:
            x = encoder(x, mask > 0)
        weights = step_weights(mask, "mean")
        return torch.as_tensor(self.readout((weights[:, :, None] * x).sum(1)))
