"""Graphs in the TU format (Morris et al. 2020), as sets of graphlearning.io come: text files NAME_A.txt and others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from ntknas.core.errors import DataError
from ntknas.core.regular_file import read_text
from ntknas.kernels.analytic.samples import Graphs

_LARGEST = 2**62
_MAX_BYTES = 1 << 28
MAX_MEMORY = 1 << 32
"""Bytes that a set's adjacency matrices, or its features, may take: they are dense, and pairs of graphs have more."""


@dataclass(frozen=True)
class GraphSet:
    """A set of graphs with classes.

    Attributes:
        name: Its name.
        graphs: The graphs; features are node labels, one-hot, and node attributes, or 1 where there are neither.
        classes: Class of each graph, N, from 0.
    """

    name: str
    graphs: Graphs
    classes: np.ndarray

    def digest(self) -> str:
        """SHA-256 of features, edges and classes, 16 digits."""
        digest = hashlib.sha256(self.classes.astype(np.int64).tobytes())
        for nodes, edges in zip(self.graphs.features, self.graphs.adjacency, strict=True):
            digest.update(f"{tuple(nodes.shape)}".encode())
            digest.update(nodes.numpy().tobytes() + edges.numpy().tobytes())
        return digest.hexdigest()[:16]


def read(folder: Path) -> GraphSet:
    """Read a set in the TU format; edges of either direction count as undirected, loops are left out.

    Args:
        folder: A folder NAME with NAME_A.txt, NAME_graph_indicator.txt and NAME_graph_labels.txt, and if there are any
            NAME_node_labels.txt and NAME_node_attributes.txt.

    Returns:
        The set.

    Raises:
        DataError: If a file is missing or malformed, files do not fit one another, a graph has no nodes, or the set is
            too large for dense matrices.
    """
    edge_files = sorted(folder.glob("*_A.txt")) if folder.is_dir() else []
    if len(edge_files) != 1:
        raise DataError(f"{folder} is no set of graphs in the TU format: expected one file NAME_A.txt in it.")
    name = edge_files[0].name.removesuffix("_A.txt")
    owner = _column(folder / f"{name}_graph_indicator.txt") - 1
    labels = _column(folder / f"{name}_graph_labels.txt")
    _check_owners(folder, owner, len(labels))
    edges = _numbers(edge_files[0], int) - 1
    if edges.size and (edges.shape[1] != 2 or edges.min() < 0 or edges.max() >= len(owner)):
        raise DataError(f"{edge_files[0]}: every line must name two of the {len(owner)} nodes, from 1.")
    if not (owner[edges[:, 0]] == owner[edges[:, 1]]).all():
        raise DataError(f"{edge_files[0]} has an edge between two graphs.")
    starts = np.searchsorted(owner, np.arange(len(labels) + 1))
    _check_size(folder, np.diff(starts))
    features = _features(folder, name, len(owner))
    edges = edges[np.argsort(owner[edges[:, 0]], kind="stable")]
    borders = np.searchsorted(owner[edges[:, 0]], np.arange(len(labels) + 1))
    nodes, matrices = [], []
    for (first, stop), (first_edge, stop_edge) in zip(
        pairwise(starts.tolist()), pairwise(borders.tolist()), strict=True
    ):
        nodes.append(torch.from_numpy(features[first:stop]))
        matrices.append(torch.from_numpy(_matrix(edges[first_edge:stop_edge] - first, stop - first)))
    return GraphSet(name, Graphs(tuple(nodes), tuple(matrices)), np.unique(labels, return_inverse=True)[1])


def mutag_folder() -> Path:
    """Return the folder of MUTAG that the package grakel ships.

    Raises:
        DataError: If the package has none.
    """
    package = find_spec("grakel")
    roots = list(package.submodule_search_locations or []) if package else []
    folders = [Path(root) / "tests" / "data" / "MUTAG" for root in roots]
    existing = [folder for folder in folders if folder.is_dir()]
    if not existing:
        raise DataError("The package grakel, which ships MUTAG, is not installed: pip install 'ntknas[studies]'.")
    return existing[0]


