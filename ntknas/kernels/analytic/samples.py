"""Samples that are sets of tokens, graphs and sequences, of different sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ntknas.core.errors import DataError

AGGREGATIONS = {"sum": "c_u = 1", "degree": "c_u = 1 / number of neighbours, itself counted"}
"""Factors of the sum over a node and its neighbours."""
POOLINGS = {"last": "the state after the last step", "mean": "the mean of the states of all steps"}
"""States of a sequence that a readout takes."""


@dataclass(frozen=True)
class Sequences:
    """Sequences of different lengths.

    Attributes:
        values: N×T×D, float64; steps beyond the length of a sequence are ignored.
        lengths: Number of steps of each, N, between 1 and T; all T without it.

    Raises:
        DataError: If shapes do not fit, or a sequence is empty.
    """

    values: Tensor = field(repr=False)
    lengths: Tensor = field(default=None, repr=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Check shapes, take all steps where no lengths are given, and compute in float64."""
        object.__setattr__(self, "values", self.values.double())
        if self.values.dim() != 3 or not self.values.numel():
            raise DataError(f"Sequences must be N×T×D with at least one step, got shape {tuple(self.values.shape)}.")
        if self.lengths is None:
            full = torch.full((len(self.values),), self.values.shape[1], device=self.values.device)
            object.__setattr__(self, "lengths", full)
        steps = self.values.shape[1]
        fits = self.lengths.shape == (len(self.values),)
        if not fits or not bool(((self.lengths >= 1) & (self.lengths <= steps)).all()):
            raise DataError(f"Lengths must be one number from 1 to {steps} for each sequence, got {self.lengths}.")
        object.__setattr__(self, "lengths", self.lengths.long())
        # Before the check below: padding may be NaN, and NaN times a weight of zero would be NaN.
        object.__setattr__(self, "values", self.values.masked_fill(~self.mask[:, :, None], 0.0))
        if not bool(torch.isfinite(self.values).all()):
            raise DataError("A sequence has a value that is no number.")

    @classmethod
    def of(cls, sequences: Sequence[Tensor]) -> Sequences:
        """Return sequences T_i×D, padded to the longest.

        Raises:
            DataError: If one is empty, or their features differ in number.
        """
        if not sequences or any(steps.dim() != 2 or not len(steps) for steps in sequences):
            raise DataError("Every sequence must be T×D with at least one step.")
        if len({steps.shape[1] for steps in sequences}) > 1:
            raise DataError("All sequences must have features of one size.")
        lengths = torch.tensor([len(steps) for steps in sequences])
        return cls(pad_sequence([steps.double() for steps in sequences], batch_first=True), lengths)

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.values)

    @property
    def tokens(self) -> int:
        """Steps of the longest sequence."""
        return int(self.values.shape[1])

    @property
    def sizes(self) -> list[int]:
        """Steps that each sequence is padded to."""
        return [self.tokens] * len(self)

    @property
    def features(self) -> int:
        """Features of a step."""
        return int(self.values.shape[2])

    @property
    def mask(self) -> Tensor:
        """Whether a step is within the sequence, N×T, boolean."""
        return torch.arange(self.tokens, device=self.values.device) < self.lengths[:, None]

    def take(self, indices: Tensor | list[int]) -> Sequences:
        """Return the sequences at ``indices``."""
        return Sequences(self.values[indices], self.lengths[indices])

    def packed(self) -> Tensor:
        """Return one tensor that networks take, N×T×(D + 1); its last feature is the mask."""
        mask = self.mask[:, :, None].to(self.values)
        return torch.cat([self.values, mask], 2)


