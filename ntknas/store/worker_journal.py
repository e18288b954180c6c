"""A worker's own journal: written by that worker alone, readable by itself, taken in when its store is compacted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ntknas.core.errors import StoreError
from ntknas.store import journal
from ntknas.store.layout import journal_path
from ntknas.store.records import ScoreRecord, line_of
from ntknas.store.run import Run
from ntknas.store.setting import Setting


class WorkerJournal:
    """Appends a worker's scores to a store.

    Args:
        store: The HDF5 file of the store.
        name: Name of the worker, unique in the store.
        settings: The settings that the scores will have.
        run: The run.

    Attributes:
        path: The journal.

    Raises:
        StoreError: If it cannot be written, or another process writes it.
    """

    def __init__(self, store: Path, name: str, settings: Iterable[Setting], run: Run):
        self.path = worker_journal_path(store, name)
        self._writer = journal.JournalWriter(self.path)
        for setting in settings:
            self._writer.append(line_of(setting))
        self._writer.append(line_of(run))

    def append(self, record: ScoreRecord) -> None:
        """Add scores; when this returns, a killed process no longer loses them.

        Args:
            record: The scores.

        Raises:
            StoreError: If the journal cannot be written.
        """
        self._writer.append(line_of(record))

    def close(self) -> None:
        """Bring what was written to the disk and release the file."""
        self._writer.sync()
        self._writer.close()


def worker_journal_path(store: Path, name: str) -> Path:
    """Return where a worker's journal is kept; ``part`` is what version 0.1.0 calls it on disk."""
    return journal_path(store.resolve()).with_suffix(f".journal.part-{name}")


def records_of(path: Path) -> list[ScoreRecord]:
    """Return the intact records of a worker's journal; an absent one has none.

    Args:
        path: The journal.

    Returns:
        The records in their order.

    Raises:
        StoreError: If it is not a journal, or an entry is not what it must be.
    """
    lines = journal.stream(path, journal.JournalContent())
    try:
        return [ScoreRecord.from_line(line) for _, line in lines if line.get("type") == "scores"]
    except ValueError as error:
        raise StoreError(f"{path} holds a record that no version of ntknas writes: {error}.") from error