def _matrix(edges: np.ndarray, size: int) -> np.ndarray:
    matrix = np.zeros((size, size))
    matrix[edges[:, 0], edges[:, 1]] = 1
    matrix = np.maximum(matrix, matrix.T)
    np.fill_diagonal(matrix, 0)
    return matrix


def _check_owners(folder: Path, owner: np.ndarray, graphs: int) -> None:
    if not len(owner) or owner.min() < 0 or owner.max() >= graphs or (np.diff(owner) < 0).any():
        raise DataError(
            f"{folder}: nodes must be listed graph by graph, and belong to graphs counted from 1 to {graphs}."
        )
    counts = np.bincount(owner, minlength=graphs)
    if not counts.all():
        raise DataError(f"{folder}: graph {int(np.argmin(counts)) + 1} has no nodes: leave it out.")


def _check_size(folder: Path, sizes: np.ndarray) -> None:
    needed = 8 * sum(size * size for size in sizes.tolist())  # of Python's integers, which do not overflow
    if needed > MAX_MEMORY:
        raise DataError(
            f"{folder}: its adjacency matrices take {needed / 2**30:,.1f} GiB, the largest graph having "
            f"{sizes.max():,} nodes: expected at most {MAX_MEMORY / 2**30:,.1f} GiB. Leave the large graphs out."
        )


def _features(folder: Path, name: str, nodes: int) -> np.ndarray:
    columns = []
    labels, attributes = folder / f"{name}_node_labels.txt", folder / f"{name}_node_attributes.txt"
    if labels.exists():
        names = _numbers(labels, int).T
        needed = 8 * nodes * sum(len(np.unique(row)) for row in names)
        if needed > MAX_MEMORY:
            raise DataError(
                f"{labels}: one-hot labels of {nodes:,} nodes take {needed / 2**30:,.1f} GiB: expected at most "
                f"{MAX_MEMORY / 2**30:,.1f} GiB. Merge labels, or leave the file out."
            )
        columns.append(_one_hot(names).astype(float))
    if attributes.exists():
        columns.append(_numbers(attributes, float))
    for values, path in zip(columns, [path for path in (labels, attributes) if path.exists()], strict=True):
        if len(values) != nodes:
            raise DataError(f"{path} has {len(values)} lines, and there are {nodes} nodes.")
    return np.concatenate(columns, 1) if columns else np.ones((nodes, 1))


def _one_hot(labels: np.ndarray) -> np.ndarray:
    """Return a column per label that some node has, for each column of labels; these stand in rows."""
    return np.concatenate([row[:, None] == np.unique(row) for row in labels], 1)


def _column(path: Path) -> np.ndarray:
    numbers = _numbers(path, int)
    if len(numbers) and numbers.shape[1] != 1:
        raise DataError(f"{path} must have one whole number per line, got {numbers.shape[1]}.")
    column: np.ndarray = numbers[:, 0]
    return column


def _numbers(path: Path, kind: type[int] | type[float]) -> np.ndarray:
    """Read numbers separated by commas.

    Returns:
        A row per line.

    Raises:
        DataError: If the file cannot be read, or has something else in it.
    """
    try:
        # Not splitlines(), which also splits at form feeds and others: lines are numbered as editors do.
        lines = read_text(path, _MAX_BYTES).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: {error}.") from error
    rows = [_parsed(path, number, line, kind) for number, line in enumerate(lines, 1) if line.strip()]
    if len({len(row) for row in rows}) > 1:
        raise DataError(f"{path} must have as many numbers in every line.")
    numbers = np.array(rows, dtype=np.int64 if kind is int else np.float64)
    if not np.isfinite(numbers).all():
        raise DataError(f"{path} has a value that is no number.")
    return numbers.reshape(len(rows), -1) if rows else np.zeros((0, 2), dtype=numbers.dtype)


def _parsed(path: Path, number: int, line: str, kind: type[int] | type[float]) -> list[float]:
    try:
        row: list[float] = [kind(item) for item in line.split(",")]
    except ValueError:
        row = []
    if not row or (kind is int and max(map(abs, row)) >= _LARGEST):
        numbers = "whole numbers below 2^62" if kind is int else "numbers"
        raise DataError(f"{path}, line {number}: expected {numbers} separated by commas, got {line[:40]!r}.")
    return row