@dataclass(frozen=True)
class Graphs:
    """Undirected graphs of different sizes.

    Attributes:
        features: Features of the nodes of each, V_i×D, float64.
        adjacency: Weights of the edges of each, V_i×V_i, symmetric, with a zero diagonal.

    Raises:
        DataError: If there is no graph, one has no nodes, or shapes do not fit.
    """

    features: tuple[Tensor, ...] = field(repr=False)
    adjacency: tuple[Tensor, ...] = field(repr=False)

    def __post_init__(self) -> None:
        """Check the graphs, and compute in float64."""
        for name in ("features", "adjacency"):
            object.__setattr__(self, name, tuple(matrix.double() for matrix in getattr(self, name)))
        if not self.features or len(self.features) != len(self.adjacency):
            raise DataError(
                f"As many adjacency matrices as features are needed, and at least one: got {len(self.adjacency)} and "
                f"{len(self.features)}."
            )
        sizes = {nodes.shape[1] for nodes in self.features if nodes.dim() == 2}
        if len(sizes) != 1:
            raise DataError(f"Nodes of all graphs must have features of one size, got sizes {sorted(sizes)}.")
        for index, (nodes, edges) in enumerate(zip(self.features, self.adjacency, strict=True)):
            _check_graph(index, nodes, edges)

    def __len__(self) -> int:
        """Number of graphs."""
        return len(self.features)

    @property
    def tokens(self) -> int:
        """Nodes of the largest graph."""
        return max(map(len, self.features))

    @property
    def sizes(self) -> list[int]:
        """Nodes of each graph."""
        return list(map(len, self.features))

    @property
    def width(self) -> int:
        """Features of a node."""
        return int(self.features[0].shape[1])

    def take(self, indices: Sequence[int]) -> Graphs:
        """Return the graphs at ``indices``."""
        return Graphs(*(tuple(graphs[index] for index in indices) for graphs in (self.features, self.adjacency)))

    def padded(self, aggregation: str) -> tuple[Tensor, Tensor, Tensor]:
        """Return features N×V×D, aggregation matrices N×V×V, and a mask of the nodes that exist, N×V.

        A node's aggregate is c_u times the sum over itself and its neighbours.

        Args:
            aggregation: A key of ``AGGREGATIONS``.
        """
        nodes = pad_sequence(list(self.features), batch_first=True)
        size = nodes.shape[1]
        matrices = nodes.new_zeros(len(self), size, size)
        for index, edges in enumerate(self.adjacency):
            loops = edges + torch.eye(len(edges), dtype=edges.dtype, device=edges.device)
            scaled = loops / loops.sum(1, keepdim=True) if aggregation == "degree" else loops
            matrices[index, : len(edges), : len(edges)] = scaled
        mask = torch.arange(size, device=nodes.device) < torch.tensor(self.sizes, device=nodes.device)[:, None]
        return nodes, matrices, mask

    def packed(self, aggregation: str) -> Tensor:
        """Return one tensor that networks take, N×V×(D + V): features beside the aggregation matrix.

        Its diagonal is positive where there is a node.
        """
        nodes, matrices, _ = self.padded(aggregation)
        return torch.cat([nodes, matrices], 2)


def step_weights(mask: Tensor, pooling: str) -> Tensor:
    """Return the weight of each step in the readout, N×T.

    Args:
        mask: 1 for the steps of the sequence, then 0, N×T, floating point.
        pooling: A key of ``POOLINGS``.
    """
    if pooling == "mean":
        return mask / mask.sum(1, keepdim=True)
    return mask - torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)


def _check_graph(index: int, nodes: Tensor, edges: Tensor) -> None:
    count = len(nodes)
    if nodes.dim() != 2 or not count:
        raise DataError(f"Graph {index} has no nodes: leave it out.")
    if edges.shape != (count, count):
        raise DataError(f"Graph {index} has {count} nodes and an adjacency matrix of shape {tuple(edges.shape)}.")
    if not (torch.isfinite(nodes).all() and torch.isfinite(edges).all()):
        raise DataError(f"Graph {index} has a feature or an edge that is no number.")
    if not torch.equal(edges, edges.mT) or bool(edges.diagonal().any()):
        raise DataError(f"The adjacency matrix of graph {index} must be symmetric, with zeros on its diagonal.")
    if bool((edges < 0).any()):
        raise DataError(f"Graph {index} has a negative edge weight.")
