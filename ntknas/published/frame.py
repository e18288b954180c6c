"""Scores of networks as scores of cells, in the form of a store's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ntknas.published.cells import Cells
from ntknas.published.scores import Block, Coded
from ntknas.published.way import Way
from ntknas.store import schema
from ntknas.store.run import Run
from ntknas.store.setting import Setting
from ntknas.store.table import COLUMNS, Table


@dataclass(frozen=True)
class Expansion:
    """Which cells of a choice have a score of a way, and where in the rows of its networks.

    Attributes:
        cells: The cells.
        places: Where each one's network stands among the networks.
    """

    cells: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, networks: np.ndarray, unit: str, cells: Cells, positions: np.ndarray) -> Expansion:
        """Find cells among the networks that are scored.

        Args:
            networks: Networks that are scored, in ascending order.
            unit: Which cells share a score.
            cells: All cells of the release.
            positions: Positions of those that are meant.

        Returns:
            Where they are; cells whose network is not scored are left out.
        """
        wanted = cells.networks(unit)[positions]
        places = np.minimum(np.searchsorted(networks, wanted), len(networks) - 1)
        scored = networks[places] == wanted
        return cls(cells.indices[positions][scored], places[scored])


@dataclass
class Names:
    """Names of a table, each with its code."""

    codes: dict[str, int] = field(default_factory=dict)

    def code(self, name: str) -> int:
        """Return the code of a name, which is taken in."""
        return self.codes.setdefault(name, len(self.codes))

    def recoded(self, column: Coded) -> np.ndarray:
        """Return the codes here of a column of texts."""
        used = np.unique(column.codes)
        lookup = np.zeros(len(column.names), dtype=np.int64)
        lookup[used] = [self.code(column.names[code]) for code in used]
        codes: np.ndarray = lookup[column.codes]
        return codes


class TableBuilder:
    """Joins blocks of several ways into one table of scores of cells."""

    def __init__(self) -> None:
        self._names = {name: Names() for name in ("settings", "runs", "measures", "reasons")}
        self._names["statuses"] = Names({status: code for code, status in enumerate(schema.STATUSES)})
        self._names["reasons"].code("")
        self._pieces: list[Mapping[str, np.ndarray]] = []

    def add(self, way: Way, seed: int, block: Block, where: Expansion) -> None:
        """Add the scores of a way under a seed.

        Args:
            way: The way.
            seed: The seed.
            block: Scores of networks.
            where: Which cells they count for.
        """
        shape = (len(block.measures), len(where.cells))
        settings = [self._names["settings"].code(way.measures[measure]) for measure in block.measures]
        measures = [self._names["measures"].code(measure) for measure in block.measures]
        by_network = {
            "value": block.value,
            "seconds": block.seconds,
            "status": self._names["statuses"].recoded(block.status),
            "reason": self._names["reasons"].recoded(block.reason),
            "run": self._names["runs"].recoded(block.run),
        }
        arrays = {name: values[:, where.places] for name, values in by_network.items()}
        arrays |= {"setting": np.array(settings)[:, None], "measure": np.array(measures)[:, None]}
        arrays |= {"cell": where.cells[None, :], "seed": np.array(seed)}
        self._pieces.append(
            {name: np.broadcast_to(arrays[name].astype(kind), shape).ravel() for name, kind in COLUMNS.items()}
        )

    def table(self, settings: Mapping[str, Setting], runs: Mapping[str, Run]) -> Table:
        """Return everything that was added.

        Args:
            settings: Settings by digest.
            runs: Runs by identifier.

        Returns:
            The table.
        """
        names: dict[str, list[str]] = {name: list(held.codes) for name, held in self._names.items()}
        names["settings"] = [settings[digest].text for digest in names["settings"]]
        names["runs"] = [runs[identifier].text for identifier in names["runs"]]
        return Table({name: _joined([piece[name] for piece in self._pieces], name) for name in COLUMNS}, names)


def _joined(pieces: Sequence[np.ndarray], name: str) -> np.ndarray:
    return np.concatenate(pieces) if pieces else np.empty(0, COLUMNS[name])


def settings_of(ways: Iterable[Way]) -> dict[str, Setting]:
    """Return the settings of some ways by digest."""
    return {digest: setting for way in ways for digest, setting in way.settings.items()}
