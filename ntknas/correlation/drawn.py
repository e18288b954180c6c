"""Resamples of networks: of cells that are one network all come along when it is drawn, as often as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components

from ntknas.correlation.coefficients import PAIRWISE_LIMIT, Array, kendall, kendall_drawn

Codes = NDArray[np.int64]
AT_ONCE = 100
"""Resamples whose ranks are in memory at once."""


@dataclass(frozen=True)
class Draws:
    """Resamples of networks.

    Attributes:
        networks: The network of each cell, numbered from 0 without a gap, shape n.
        weights: How often each cell is in each resample, shape B×n.
    """

    networks: Codes
    weights: Array

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def number(self) -> int:
        """Number of networks."""
        return int(self.networks.max()) + 1

    @classmethod
    def of(cls, networks: Codes, resamples: int, seed: int) -> Draws:
        """Draw as many networks as there are, with replacement.

        Args:
            networks: The network of each cell.
            resamples: Number of resamples.
            seed: Seed of the draws.

        Returns:
            The resamples.
        """
        _, codes = np.unique(networks, return_inverse=True)
        number = int(codes.max()) + 1
        drawn = np.random.default_rng(seed).integers(0, number, size=(resamples, number))
        often = np.zeros((resamples, number))
        np.add.at(often, (np.arange(resamples)[:, None], drawn), 1.0)
        return cls(codes, often[:, codes])


def places(weights: Array) -> Iterator[Codes]:
    """Yield the places of the cells of every resample, each as often as its weight says."""
    for often in weights:
        yield np.repeat(np.arange(len(often)), often.astype(np.int64))


def drawn(name: str, x: Array, y: Array, weights: Array) -> Array:
    """Return a coefficient on every resample, each cell being there as often as its weight says.

    Args:
        name: ``kendall``, ``spearman`` or ``pearson``.
        x: First variable, shape n.
        y: Second variable, shape n.
        weights: How often each cell is in each resample, shape B×n.

    Returns:
        Shape B; NaN where a resample is constant.
    """
    if name == "kendall":
        if len(x) <= PAIRWISE_LIMIT:
            return kendall_drawn(x, y, weights)
        return np.array([kendall(x[cells], y[cells]) for cells in places(weights)])
    find = _spearman if name == "spearman" else _pearson
    return np.concatenate([find(x, y, part) for part in np.array_split(weights, -(-len(weights) // AT_ONCE))])


def _spearman(x: Array, y: Array, weights: Array) -> Array:
    return pearson_drawn(_mid_ranks(x, weights), _mid_ranks(y, weights), weights)


def _pearson(x: Array, y: Array, weights: Array) -> Array:
    return pearson_drawn(np.broadcast_to(x, weights.shape), np.broadcast_to(y, weights.shape), weights)


def _mid_ranks(values: Array, weights: Array) -> Array:
    """Return each cell's mid-rank in each resample: the draws below it, and half of those that are equal and one."""
    dense = stats.rankdata(values, method="dense").astype(np.int64) - 1
    equal = np.zeros((len(weights), int(dense.max()) + 1))
    np.add.at(equal.T, dense, weights.T)
    ranks: Array = (np.cumsum(equal, axis=1) - equal / 2 + 0.5)[:, dense]
    return ranks


def pearson_drawn(x: Array, y: Array, weights: Array) -> Array:
    """Return Pearson's r of every resample; NaN for a constant.

    Args:
        x: First variable, shape B×n.
        y: Second variable, shape B×n.
        weights: How often each cell is in each resample, shape B×n.
    """
    a, b = (standardised(values, weights) for values in (x, y))
    r: Array = np.einsum("bn,bn,bn->b", weights, a, b) / weights.sum(axis=1)
    return r


def standardised(values: Array, weights: Array) -> Array:
    """Return values less their mean, over their standard deviation, in each resample; NaN for a constant."""
    largest = np.abs(values).max(axis=1, keepdims=True, initial=0.0)
    fractions = np.divide(values, largest, out=np.zeros(values.shape), where=largest > 0)
    total = weights.sum(axis=1, keepdims=True)
    centred = fractions - (weights * fractions).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((weights * centred**2).sum(axis=1, keepdims=True) / total)
    spread[spread <= 1e-13] = np.nan  # the mean of a constant rounds, and leaves more than 0
    scores: Array = centred / spread
    return scores


def summed(influences: Array, networks: Codes) -> Array:
    """Return the sums of the cells' influences by network.

    Args:
        influences: Along the last axis, n of them.
        networks: The network of each cell, numbered from 0 without a gap.

    Returns:
        One for each network along the last axis.
    """
    sums = np.zeros((*influences.shape[:-1], int(networks.max()) + 1))
    np.add.at(sums.T, networks, influences.T)
    return sums


def joined(first: Codes | None, second: Codes | None) -> Codes | None:
    """Return a number for each group of cells that belong together by either of two groupings, or by a chain of them.

    Args:
        first: A number for each cell's group, where there is such a grouping.
        second: The same of another grouping.

    Returns:
        The numbers, from 0 without a gap where both are given; ``None`` without any.
    """
    if first is None or second is None:
        return second if first is None else first
    (_, a), (_, b) = (np.unique(codes, return_inverse=True) for codes in (first, second))
    shape = (int(a.max(initial=-1)) + 1, int(b.max(initial=-1)) + 1)
    edges = sparse.coo_array((np.ones(len(a)), (a, b + shape[0])), shape=(sum(shape), sum(shape)))
    _, components = connected_components(edges, directed=False)
    return np.asarray(np.unique(components[a], return_inverse=True)[1], np.int64)


def repeated(networks: Codes | None) -> Codes | None:
    """Return the networks of cells, numbered from 0 without a gap, if two cells are one; else nothing.

    Args:
        networks: A number for each cell's network, where it is known.
    """
    if networks is None or not len(networks):
        return None
    distinct, codes = np.unique(networks, return_inverse=True)
    return codes.astype(np.int64) if len(distinct) < len(codes) else None
