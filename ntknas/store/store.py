"""One store: the HDF5 file and its journal, read as one and written safely."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.core.files import copy_aside, remove_stale
from ntknas.store import columns, journal, schema, tables
from ntknas.store.columns import Table
from ntknas.store.frame import as_frame
from ntknas.store.intake import Intake
from ntknas.store.layout import exists, journal_parts, journal_path, real_path
from ntknas.store.left_out import LeftOut
from ntknas.store.records import ScoreRecord
from ntknas.store.setting import Setting
from ntknas.store.waiting import Waiting

__all__ = ["ScoreStore", "journal_parts", "journal_path"]

MOST_WAITING = 100_000
"""Scores that may wait in the journal before it is compacted on the way, or a quarter of what the file holds."""


@contextmanager
def _keeping_aside(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"Cannot keep a copy of {path}, of which not every line could be read: {error.strerror or error}. Nothing "
            "is lost: the file stays; make room and run the same command again."
        ) from error


class ScoreStore:
    """Scores of any number of settings and runs.

    Use ``ScoreStore.read`` to look, ``ScoreStore.open`` as a context manager to add.

    Attributes:
        path: The HDF5 file; the journal stands beside it.
        settings: Every setting, by digest.
        runs: What is known of every run: versions, device, command, sequence; by identifier.
        set_aside: Copies of journals that compaction made, since not all of their lines could be taken.
    """

    def __init__(
        self, path: Path, writer: journal.JournalWriter | None, *, lenient: bool = False, unsealed: bool = False
    ):
        self.path = path
        self.settings: dict[str, Setting] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.set_aside: list[Path] = []
        self._writer, self._lenient = writer, lenient
        # the journals first: a writer that compacts in between then shows its scores twice, not never
        self._main, self._waiting = Intake(journal_path(path)), Waiting()
        self._main.take(self._waiting, lenient=lenient)
        self._parts, self._part_waiting = self._read_parts()
        self._table = columns.read(path, unsealed=unsealed)
        for setting in map(Setting.from_fields, map(json.loads, self._table.names["settings"])):
            self.settings[setting.digest] = setting
        for run in map(json.loads, self._table.names["runs"]):
            self.runs[run["id"]] = run["info"]
        self._whole: Table | None = None
        self._nameless: set[str] = set()
        self._learn(self._main, *self._parts)

    def _read_parts(self) -> tuple[list[Intake], Waiting]:
        parts, waiting = [Intake(part) for part in journal_parts(self.path)], Waiting()
        for part in parts:
            part.take(waiting, lenient=self._lenient)
        return parts, waiting

    def _learn(self, *journals: Intake) -> None:
        for source in journals:
            self.settings |= source.settings
            self.runs |= source.runs
        unknown = {*self._waiting.runs, *self._part_waiting.runs} - set(self.runs)
        self.runs |= {run: {} for run in sorted(unknown)}
        self._nameless |= unknown
        self._whole = None

    @classmethod
    def read(cls, path: Path, *, unsealed: bool = False) -> ScoreStore:
        """Read a store without touching it.

        Args:
            path: The HDF5 file.
            unsealed: Whether plain HDF5, older than seals, is read too: to convert it.

        Raises:
            StoreError: If there is none, or it is damaged or of another version.
        """
        real = real_path(path)
        if not exists(real):
            raise StoreError(f"No score store at {path}. Make one with: ntknas score --store {path}")
        return cls(real, None, unsealed=unsealed)

    @classmethod
    def peek(cls, path: Path) -> ScoreStore:
        """Read a store, or an empty one where there is none, to plan with: new settings are not written.

        Raises:
            StoreError: If it is damaged or of another version.
        """
        return cls(real_path(path), None)

    @classmethod
    def open(cls, path: Path, *, lenient: bool = False) -> ScoreStore:
        """Open a store to add scores; made if absent.

        Args:
            path: The HDF5 file.
            lenient: Whether lines of journals whose content is wrong are left out, rather than an error.

        Raises:
            StoreError: If another process writes it, its folder is missing, or it is damaged or of another version.
        """
        folder, path = path.parent, real_path(path)
        if not path.parent.is_dir():
            raise StoreError(f"No folder {folder}: make it, or choose another --store.")
        columns.read(path)  # a damaged file stops everything before the journal is touched
        writer = journal.JournalWriter(journal_path(path))
        try:
            return cls(path, writer, lenient=lenient)
        except BaseException:
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
        return len(self._all())

    @property
    def uncompacted(self) -> int:
        """Number of scores that are in journals alone, as often as they stand there."""
        return self._waiting.count(self.settings) + self._part_waiting.count(self.settings)

    @property
    def torn(self) -> bool:
        """Whether a journal ended in an unfinished line."""
        mended = self._writer is not None and self._writer.mended
        return mended or any(source.content.torn for source in self._journals)

    @property
    def damaged(self) -> list[int]:
        """Numbers of the journals' damaged lines, which were left out."""
        return [number for source in self._journals for number in source.content.damaged]

    @property
    def orphans(self) -> int:
        """Number of the journals' records that were left out because the line with their setting is damaged."""
        return sum(source.orphans(self.settings) for source in self._journals)

    @property
    def left_out(self) -> LeftOut:
        """What could not be read."""
        return LeftOut(
            len(self.damaged),
            self.orphans,
            sum(len(source.misfits) for source in self._journals),
            sum(source.content.missing for source in self._journals),
            self.torn,
            len(self._nameless),
        )

    @property
    def misfits(self) -> list[str]:
        """What is wrong with lines whose checksum is right, if the store was opened to leave them out."""
        return [fault for source in self._journals for fault in source.misfits]

    @property
    def _journals(self) -> list[Intake]:
        return [self._main, *self._parts]

    def add_setting(self, setting: Setting) -> str:
        """Make a setting known; returns its digest. A store that was opened to be read remembers it alone.

        Raises:
            StoreError: If a field has a name or a value that a store cannot hold.
        """
        if setting.digest not in self.settings:
            try:
                self.settings[setting.digest] = Setting.from_fields(setting.fields)
            except ValueError as error:
                raise StoreError(f"Scores cannot be stored: {error}.") from error
            self._whole = None
        return setting.digest

    def add_run(self, info: Mapping[str, Any]) -> str:
        """Make a run known, as the last one of the store; returns its identifier.

        Raises:
            ValueError: If what is known of it is no plain data.
        """
        known = [run.get(schema.SEQUENCE, -1) for run in self.runs.values()]
        sequence = max(known, default=-1) + 1
        identifier, about = schema.check_run(uuid.uuid4().hex, {**info, schema.SEQUENCE: max(sequence, 0)})
        self.runs[identifier] = about
        return identifier

    def announce(self, run: str, settings: Iterable[str]) -> None:
        """Journal what is known of a run before its first score, since it may end before that.

        Once more where more has become known of it.

        Args:
            run: Identifier of the run.
            settings: Digests of the settings that it is about.

        Raises:
            StoreError: If the journal cannot be written.
        """
        writer = self._opened()
        for digest in settings:
            if digest not in self._main.settings:
                setting = self._main.settings[digest] = self.settings[digest]
                writer.append({"type": "setting", "fields": setting.fields})
        self._main.runs[run] = dict(self.runs[run])
        writer.append({"type": "run", "id": run, "info": self.runs[run]})

    def append(self, record: ScoreRecord) -> None:
        """Add scores; when this returns, a killed process no longer loses them.

        Where so many wait that memory would notice, they are compacted.

        Raises:
            StoreError: If the journal cannot be written, or the record holds what a store cannot.
            ValueError: If the record's setting or run was not made known before.
        """
        if record.setting not in self.settings or record.run not in self.runs:
            raise ValueError(f"unknown setting {record.setting!r} or run {record.run!r}: add_setting and add_run first")
        writer, entry = self._opened(), record.as_json()
        try:
            record = ScoreRecord.from_json(entry)
        except ValueError as error:
            raise StoreError(f"A score cannot be stored: {error}.") from error
        self._introduce(record, writer)
        writer.append(entry)
        self._waiting.add(record)
        self._whole = None
        if len(self._waiting) > max(MOST_WAITING, len(self._table) // 4):
            self._write(self.table())
            self._empty_journal()

    def _opened(self) -> journal.JournalWriter:
        if self._writer is None:
            raise StoreError(f"{self.path} was opened to be read.")
        return self._writer

    def _introduce(self, record: ScoreRecord, writer: journal.JournalWriter) -> None:
        """Let the journal name a record's setting and run before it, so that it can be read without the file."""
        if record.setting not in self._main.settings:
            setting = self._main.settings[record.setting] = self.settings[record.setting]
            writer.append({"type": "setting", "fields": setting.fields})
        if record.run not in self._main.runs:
            info = self._main.runs[record.run] = self.runs[record.run]
            writer.append({"type": "run", "id": record.run, "info": info})

    def done(self, setting: str, measures: Sequence[str]) -> set[tuple[int, int]]:
        """Return the (cell, seed) that have scores of all these measures under a setting.

        Failures (out of memory, time-out, crash, error) are not done: the next run tries them again.
        """
        table = self._all()
        rows = tables.has_setting(table, setting) & tables.has_status(table, tables.DONE)
        return tables.with_all(tables.taken(table, rows), measures)

    def kept(self, setting: str, measures: Sequence[str]) -> set[tuple[int, int]]:
        """Return the (cell, seed) that have a score or a failure of all these measures under a setting.

        What a run reported as done and is not among them was lost on the way to the store.
        """
        table = self._all()
        return tables.with_all(tables.taken(table, tables.has_setting(table, setting)), measures)

    def compact(self) -> None:
        """Write everything into the HDF5 file, then empty the journal and remove its parts.

        A journal or part with lines that could not be taken is kept aside as ``….damaged``. Parts that a worker still
        writes stay, and so does everything where there is nothing to take.

        Raises:
            StoreError: If the file cannot be written, or a journal not be kept aside; the journals then stay as they
                are.
        """
        self._opened()
        self._parts, self._part_waiting = self._read_parts()
        self._learn(*self._parts)
        if self.uncompacted:
            self.replace(self.table())
            return
        self._retire([part for part in self._parts if not part.has_leftovers(self.settings)])
        remove_stale(self.path)

    def replace(self, table: Table) -> None:
        """Write a table in place of everything that the store holds, journals included.

        Raises:
            StoreError: If the file cannot be written, or a journal not be kept aside; journals then stay as they are.
        """
        self._write(table)
        self._retire(self._parts)
        self._empty_journal()
        self._parts, self._part_waiting = [], Waiting()
        remove_stale(self.path)

    def _write(self, table: Table) -> None:
        self._opened().sync()
        columns.write(self.path, table)
        self._table, self._whole = table, None

    def _empty_journal(self) -> None:
        if self._main.has_leftovers(self.settings):
            with _keeping_aside(self._main.path):
                self.set_aside.append(copy_aside(self._main.path))
        self._opened().clear()
        self._main, self._waiting = Intake(self._main.path), Waiting()

    def _retire(self, parts: Sequence[Intake]) -> None:
        for part in parts:
            with _keeping_aside(part.path):
                keep = part.has_leftovers(self.settings)
                copy = journal.retire(part.path, part.content.size, keep_copy=keep)
                self.set_aside += [copy] if copy else []

    def frame(self) -> pd.DataFrame:
        """Return the scores with the fields of their settings; see ``load_store``."""
        frame = as_frame(self._all())
        settings = {digest: dict(setting.fields) for digest, setting in self.settings.items()}
        frame.attrs.update({"settings": settings, "runs": self.runs, "left_out": self.left_out})
        return frame

    def table(self) -> Table:
        """Return all scores as arrays, one of each key, with every setting and run that the store knows."""
        return tables.joined([Table.empty(tables.named(self.settings, self.runs)), self._all()])

    def _all(self) -> Table:
        """All scores, one of each key: see ``tables.latest``."""
        if self._whole is None:
            waiting = [
                each.table(self.settings, self.runs) for each in (self._waiting, self._part_waiting) if len(each)
            ]
            self._whole = tables.latest(tables.joined([self._table, *waiting])) if waiting else self._table
        return self._whole
