"""One store: the HDF5 file and its journal, read as one and written safely."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from glob import escape
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.store import columns, journal, tables
from ntknas.store.columns import Table
from ntknas.store.records import ScoreRecord, Setting


def journal_path(path: Path) -> Path:
    """Return where a store keeps its journal."""
    return path.with_name(f"{path.name}.journal")


def journal_parts(path: Path) -> list[Path]:
    """Return the journals of a store's workers, one each."""
    parts = path.parent.glob(f"{escape(journal_path(path).name)}.part-*")
    return sorted(part for part in parts if not part.suffix.startswith(".damaged"))


def _remove(parts: Iterable[Path]) -> None:
    """Remove parts that no worker writes."""
    for part in parts:
        with suppress(StoreError, OSError):
            writer = journal.JournalWriter(part)
            part.unlink()
            writer.close()


def _real(path: Path) -> Path:
    """Follow links, so that every name of a store means one file and one journal.

    Raises:
        StoreError: If the path is something else than a file.
    """
    try:
        real = path.resolve()
        for each in (real, journal_path(real)):
            if each.exists() and not each.is_file():
                raise StoreError(f"{each} is not a file: choose another --store.")
    except (OSError, ValueError, RuntimeError) as error:
        raise StoreError(f"Cannot use {path} as a score store: {error}. Choose another --store.") from error
    return real


