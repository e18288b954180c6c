"""A release: published scores of a space, read from a folder whose files are checked before they are opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from ntknas.core.display import printable
from ntknas.core.errors import ChoiceError, DataError, check_known
from ntknas.core.shown import Shown, counted, listed
from ntknas.published import places
from ntknas.published.cells import Cells
from ntknas.published.environment import Environment
from ntknas.published.frame import Expansion, TableBuilder, settings_of
from ntknas.published.manifest import FileEntry, Manifest, checked_bytes, read_manifest
from ntknas.published.networks import read_networks
from ntknas.published.scores import Block, Key, ScoreFile
from ntknas.published.spectra import file_of, read_spectra
from ntknas.published.way import OpenWay, Way
from ntknas.spaces.known_counts import KnownCounts
from ntknas.store.frame import as_frame
from ntknas.store.left_out import LeftOut

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ntknas.core.html import Child

T = TypeVar("T")


class Release(Shown):
    """Published scores; made by ``Release.open``.

    Attributes:
        folder: Where it lies.
        manifest: What it is, with the hash of each of its files.
    """

    def __init__(self, folder: Path, manifest: Manifest):
        self.folder, self.manifest = folder, manifest

    @classmethod
    def open(cls, release: str | Path) -> Release:
        """Open a release.

        Args:
            release: The name of one that comes with the package, or a folder.

        Returns:
            The release.

        Raises:
            ChoiceError: If there is none of that name, and no such folder.
            DataError: If the folder holds none, or one that was changed or is of another version of the format.
        """
        folder = places.find(release)
        opened = cls(folder, read_manifest(folder))
        opened._check_contents()
        return opened

    @property
    def name(self) -> str:
        """Its name, which versions share."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """Its version."""
        return self.manifest.version

    @property
    def space(self) -> str:
        """Name of the space."""
        return self.manifest.space

    @property
    def ways(self) -> Mapping[str, Way]:
        """Ways of measuring that are there, by name."""
        return self.environment.ways

    @property
    def open_ways(self) -> tuple[OpenWay, ...]:
        """Ways, or further seeds of one, that are not there yet."""
        return self.environment.open

    @cached_property
    def environment(self) -> Environment:
        """How the scores were made."""
        return self._read(places.ENVIRONMENT, Environment.from_text)

    @cached_property
    def cells(self) -> Cells:
        """The cells that it covers."""
        return self._read(places.CELLS, Cells.from_bytes)

    @cached_property
    def networks(self) -> pd.DataFrame:
        """The networks: architecture, number of cells, and whether they are disconnected."""
        return self._read(places.NETWORKS, read_networks)

    @cached_property
    def _scores(self) -> ScoreFile:
        return self._read(places.SCORES, ScoreFile)

    def _read(self, name: str, parse: Callable[[bytes], T]) -> T:
        return _parsed(self.folder / name, self.manifest.files[name], parse)

    def _check_contents(self) -> None:
        """Check that the scores are those of the ways.

        Raises:
            DataError: If not.
        """
        expected = {(way.name, seed) for way in self.ways.values() for seed in way.seeds}
        if set(self._scores.keys) != expected:
            raise DataError(
                f"{self.folder} is no release: {places.SCORES} and {places.ENVIRONMENT} name other ways and seeds."
            )

    def way(self, name: str) -> Way:
        """Return a way.

        Args:
            name: Its name.

        Returns:
            The way.

        Raises:
            ChoiceError: If it is not there; the message names what is, and what is open.
        """
        self._check_any()
        if name not in self.ways and (missing := [way for way in self.open_ways if way.name == name]):
            raise ChoiceError(
                f"The way {name} is open in {self.name} {self.version}: {missing[0].missing}. There are "
                f"{', '.join(self.ways)}."
            )
        check_known(f"way of {self.name} {self.version}", name, self.ways)
        return self.ways[name]

    def frame(
        self,
        ways: Iterable[str] | None = None,
        seeds: Iterable[int] | None = None,
        measures: Iterable[str] | None = None,
        cells: Iterable[int] | None = None,
    ) -> pd.DataFrame:
        """Return scores of cells, in the form of ``ntknas.load_store``.

        Args:
            ways: Names of ways, or one name; all without any.
            seeds: Seeds, which every way that is named has; all without any.
            measures: Names of measures, or one name, each of one of the ways; all without any. Eigenvalues are apart:
                ``spectra``.
            cells: Indices of cells; all without any. A way of unit ``cell`` has rows for those alone that were scored.

        Returns:
            One row for each way, seed, measure and cell, in this order; cells of one network have equal scores.

        Raises:
            ChoiceError: If there is no such way, seed, measure or cell; the message names what there is.
            DataError: If a file was changed.
        """
        keys = self._keys(ways, seeds)
        chosen = [self.ways[name] for name in dict.fromkeys(name for name, _ in keys)]
        wanted = None if measures is None else self._checked_measures(_listed(measures), chosen)
        positions, builder = self.cells.positions(cells), TableBuilder()
        for name, seed in keys:
            way, block = self.ways[name], self.block(name, seed)
            block = block if wanted is None else block.of_measures(wanted)
            if block.measures:
                builder.add(way, seed, block, Expansion.of(block.networks, way.unit, self.cells, positions))
        settings, runs = settings_of(chosen), self.environment.runs
        made = {run: dict(runs[run].info) for way in chosen for run in way.runs}
        frame = as_frame(builder.table(settings, runs))
        frame.attrs["settings"] = {digest: dict(setting.fields) for digest, setting in settings.items()}
        frame.attrs.update({"runs": made, "left_out": LeftOut(), "published": f"{self.name} {self.version}"})
        KnownCounts(self.space, self.cells.counts).go_with(frame)
        return frame

    def spectra(self, way: str, seed: int = 0, folder: str | Path | None = None) -> pd.DataFrame:
        """Return the spectra of the kernels of cells.

        Args:
            way: Name of a way of kernels.
            seed: A seed that it has.
            folder: Where the files of spectra lie; without one ``NAME-spectra`` in ``bench_data`` here, beside the
                release, or in ``bench_data`` of the project that the package is used from.

        Returns:
            One row for each cell, by its index; columns 1, 2, … are the eigenvalues in float32, from the largest on,
            NaN where there is none.

        Raises:
            ChoiceError: If there is no such way or seed, or the way has no spectra.
            DataError: If the file is missing, or was changed.
        """
        networks, values = self.spectra_of_networks(way, seed, folder)
        where = Expansion.of(networks, self.ways[way].unit, self.cells, self.cells.positions(None))
        columns = pd.RangeIndex(1, values.shape[1] + 1, name="eigenvalue")
        return pd.DataFrame(values[where.places], index=pd.Index(where.cells, name="cell"), columns=columns)

    def spectra_of_networks(
        self, way: str, seed: int = 0, folder: str | Path | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return networks, in ascending order, and in rows their eigenvalues; arguments and errors of ``spectra``."""
        self._keys([way], [seed])
        eigenvalues, name = self.ways[way].eigenvalues, file_of(way)
        if not eigenvalues:
            raise ChoiceError(f"The way {way} has no spectra: it is not of kernels.")
        if name not in self.manifest.spectra:
            raise _damaged(self.folder / places.MANIFEST, f"it lists no spectra of {way}")
        path = places.find_spectra(self.name, name, self.folder) if folder is None else Path(folder) / name
        return _parsed(path, self.manifest.spectra[name], lambda content: read_spectra(content, eigenvalues, seed))

    def _keys(self, ways: Iterable[str] | None, seeds: Iterable[int] | None) -> list[Key]:
        """Return the ways and seeds that are meant, in the order of the release."""
        named = None if ways is None else {name: self.way(name) for name in _listed(ways)}
        wanted = None if seeds is None else list(dict.fromkeys(seeds))
        if wanted is not None:
            self._check_any()
            for way in (named or {}).values():
                _check_seeds(f"The way {way.name}", wanted, way.seeds, self._open_seeds(way.name))
            _check_seeds(
                f"{self.name} {self.version}", wanted, sorted({s for w in self.ways.values() for s in w.seeds})
            )
        chosen = self.ways if named is None else {name: way for name, way in self.ways.items() if name in named}
        return [
            (way.name, seed)
            for way in chosen.values()
            for seed in (way.seeds if wanted is None else wanted)
            if seed in way.seeds
        ]

    def _check_any(self) -> None:
        if not self.ways:
            still = ", ".join(dict.fromkeys(way.name for way in self.open_ways)) or "none"
            raise ChoiceError(
                f"{self.name} {self.version} has counts of its cells and no scores yet: no way is finished (open: "
                f"{still})."
            )

    def _open_seeds(self, way: str) -> list[int]:
        return sorted({seed for each in self.open_ways if each.name == way for seed in each.seeds})

    def _checked_measures(self, measures: Sequence[str], ways: Sequence[Way]) -> Sequence[str]:
        self._check_any()
        there = list(dict.fromkeys(name for way in ways for name in way.measures))
        for measure in measures:
            check_known(f"measure of {', '.join(way.name for way in ways)}", measure, there)
        return measures

    def block(self, way: str, seed: int) -> Block:
        """Return the scores of networks by one way under one seed; raises as ``frame``."""
        self._keys([way], [seed])
        described, path = self.ways[way], self.folder / places.SCORES
        block = _guarded(path, lambda: self._scores.block((way, seed)))
        if set(block.measures) != set(described.measures) or not block.run.used <= set(described.runs):
            raise _damaged(path, f"its measures or runs of {way} are others than {places.ENVIRONMENT} names")
        networks = self.cells.networks(described.unit)
        is_whole = described.unit == "cell" or set(block.networks.tolist()) == set(networks.tolist())
        if not is_whole or not np.isin(block.networks, networks).all():
            raise _damaged(path, f"its networks of {way} are others than those of {places.CELLS}")
        return block

    def _line(self) -> str:
        still = f", {counted(len(self.open_ways), 'way')} open" if self.open_ways else ""
        return f"{self.name} {self.version}: {counted(len(self.ways), 'way')} of measuring {self.space}{still}"

    def _facts(self) -> Mapping[str, Child]:
        return {"folder": str(self.folder)}

    def _parts(self) -> list[Element]:
        from ntknas.core import html

        rows = [(way.name, way.title, listed(way.seeds), len(way.measures)) for way in self.ways.values()]
        table = [html.table(("way", "what it is", "seeds", "measures"), rows, 3)] if rows else []
        still = listed(dict.fromkeys(way.name for way in self.open_ways), 20)
        return [*table, *([html.quiet(f"Open: {still}.")] if still else [])]


def _listed(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _parsed(path: Path, entry: FileEntry, parse: Callable[[bytes], T]) -> T:
    """Return what a file says, if it is the one that the manifest lists."""
    content = checked_bytes(path, entry)
    return _guarded(path, lambda: parse(content))


def _guarded(path: Path, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except ValueError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, fault: object) -> DataError:
    return DataError(f"{path} is no file of published scores, though its hash is as listed: {printable(fault)}.")


def _check_seeds(whose: str, wanted: Iterable[int], there: Sequence[int], still_open: Sequence[int] = ()) -> None:
    for seed in wanted:
        if seed not in there:
            remark = f" (open: {', '.join(map(str, still_open))})" if still_open else ""
            found = ", ".join(map(str, there)) or "none"
            raise ChoiceError(f"{whose} has no seed {printable(seed)}: expected one of {found}{remark}.")
