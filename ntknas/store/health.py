"""What is wrong with a store, and what its journals can mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.core.files import move_aside, remove_stale
from ntknas.core.sealed_file import is_recognised
from ntknas.store import columns, journal, tables
from ntknas.store.faults import DamagedStoreError, ForeignFileError, StoreVersionError
from ntknas.store.intake import Intake
from ntknas.store.layout import existing_path, journal_path, worker_journals
from ntknas.store.left_out import LeftOut
from ntknas.store.store import ScoreStore
from ntknas.store.waiting import Waiting

_MAX_LISTED = 20
"""Numbers of lines that a sentence names."""


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
    """What is wrong with a store.

    Attributes:
        faults: What is wrong with each file, one sentence each.
        gaps: What is missing.
        scores: Number of scores that can be read; ``None`` where the file cannot.
        left_out: Number of journals' lines that were left out of them.
        mendable: Whether ``repair`` does something about the faults.
    """

    faults: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    scores: int | None = None
    left_out: int = 0
    mendable: bool = True


def examine(path: Path) -> Health:
    """Check the checksums of a store's file and journals, and look for what its scores lack.

    Args:
        path: The store.

    Returns:
        What is wrong with it.

    Raises:
        StoreError: If there is no store.
    """
    real = existing_path(path)
    faults = [fault for file in (journal_path(real), *worker_journals(real)) for fault in _faults_of_journal(file)]
    try:
        columns.read(real)  # before ScoreStore.read, where a journal's fault would hide the file's
        store = ScoreStore.read(real)
        frame = store.frame()
    except StoreError as error:
        of_journal = any(fault.rstrip(".") in str(error) for fault in faults)
        is_left_alone = isinstance(error, StoreVersionError) or (isinstance(error, ForeignFileError) and not of_journal)
        return Health(faults if of_journal else [*faults, str(error)], mendable=not is_left_alone)
    if store.orphans:
        lost = f"{store.orphans} record(s) are of a setting whose line is damaged or gone, and cannot be read without."
        faults[-1:] = [f"{faults[-1]} {lost}" if faults else f"{journal_path(real)}: {lost}"]
    return Health(faults, _gaps(frame), len(frame), store.left_out.lines)


def _faults_of_journal(file: Path) -> list[str]:
    intake = Intake(file)
    try:
        intake.take(Waiting(), lenient=True)
    except StoreError as error:
        return [str(error)]
    faults, content = [f"{fault}." for fault in intake.misfits], intake.content
    if content.damaged:
        faults.append(
            f"{file} has damaged lines ({_listed(content.damaged)}): the scores in them are lost, the others are read."
        )
    elif content.missing:
        faults.append(f"{file} lacks {content.missing} line(s) that were in it: the scores in them are lost.")
    if content.torn:
        faults.append(f"{file} ends in an unfinished line, left by a killed run: that score is computed again.")
    return faults


def _listed(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers[:_MAX_LISTED]))
    return f"{listed} and {len(numbers) - _MAX_LISTED} more" if len(numbers) > _MAX_LISTED else listed


def _gaps(frame: pd.DataFrame) -> list[Gap]:
    """Compare every measure of every setting with all (cell, seed) of the store."""
    expected = len(frame[["cell", "seed"]].drop_duplicates())
    gaps = []
    for (setting, measure), rows in frame.groupby(["setting", "measure"], observed=True):
        failed = int(rows["status"].isin(tables.FAILURES).sum())
        if len(rows) < expected or failed:
            gaps.append(Gap(str(setting), str(measure), expected - len(rows), failed))
    return gaps


@dataclass(frozen=True)
class Repair:
    """What ``repair`` did.

    Attributes:
        scores: Number of scores in the repaired store.
        set_aside: Files that were moved away or copied, under their new names.
        left_out: Lines of the journals that could not be read, and are in these files alone.
    """

    scores: int
    set_aside: list[Path]
    left_out: LeftOut


def repair(path: Path) -> Repair:
    """Make a store that opens again: a damaged file is set aside and made anew from its journals.

    Nothing is deleted: damaged files, and journals that are none, stay beside the store under another name. A file
    that is whole, but of another version or somebody else's, is left alone.

    Args:
        path: The store.

    Returns:
        What was done.

    Raises:
        StoreError: If there is no store, it is written by another process, of another version, somebody else's, or
            cannot be read or written.
    """
    real = existing_path(path)
    set_aside = [_moved(file) for file in _unusable(real)]
    with ScoreStore.open(real, lenient=True) as store:
        left_out = store.left_out
        if left_out or store.uncompacted:
            store.replace(store.table())
        remove_stale(real)
        return Repair(len(store), set_aside + store.set_aside, left_out)


def _unusable(path: Path) -> list[Path]:
    """Return the files of a store that repair sets aside; all of them are looked at before one is moved."""
    journals = [file for file in (journal_path(path), *worker_journals(path)) if file.exists()]
    if any(journal.is_written(file) for file in journals):
        raise StoreError(f"Another process is writing {path}: wait for it, and repair the store then.")
    unusable = [file for file in journals if _is_foreign(file)]
    try:
        columns.read(path)
    except StoreVersionError:
        raise
    except DamagedStoreError as error:
        if len(unusable) == len(journals) and not is_recognised(path):
            raise ForeignFileError(
                f"{path} is nothing that ntknas wrote, as far as can be told, and has no journal beside it: there is "
                "nothing to repair, and it is left alone. Restore it from a copy."
            ) from error
        unusable.insert(0, path)
    return unusable


def _is_foreign(file: Path) -> bool:
    try:
        Intake(file).take(Waiting(), lenient=True)
    except ForeignFileError:  # a journal of another version is whole: its error ends the repair
        return True
    return False


def _moved(file: Path) -> Path:
    try:
        return move_aside(file)
    except OSError as error:
        raise StoreError(f"Cannot set {file} aside: {error.strerror or error}. It stays as it is.") from error
