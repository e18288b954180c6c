"""What is wrong with a store, and what its journals can mend."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.store import columns, journal, tables
from ntknas.store.store import ScoreStore, journal_parts, journal_path


@dataclass(frozen=True)
class Gap:
    """What a setting's measure lacks.

    Attributes:
        setting: Digest of the setting.
        measure: The measure.
        missing: Number of (cell, seed) without a row, of those that any measure of the store has.
        failed: Number of failures (out of memory, time-out, crash, error).
    """

    setting: str
    measure: str
    missing: int
    failed: int


@dataclass(frozen=True)
class Health:
    """What ``examine`` found.

    Attributes:
        faults: What is wrong with each file, one sentence each.
        gaps: What is missing.
        scores: Number of scores that can be read; ``None`` where the file cannot.
    """

    faults: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    scores: int | None = None


def examine(path: Path) -> Health:
    """Check the checksums of a store's file and journals, and look for what its scores lack.

    Raises:
        StoreError: If there is no store.
    """
    found = Health()
    files = [journal_path(path), *journal_parts(path)]
    if not path.exists() and not any(file.exists() for file in files):
        raise StoreError(f"No score store at {path}. Make one with: ntknas score --store {path}")
    for file in files:
        found.faults.extend(_faults_of_journal(file))
    try:
        columns.read(path)
        frame = ScoreStore.read(path).frame()
    except StoreError as error:
        if str(error) not in found.faults:
            found.faults.append(str(error))
        return found
    return Health(found.faults, _gaps(frame), len(frame))


def _faults_of_journal(file: Path) -> list[str]:
    try:
        content = journal.read(file)
    except StoreError as error:
        return [str(error)]
    faults = []
    if content.damaged:
        lines = ", ".join(map(str, content.damaged))
        faults.append(f"{file} has damaged lines ({lines}): the scores in them are lost, the others are read.")
    if content.torn:
        faults.append(f"{file} ends in an unfinished line, left by a killed run: that score is computed again.")
    return faults


def _gaps(frame: pd.DataFrame) -> list[Gap]:
    """Compare every measure of every setting with all (cell, seed) of the store."""
    wanted = len(frame[["cell", "seed"]].drop_duplicates())
    found = []
    for (setting, measure), rows in frame.groupby(["setting", "measure"], observed=True):
        failed = int(rows["status"].isin(tables.FAILURES).sum())
        if len(rows) < wanted or failed:
            found.append(Gap(str(setting), str(measure), wanted - len(rows), failed))
    return found


@dataclass(frozen=True)
class Repair:
    """What ``repair`` did.

    Attributes:
        scores: Number of scores in the repaired store.
        set_aside: Files that were moved away, under their new names.
    """

    scores: int
    set_aside: list[Path]


def repair(path: Path) -> Repair:
    """Make a store that opens again: a damaged file is set aside and made anew from its journals.

    Nothing is deleted: damaged files and journals stay beside the store under another name.

    Raises:
        StoreError: If there is no store, or it cannot be written.
    """
    examine(path)
    files = [path, journal_path(path), *journal_parts(path)]
    set_aside = [_aside(file) for file in files if _is_unreadable(path, file)]
    with ScoreStore.open(path) as store:
        damaged = bool(store.damaged or store.orphans)
        if damaged or store.uncompacted:
            store.replace(store.table())
        if damaged:
            set_aside += list(path.parent.glob(f"{escape(path.name)}.journal*.damaged"))
        return Repair(len(store), set_aside)


def _is_unreadable(path: Path, file: Path) -> bool:
    try:
        columns.read(file) if file == path else journal.read(file)
    except StoreError:
        return True
    return False


def _aside(file: Path) -> Path:
    number = 0
    while (place := file.with_name(f"{file.name}.damaged{number or ''}")).exists():
        number += 1
    os.replace(file, place)
    return place
