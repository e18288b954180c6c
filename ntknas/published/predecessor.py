"""An earlier version of a release: what the next one takes over of it, and in which numbers the two differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ntknas.core.errors import DataError
from ntknas.published.collect import Part, Spectra
from ntknas.published.manifest import Manifest, numbers_of
from ntknas.published.release import Release
from ntknas.published.scores import Block
from ntknas.published.way import Way
from ntknas.published.writing import in_float32


def part_of(release: Release, way: Way, folder: Path | None) -> Part:
    """Return what a release has of one of its ways.

    Args:
        release: The release.
        way: The way.
        folder: Folder of its spectra; its usual one without any.

    Returns:
        The way with all its seeds.

    Raises:
        DataError: If a file was changed.
    """
    blocks = {seed: release.block(way.name, seed) for seed in way.seeds}
    spectra = {}
    if way.eigenvalues:
        spectra = {seed: Spectra(*release.spectra_of_networks(way.name, seed, folder)) for seed in way.seeds}
    runs = {identifier: release.environment.runs[identifier] for identifier in way.runs}
    return Part(way.name, way, blocks, spectra, runs)


def with_earlier(parts: Sequence[Part], earlier: Iterable[Part]) -> list[Part]:
    """Return the parts of a release with those of an earlier version that they lack.

    Args:
        parts: What stores have.
        earlier: What the earlier version has.

    Returns:
        Every way and seed, once: of those that both have, what stores have.

    Raises:
        DataError: If seeds of a way would have been measured differently.
    """
    by_name = {part.name: part for part in earlier}
    joined = [_joined(part, by_name.pop(part.name)) if part.name in by_name else part for part in parts]
    return [*joined, *by_name.values()]


def _joined(part: Part, earlier: Part) -> Part:
    kept = {seed: block for seed, block in earlier.blocks.items() if seed not in part.blocks}
    if not kept or earlier.way is None:
        return part
    way = part.way or replace(earlier.way, seeds=(), runs=(), hours={})
    if dict(way.measures) != dict(earlier.way.measures) or way.eigenvalues != earlier.way.eigenvalues:
        raise DataError(
            f"Seeds {', '.join(map(str, kept))} of the way {way.name} are in the earlier version alone, with other "
            "settings or measures than the others have now: score them again, or leave them out of the earlier version."
        )
    blocks = dict(sorted({**kept, **part.blocks}.items()))
    runs = {run for block in kept.values() for run in block.run.used}
    hours = {seed: hours for seed, hours in earlier.way.hours.items() if seed in kept} | dict(way.hours)
    joined = replace(
        way, seeds=tuple(blocks), runs=tuple(sorted({*way.runs, *runs})), hours=dict(sorted(hours.items()))
    )
    spectra = {seed: spectra for seed, spectra in earlier.spectra.items() if seed in kept} | part.spectra
    known = {identifier: run for identifier, run in earlier.runs.items() if identifier in runs}
    still_open = part.open.without(kept) if part.open else None
    return Part(part.name, joined, blocks, dict(sorted(spectra.items())), known | part.runs, still_open)


def changes(earlier: Iterable[Part], parts: Iterable[Part]) -> list[str]:
    """Say in which numbers a release differs from an earlier version, new ways, seeds and measures aside.

    Args:
        earlier: The earlier version.
        parts: The release.

    Returns:
        One sentence for each way and seed in which something changed or is gone.
    """
    by_name = {part.name: part for part in parts}
    found = []
    for part in earlier:
        now = by_name.get(part.name)
        for seed, block in part.blocks.items():
            if now is None or seed not in now.blocks:
                found.append(f"{part.name}, seed {seed} is gone")
                continue
            number = _changed(block, now.blocks[seed]) + _changed_spectra(part.spectra, now.spectra, seed)
            found += [f"{part.name}, seed {seed}: {number:,} numbers changed or are gone"] if number else []
    return found


def _changed(block: Block, now: Block) -> int:
    """Return how many scores of a block are others, or none, in another."""
    common = [measure for measure in block.measures if measure in now.measures]
    before, after = block.of_measures(common), now.of_measures(common)
    places = np.minimum(np.searchsorted(after.networks, before.networks), len(after.networks) - 1)
    is_there = after.networks[places] == before.networks
    gone = block.value.size - int(is_there.sum()) * len(common)
    values = (_rounded(before.value), _rounded(after.value[:, places]))
    differ = ~((values[0] == values[1]) | (np.isnan(values[0]) & np.isnan(values[1])))
    statuses = [np.array(each.status.names)[each.status.codes] for each in (before, after)]
    differ |= statuses[0] != statuses[1][:, places]
    return gone + int(differ[:, is_there].sum())


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return numbers as a release keeps them."""
    single, wide = in_float32(values)
    return np.where(np.isnan(wide), single, wide)


def _changed_spectra(before: Mapping[int, Spectra], after: Mapping[int, Spectra], seed: int) -> int:
    if seed not in before:
        return 0
    if seed not in after or after[seed].values.shape != before[seed].values.shape:
        return int(before[seed].values.size)
    return int((~np.isclose(before[seed].values, after[seed].values, rtol=0, atol=0, equal_nan=True)).sum())


def check_successor(earlier: Manifest, version: str, changed: Sequence[str]) -> None:
    """Check that a version fits what changed: where a number did, the first figure is larger.

    Args:
        earlier: The manifest of the earlier version.
        version: The version.
        changed: What changed.

    Raises:
        DataError: If not.
    """
    numbers = numbers_of(version)
    if numbers <= earlier.version_numbers:
        raise DataError(f"The `version` {version} does not come after {earlier.version}, which it is built on.")
    if changed and numbers[0] == earlier.version_numbers[0]:
        shown = "; ".join(changed[:5]) + ("; …" if len(changed) > 5 else "")
        raise DataError(
            f"The `version` {version} changes numbers of {earlier.version} ({shown}): expected at least "
            f"{numbers[0] + 1}.0.0."
        )
