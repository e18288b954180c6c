"""Builds a release of the scores of stores: the same stores give the same files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ntknas.core.errors import DataError
from ntknas.core.files import replacing
from ntknas.published import places, writing
from ntknas.published.cells import Cells
from ntknas.published.collect import Part, WaySource, collect
from ntknas.published.croissant import croissant_text
from ntknas.published.environment import Environment
from ntknas.published.manifest import FileEntry, Manifest, check_version, read_manifest
from ntknas.published.portable import portable
from ntknas.published.predecessor import changes, check_successor, part_of, with_earlier
from ntknas.published.release import Release
from ntknas.published.scores import Block, Key
from ntknas.published.spectra import file_of
from ntknas.spaces import Space
from ntknas.store.store import ScoreStore
from ntknas.store.table import Table
from ntknas.store.tables import joined, latest

LICENCE = "CC-BY-4.0"
LICENCE_TEXT = """\
These tables are licensed under the Creative Commons Attribution 4.0 International licence (CC BY 4.0).

You may share and adapt them, for any purpose, if you give credit: name ntknas and the version of the release, which
stands in manifest.json, link to the licence, and say whether you changed them. They come without warranty.

The licence: https://creativecommons.org/licenses/by/4.0/legalcode
"""


@dataclass(frozen=True)
class Built:
    """A release in memory.

    Attributes:
        manifest: Its manifest.
        files: Content of its files, by name.
        spectra: Content of its files of spectra, by name.
    """

    manifest: Manifest
    files: Mapping[str, bytes]
    spectra: Mapping[str, bytes]

    def write(self, folder: Path, spectra_folder: Path) -> None:
        """Write the release, the manifest last.

        Args:
            folder: Its folder, which is made if absent.
            spectra_folder: Folder of the spectra, which is made if absent.

        Raises:
            DataError: If the folder holds something else than a release, or a file cannot be written.
        """
        _check_target(folder)
        manifest = {places.MANIFEST: self.manifest.text.encode()}
        for target, files in ((spectra_folder, self.spectra), (folder, self.files), (folder, manifest)):
            try:
                for name, content in files.items():
                    target.mkdir(parents=True, exist_ok=True)
                    with replacing(target / name) as beside:
                        beside.write_bytes(content)
            except OSError as error:
                raise DataError(f"Cannot write into {target}: {error.strerror or error}.") from error


def _check_target(folder: Path) -> None:
    """Check that a folder may take a release: it is not there, is empty, or holds one."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / places.MANIFEST).exists():
        raise DataError(f"{folder} holds other things than a release: name a new folder.")
    if (folder / places.MANIFEST).exists():
        read_manifest(folder)


def scores_of(stores: Iterable[Path]) -> Table:
    """Return the scores of some stores, one of each key: a score before a failure, then the later store's."""
    return latest(joined([ScoreStore.read(path).table() for path in stores]))


def build(
    space: Space,
    sources: Sequence[WaySource],
    version: str,
    *,
    cells: Iterable[int] | None = None,
    earlier: Release | None = None,
    earlier_spectra: Path | None = None,
) -> Built:
    """Build a release.

    Args:
        space: The space.
        sources: Its ways, in their order.
        version: Its version.
        cells: Indices of the cells that it covers; all without any.
        earlier: An earlier version, whose ways and seeds are taken over where the sources lack them.
        earlier_spectra: Folder of its spectra.

    Returns:
        The release.

    Raises:
        DataError: If the version is none, or none for what changed; or a way's scores do not fit together.
    """
    try:
        check_version(version)
    except ValueError as error:
        raise DataError(f"The `version` of a release cannot be used: {error}.") from error
    indices = sorted(set(range(len(space)) if cells is None else cells))
    table = writing.cells_table(space, indices)
    covered = Cells(table)
    parts = [collect(source, covered) for source in sources]
    if earlier is not None:
        if earlier.cells.indices.tolist() != indices:
            raise DataError(f"The earlier version {earlier.version} in {earlier.folder} covers other cells than these.")
        before = [part_of(earlier, way, earlier_spectra) for way in earlier.ways.values()]
        parts = with_earlier(parts, before)
        check_successor(earlier.manifest, version, changes(before, parts))
    _check_apart(parts)
    environment = _environment(parts)
    files = {
        places.CELLS: writing.cells_bytes(table),
        places.NETWORKS: writing.networks_bytes(space, table),
        places.SCORES: writing.scores_bytes(_blocks(parts)),
        places.ENVIRONMENT: environment.text.encode(),
        places.LICENCE: LICENCE_TEXT.encode(),
    }
    spectra = {file_of(part.name): writing.spectra_bytes(part.spectra) for part in parts if part.spectra}
    described = _described(space.name, version, environment, files, spectra)
    manifest = Manifest(space.name, version, space.name, LICENCE, len(indices) == len(space), *map(_entries, described))
    return Built(manifest, *described)


def _described(
    name: str, version: str, environment: Environment, files: Mapping[str, bytes], spectra: Mapping[str, bytes]
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the files, and those of spectra, each with its metadata."""
    date = max((str(run.info.get("started", ""))[:10] for run in environment.runs.values()), default="")
    what = f"of networks of {name} at initialisation, by way of measuring, measured once for everybody."
    texts = [
        croissant_text(f"{name}-scores", f"Scores {what}", version, date, _entries(files)),
        croissant_text(f"{name}-spectra", f"Spectra of kernels {what}", version, date, _entries(spectra)),
    ]
    with_scores, with_spectra = ({places.CROISSANT: text.encode()} for text in texts)
    return {**files, **with_scores}, {**spectra, **with_spectra} if spectra else {}


def _entries(files: Mapping[str, bytes]) -> dict[str, FileEntry]:
    return {name: FileEntry.of(content) for name, content in files.items()}


def _check_apart(parts: Iterable[Part]) -> None:
    """Check that no two ways have one measure under one setting, of which a table of both would have two scores."""
    whose: dict[tuple[str, str, int], str] = {}
    for part in parts:
        for measure, digest in part.way.measures.items() if part.way else ():
            for seed in part.blocks:
                first = whose.setdefault((measure, digest, seed), part.name)
                if first != part.name:
                    raise DataError(
                        f"The ways {first} and {part.name} both have {measure} under the setting {digest}, seed {seed}"
                        ": they are one way, or one of them is of other stores."
                    )


def _blocks(parts: Iterable[Part]) -> dict[Key, Block]:
    return {(part.way.name, seed): block for part in parts if part.way for seed, block in part.blocks.items()}


def _environment(parts: Sequence[Part]) -> Environment:
    ways = {part.way.name: part.way for part in parts if part.way}
    runs = {identifier: run for part in parts for identifier, run in part.runs.items()}
    published = {identifier: portable(runs[identifier]) for identifier in sorted(runs)}
    return Environment(ways, published, tuple(part.open for part in parts if part.open))