class ScoreStore:
    """Scores of any number of settings and runs.

    Use ``ScoreStore.read`` to look, ``ScoreStore.open`` as a context manager to add.

    Attributes:
        path: The HDF5 file; the journal stands beside it.
        settings: Fields of every setting, by digest.
        runs: What is known of every run: versions, device, command; by identifier.
        torn: Whether the journal ended in an unfinished line.
        damaged: Numbers of the journal's damaged lines, which were left out.
        orphans: Number of the journal's records that were left out because the line with their setting is damaged.
    """

    def __init__(self, path: Path, writer: journal.JournalWriter | None):
        self.path = path
        self._writer = writer
        # the journals first: a writer that compacts in between then shows its scores twice, not never
        content = journal.read(journal_path(path))
        parts = {part: journal.read(part) for part in journal_parts(path)}
        self._table = columns.read(path)
        self.torn = content.torn or (writer is not None and writer.mended)
        self.damaged = content.damaged
        self.settings = {Setting(fields).digest: fields for fields in map(json.loads, self._table.names["settings"])}
        self.runs: dict[str, dict[str, Any]] = {
            run["id"]: run["info"] for run in map(json.loads, self._table.names["runs"])
        }
        self._records: list[ScoreRecord] = []
        self._introduced: set[str] = set()
        self._part_records: list[ScoreRecord] = []
        self.orphans = 0
        for entry in content.entries:
            self._take(entry, self._records)
        self._own = (self.damaged, self.orphans)
        self._take_parts(parts)

    @classmethod
    def read(cls, path: Path) -> ScoreStore:
        """Read a store without touching it.

        Raises:
            StoreError: If there is none, or it is damaged or of another version.
        """
        shown, path = path, _real(path)
        if not path.exists() and not journal_path(path).exists():
            raise StoreError(f"No score store at {shown}. Make one with: ntknas score --store {shown}")
        return cls(path, None)

    @classmethod
    def peek(cls, path: Path) -> ScoreStore:
        """Read a store, or an empty one where there is none, to plan with: new settings are not written.

        Raises:
            StoreError: If it is damaged or of another version.
        """
        return cls(_real(path), None)

    @classmethod
    def open(cls, path: Path) -> ScoreStore:
        """Open a store for adding scores, making it if absent.

        Raises:
            StoreError: If it cannot be read or written, or another process writes it.
        """
        folder, path = path.parent, _real(path)
        if not path.parent.is_dir():
            raise StoreError(f"No folder {folder}: make it, or choose another --store.")
        columns.read(path)  # a damaged file stops everything before the journal is touched
        writer = journal.JournalWriter(journal_path(path))
        try:
            return cls(path, writer)
        except StoreError:
            writer.close()
            raise

    def __enter__(self) -> ScoreStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the journal; scores that were not compacted stay in it."""
        if self._writer is not None:
            self._writer.sync()
            self._writer.close()
            self._writer = None

    def __len__(self) -> int:
        return len(self._table) + self.uncompacted

    @property
    def uncompacted(self) -> int:
        """Number of scores that are in journals alone."""
        return sum(len(record.scores) for record in (*self._records, *self._part_records))

    def add_setting(self, setting: Setting) -> str:
        """Make a setting known; returns its digest. A store that was opened to be read remembers it alone."""
        self.settings.setdefault(setting.digest, dict(setting.fields))
        return setting.digest

    def add_run(self, info: Mapping[str, Any]) -> str:
        """Make a run known; returns its identifier."""
        identifier = uuid.uuid4().hex
        self.runs[identifier] = dict(info)
        return identifier

    def append(self, record: ScoreRecord) -> None:
        """Add scores; when this returns, a killed process no longer loses them.

        Raises:
            StoreError: If the journal cannot be written.
            ValueError: If the record's setting or run was not made known before.
        """
        if record.setting not in self.settings or record.run not in self.runs:
            raise ValueError(f"unknown setting {record.setting!r} or run {record.run!r}: add_setting and add_run first")
        self._introduce(record)
        self._append(record.as_json())

    def _introduce(self, record: ScoreRecord) -> None:
        """Let the journal name a record's setting and run before it, so that it can be read without the file."""
        if record.setting not in self._introduced:
            self._append({"type": "setting", "fields": self.settings[record.setting]})
        if record.run not in self._introduced:
            self._append({"type": "run", "id": record.run, "info": self.runs[record.run]})

    def done(self, setting: str, measures: Sequence[str]) -> set[tuple[int, int]]:
        """Return the (cell, seed) that have scores of all these measures under a setting.

        Failures (out of memory, time-out, crash, error) are not done: the next run tries them again.
        """
        table = self._all()
        rows = tables.has_setting(table, setting) & tables.has_status(table, tables.DONE)
        return tables.with_all(tables.taken(table, rows), measures)

    def compact(self) -> None:
        """Write everything into the HDF5 file, then empty the journal and remove its parts.

        A journal or part with damaged lines is kept aside as ``….damaged``. Parts that a worker still writes stay.

        Raises:
            StoreError: If the file cannot be written; the journals then stay as they are.
        """
        if self._writer is None:
            raise StoreError(f"{self.path} was opened to be read.")
        parts = journal_parts(self.path)
        self._read_parts(parts)
        if not self._records and not self._part_records:
            _remove(parts)
            return
        self._put(self.table(), parts)

    def replace(self, table: Table) -> None:
        """Write a table in place of everything that the store holds, journals included.

        Raises:
            StoreError: If the file cannot be written; everything then stays as it is.
        """
        self._put(table, journal_parts(self.path))

    def _put(self, table: Table, parts: Sequence[Path]) -> None:
        if self._writer is None:
            raise StoreError(f"{self.path} was opened to be read.")
        self._writer.sync()
        columns.write(self.path, table)
        if self.damaged or self.orphans:
            for source in (journal_path(self.path), *parts):
                shutil.copy(source, source.with_name(f"{source.name}.damaged"))
        self._writer.clear()
        self._introduced.clear()
        _remove(parts)
        self._table, self._records, self._part_records = table, [], []

    def frame(self) -> pd.DataFrame:
        """Return the scores with the fields of their settings; see ``load_store``."""
        frame = tables.as_frame(self._all())
        frame.attrs.update({"settings": self.settings, "runs": self.runs})
        return frame

    def table(self) -> Table:
        """Return all scores as arrays, the last of each key, with every setting and run that the store knows."""
        return tables.joined([Table.empty(tables.named(self.settings, self.runs)), self._all()])

    def _append(self, entry: dict[str, Any]) -> None:
        if self._writer is None:
            raise StoreError(f"{self.path} was opened to be read.")
        self._writer.append(entry)
        self._take(entry, self._records)

    def _read_parts(self, parts: Iterable[Path]) -> None:
        """Read the workers' journals afresh."""
        self._part_records = []
        self.damaged, self.orphans = self._own
        self._take_parts({part: journal.read(part) for part in parts})

    def _take_parts(self, parts: Mapping[Path, journal.JournalContent]) -> None:
        introduced = set(self._introduced)
        for content in parts.values():
            self.torn |= content.torn
            self.damaged = [*self.damaged, *content.damaged]
            for entry in content.entries:
                self._take(entry, self._part_records)
        self._introduced = introduced  # by the main journal, not by parts

    def _take(self, entry: dict[str, Any], records: list[ScoreRecord]) -> None:
        try:
            if entry["type"] == "setting":
                setting = Setting(entry["fields"])
                self.settings[setting.digest] = dict(setting.fields)
                self._introduced.add(setting.digest)
            elif entry["type"] == "run":
                self.runs[entry["id"]] = entry["info"]
                self._introduced.add(entry["id"])
            elif entry["type"] == "scores":
                self._take_scores(ScoreRecord.from_json(entry), records)
        except (KeyError, ValueError, TypeError) as error:
            raise StoreError(
                f"{journal_path(self.path)} holds an entry this version does not understand ({error}): "
                "use the version of ntknas that wrote it."
            ) from error

    def _take_scores(self, record: ScoreRecord, records: list[ScoreRecord]) -> None:
        if record.setting not in self.settings:
            self.orphans += 1
            return
        self.runs.setdefault(record.run, {})
        records.append(record)

    def _all(self) -> Table:
        """All scores, the last of each key."""
        if not self._records and not self._part_records:
            return self._table
        records = [*self._records, *self._part_records]
        return tables.latest(tables.joined([self._table, tables.from_records(records, self.settings, self.runs)]))
