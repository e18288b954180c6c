"""Gathers the scores of one way from a store: which seeds are complete, and what is missing of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ntknas.core.errors import DataError
from ntknas.measures.eigenvalues import place_in_spectrum
from ntknas.published.cells import Cells
from ntknas.published.costs import core_seconds
from ntknas.published.scores import Block, Coded
from ntknas.published.way import OpenWay, Way
from ntknas.store import tables
from ntknas.store.run import Run
from ntknas.store.setting import Setting
from ntknas.store.table import Table


@dataclass(frozen=True)
class WaySource:
    """A way, and the scores that were made of it so far.

    Attributes:
        name: Identifier.
        title: What it is, for readers.
        unit: Which cells share a score: one of ``way.UNITS``.
        seeds: Seeds that are to be published.
        measures: Its measures, eigenvalues included.
        command: The command that computes the scores.
        table: All scores that there are.
        core_hours: What it takes as far as it was estimated, for ways of which nothing is scored yet.
    """

    name: str
    title: str
    unit: str
    seeds: tuple[int, ...]
    measures: tuple[str, ...]
    command: str
    table: Table
    core_hours: float | None = None


@dataclass(frozen=True)
class Spectra:
    """Spectra of one way under one seed.

    Attributes:
        networks: The networks, in ascending order.
        values: Their eigenvalues in rows; NaN where there is none.
    """

    networks: np.ndarray
    values: np.ndarray


@dataclass
class Part:
    """What a release has of one way.

    Attributes:
        name: Name of the way.
        way: The way, with the seeds that are complete; nothing where none is.
        blocks: Scores by seed.
        spectra: Spectra by seed.
        runs: Runs by identifier.
        open: What is missing.
    """

    name: str
    way: Way | None
    blocks: dict[int, Block] = field(default_factory=dict)
    spectra: dict[int, Spectra] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    open: OpenWay | None = None


def collect(source: WaySource, cells: Cells) -> Part:
    """Gather what is complete of a way.

    Args:
        source: The way and its scores.
        cells: The cells that the release covers.

    Returns:
        The seeds under which every network has every measure, and what is missing of the others.

    Raises:
        DataError: If a measure was taken under two settings.
    """
    gathered = _Gathered(source, cells)
    by_seed = {seed: gathered.under(seed) for seed in source.seeds}
    complete = {seed: rows for seed, rows in by_seed.items() if isinstance(rows, np.ndarray)}
    missing = {seed: rows for seed, rows in by_seed.items() if not isinstance(rows, np.ndarray)}
    part = Part(source.name, None, open=gathered.open(missing))
    if not complete:
        return part
    for seed, rows in complete.items():
        networks, block, spectra = gathered.taken(rows)
        part.blocks[seed] = block
        if spectra is not None:
            part.spectra[seed] = Spectra(networks, spectra)
    part.way, part.runs = gathered.way(complete, part.blocks)
    return part


class _Gathered:
    """The rows of a way's measures that count, with their networks."""

    def __init__(self, source: WaySource, cells: Cells):
        self.source, self.cells = source, cells
        names = source.table.names["measures"]
        is_asked = np.array([name in source.measures for name in names], dtype=bool)
        is_done = np.isin(
            source.table.columns["status"],
            [code for code, name in enumerate(source.table.names["statuses"]) if name in tables.DONE],
        )
        rows = is_done & (is_asked[source.table.columns["measure"]] if len(source.table) else False)
        rows &= np.isin(source.table.columns["cell"], cells.indices)
        self.table = source.table.rows(rows)
        where = np.searchsorted(cells.indices, self.table.columns["cell"])
        self.networks = cells.networks(source.unit)[where]
        order = {name: number for number, name in enumerate(source.measures)}
        lookup = np.array([order.get(name, 0) for name in names] or [0])
        self.measures = lookup[self.table.columns["measure"]] if len(self.table) else np.empty(0, np.int64)
        self.settings = self._settings()

    def _settings(self) -> dict[str, Setting]:
        """Return the setting of each measure."""
        settings, found = self.table.settings, dict[str, Setting]()
        pairs = np.unique(np.stack([self.measures, self.table.columns["setting"].astype(np.int64)]), axis=1)
        for measure, code in pairs.T.tolist():
            name = self.source.measures[measure]
            if name in found:
                differing = ", ".join(found[name].differing(settings[code]))
                raise DataError(
                    f"The way {self.source.name} has {name} under two settings, which differ in {differing}: name "
                    "stores that hold one way each, or remove the other setting with ntknas store extract."
                )
            found[name] = settings[code]
        return found

    def _expected(self) -> np.ndarray:
        """Return the networks that must be scored: of unit ``cell`` one cell for each network under ``weights``."""
        if self.source.unit != "cell":
            return np.unique(self.cells.networks(self.source.unit))
        _, first = np.unique(self.cells.networks("weights"), return_index=True)
        cells: np.ndarray = np.sort(self.cells.indices[first])
        return cells

    def under(self, seed: int) -> np.ndarray | int:
        """Return which rows have each measure (first axis) of each network; or how many networks lack one."""
        chosen = np.flatnonzero(self.table.columns["seed"] == seed)
        chosen = chosen[np.argsort(-self.table.columns["cell"][chosen], kind="stable")]  # the first cell counts
        networks = np.unique(np.concatenate([self._expected(), self.networks[chosen]]))
        rows = np.full((len(self.source.measures), len(networks)), len(self.table))
        rows[self.measures[chosen], np.searchsorted(networks, self.networks[chosen])] = chosen
        is_whole = np.asarray((rows < len(self.table)).all(axis=0))
        lacking = int((~is_whole[np.isin(networks, self._expected())]).sum())
        return lacking if lacking else rows[:, is_whole]

    def taken(self, rows: np.ndarray) -> tuple[np.ndarray, Block, np.ndarray | None]:
        """Return networks, scores and spectra of complete rows."""
        networks = self.networks[rows[0]]
        numbers = {name: number for number, name in enumerate(self.source.measures)}
        eigenvalues = sorted(filter(_place, numbers), key=_place)
        scores = sorted(set(numbers).difference(eigenvalues))
        spectra = None
        if eigenvalues:
            values = self.table.columns["value"][rows[[numbers[name] for name in eigenvalues]]]
            spectra = values.T.astype(np.float32)
        return networks, self._block(scores, networks, rows[[numbers[name] for name in scores]]), spectra

    def _block(self, measures: Sequence[str], networks: np.ndarray, rows: np.ndarray) -> Block:
        columns, names = self.table.columns, self.table.names
        runs = tuple(run.identifier for run in self.table.runs)
        return Block(
            tuple(measures),
            networks,
            columns["value"][rows],
            columns["seconds"][rows],
            Coded(columns["status"][rows], tuple(names["statuses"])),
            Coded(columns["reason"][rows], tuple(names["reasons"])),
            Coded(columns["run"][rows], runs),
        )

    def way(self, complete: Mapping[int, np.ndarray], blocks: Mapping[int, Block]) -> tuple[Way, dict[str, Run]]:
        """Return the way as it is published, and its runs."""
        source, rows = self.source, np.concatenate([rows.ravel() for rows in complete.values()])
        codes = np.unique(self.table.columns["run"][rows]).tolist()
        runs = {run.identifier: run for run in (self.table.runs[code] for code in codes)}
        measures = blocks[min(blocks)].measures
        settings = {setting.digest: setting for setting in self.settings.values()}
        way = Way(
            name=source.name,
            title=source.title,
            unit=source.unit,
            recipe=", ".join(dict.fromkeys(run.recipe for run in runs.values())),
            command=source.command,
            seeds=tuple(complete),
            settings=settings,
            measures={name: self.settings[name].digest for name in measures},
            runs=tuple(sorted(runs)),
            hours={seed: _hours(self.table.rows(np.unique(of_seed))) for seed, of_seed in complete.items()},
            eigenvalues=len(source.measures) - len(measures),
        )
        return way, runs

    def open(self, missing: Mapping[int, int]) -> OpenWay | None:
        """Return what is missing, and what it takes by what was measured so far."""
        if not missing:
            return None
        total, source = len(self._expected()), self.source
        lacks = {seed: f"{count:,} of {total:,} networks" for seed, count in missing.items()}
        measured = len(np.unique(self.networks.astype(np.int64) * (1 << 32) + self.table.columns["seed"]))
        hours = source.core_hours
        if measured:
            hours = _hours(self.table) / measured * sum(missing.values())
        cost = None if hours is None else round(hours, 6)
        return OpenWay(source.name, source.title, lacks, cost)


def _hours(table: Table) -> float:
    return round(core_seconds(table) / 3600, 6)


def _place(name: str) -> int:
    return place_in_spectrum(name) or 0
