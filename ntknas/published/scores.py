"""The table of scores, read a block at a time: all measures of all networks of one way under one seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.parquet as pq

from ntknas.core.score import Status
from ntknas.published import tables
from ntknas.store import schema

Key = tuple[str, int]
"""A way and a seed."""


@dataclass(frozen=True)
class Coded:
    """A column of texts: codes, and what they stand for."""

    codes: np.ndarray
    names: tuple[str, ...]

    def rows(self, rows: list[int]) -> Coded:
        """Return some rows."""
        return Coded(self.codes[rows], self.names)

    @property
    def used(self) -> set[str]:
        """What occurs in the column."""
        return {self.names[code] for code in np.unique(self.codes)}


@dataclass(frozen=True)
class Block:
    """The scores of one way under one seed: every measure (first axis) of every network (second axis).

    Attributes:
        measures: Names of the measures, in alphabetical order.
        networks: The networks, in ascending order.
        value: Values; NaN where there is none.
        seconds: Seconds of the kernels.
        status: Statuses.
        reason: Why there is no value; empty where there is one.
        run: Identifiers of runs.
    """

    measures: tuple[str, ...]
    networks: np.ndarray
    value: np.ndarray
    seconds: np.ndarray
    status: Coded
    reason: Coded
    run: Coded

    def of_measures(self, measures: Iterable[str]) -> Block:
        """Return the block of those of some measures that it has."""
        wanted = set(measures)
        kept = [number for number, name in enumerate(self.measures) if name in wanted]
        return replace(
            self,
            measures=tuple(self.measures[number] for number in kept),
            value=self.value[kept],
            seconds=self.seconds[kept],
            status=self.status.rows(kept),
            reason=self.reason.rows(kept),
            run=self.run.rows(kept),
        )


class ScoreFile:
    """The table of scores of a release; each row group is a block.

    Args:
        content: The Parquet file.

    Raises:
        ValueError: If it is something else.
    """

    def __init__(self, content: bytes):
        self._file = tables.opened(content, tables.SCORES)
        self._groups = _groups(self._file.metadata)

    @property
    def keys(self) -> list[Key]:
        """What there is, in the order of the file."""
        return list(self._groups)

    def block(self, key: Key) -> Block:
        """Return the scores of a way under a seed.

        Args:
            key: The way and the seed.

        Returns:
            The scores.

        Raises:
            ValueError: If they are not what they must be.
        """
        rows = tables.rows_of(self._file, [self._groups[key]])
        codes, names = tables.coded(rows, "measure")
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        measures = tuple(names[code] for code in codes[starts])
        networks = tables.numbers(rows, "network").reshape(len(measures), -1) if _is_even(starts, codes) else None
        if networks is None or list(measures) != sorted(set(measures)) or (networks != networks[0]).any():
            raise ValueError(f"its scores of {key[0]}, seed {key[1]} are not those of all networks by all measures")
        shape = networks.shape
        columns = {name: tables.coded(rows, name) for name in ("status", "reason", "run")}
        value, wide = (tables.numbers(rows, name).astype(np.float64) for name in ("value", "wide"))
        block = Block(
            measures,
            networks[0],
            np.where(np.isnan(value), wide, value).reshape(shape),
            tables.numbers(rows, "seconds").astype(np.float64).reshape(shape),
            **{name: Coded(codes.reshape(shape), tuple(names)) for name, (codes, names) in columns.items()},
        )
        _check(block)
        return block


def _is_even(starts: np.ndarray, codes: np.ndarray) -> bool:
    return len(starts) > 0 and len(codes) % len(starts) == 0


def _check(block: Block) -> None:
    """Check that networks have an order, statuses are known, and numbers stand where the status is ok."""
    if (np.diff(block.networks) <= 0).any() or block.networks[0] < 0:
        raise ValueError("its networks are not in ascending order, each once")
    if unknown := set(block.status.names) - set(schema.STATUSES):
        raise ValueError(f"it has the status {schema.shortened(min(unknown))}")
    is_ok = np.array([name == Status.OK for name in block.status.names], dtype=bool)[block.status.codes]
    if np.isinf(block.value).any() or (np.isnan(block.value) == is_ok).any() or not np.isfinite(block.seconds).all():
        raise ValueError("it has no finite number where the status is ok, or one where it is not")


def _groups(metadata: pq.FileMetaData) -> Mapping[Key, int]:
    """Return the row group of each way and seed, by what the file says of its columns."""
    groups: dict[Key, int] = {}
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        way, seed = (_constant(group.column(column).statistics) for column in (0, 1))
        if not isinstance(way, str) or not isinstance(seed, int) or (way, seed) in groups:
            raise ValueError("its row groups are not one for each way and seed")
        groups[way, seed] = number
    return groups


def _constant(statistics: pq.Statistics | None) -> object:
    """Return the only value of a column in a row group."""
    if statistics is None or not statistics.has_min_max or statistics.min != statistics.max:
        return None
    least: object = statistics.min
    return least
