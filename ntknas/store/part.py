"""A worker's own journal: one part of a store, written by that worker alone, readable by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ntknas.core.errors import StoreError
from ntknas.store import journal
from ntknas.store.layout import journal_path
from ntknas.store.records import ScoreRecord
from ntknas.store.setting import Setting


class StorePart:
    """Appends scores to a part of a store.

    Args:
        store: The HDF5 file of the store.
        name: Name of the part, unique in the store.
        settings: The settings that the scores will have.
        run: Identifier and description of the run.

    Attributes:
        path: The part's journal.

    Raises:
        StoreError: If it cannot be written, or another process writes it.
    """

    def __init__(self, store: Path, name: str, settings: Iterable[Setting], run: tuple[str, Mapping[str, Any]]):
        self.path = part_path(store, name)
        self._writer = journal.JournalWriter(self.path)
        for setting in settings:
            self._writer.append({"type": "setting", "fields": dict(setting.fields)})
        self._writer.append({"type": "run", "id": run[0], "info": dict(run[1])})

    def append(self, record: ScoreRecord) -> None:
        """Add scores; when this returns, a killed process no longer loses them.

        Raises:
            StoreError: If the journal cannot be written.
        """
        self._writer.append(record.as_json())

    def close(self) -> None:
        """Bring what was written to the disk and release the file."""
        self._writer.sync()
        self._writer.close()


def part_path(store: Path, name: str) -> Path:
    """Return where a part of a store is kept."""
    return journal_path(store.resolve()).with_suffix(f".journal.part-{name}")


def records_of(part: Path) -> list[ScoreRecord]:
    """Return the intact records of a part; an absent one has none.

    Raises:
        StoreError: If it is not a journal, or an entry is not what it must be.
    """
    entries = journal.stream(part, journal.JournalContent())
    try:
        return [ScoreRecord.from_json(entry) for _, entry in entries if entry.get("type") == "scores"]
    except ValueError as error:
        raise StoreError(f"{part} holds a record that no version of ntknas writes: {error}.") from error
