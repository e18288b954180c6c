"""One store: the HDF5 file and its journals, read as one and written safely."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.core.files import copy_aside, remove_stale
from ntknas.core.shown import Shown, counted
from ntknas.store import columns, journal, tables
from ntknas.store.frame import as_frame
from ntknas.store.intake import Intake
from ntknas.store.layout import existing_path, journal_path, real_path, worker_journals
from ntknas.store.left_out import LeftOut
from ntknas.store.records import Entry, ScoreRecord, line_of
from ntknas.store.run import SEQUENCE, Run
from ntknas.store.setting import Setting
from ntknas.store.table import Table
from ntknas.store.waiting import Waiting

MAX_WAITING = 100_000
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


class ScoreStore(Shown):
    """Scores of any number of settings and runs.

    Use ``ScoreStore.read`` to look, ``ScoreStore.open`` as a context manager to add.

    Attributes:
        path: The HDF5 file; the journal stands beside it.
        settings: Every setting, by digest.
        runs: Every run, by identifier.
        set_aside: Copies of journals that compaction made, since not all of their lines could be taken.
    """

    def __init__(
        self, path: Path, writer: journal.JournalWriter | None, *, lenient: bool = False, unsealed: bool = False
    ):
        self.path = path
        self.settings: dict[str, Setting] = {}
        self.runs: dict[str, Run] = {}
        self.set_aside: list[Path] = []
        self._writer, self._lenient = writer, lenient
        # the journals first: a writer that compacts in between then shows its scores twice, not never
        self._main, self._waiting = Intake(journal_path(path)), Waiting()
        self._main.take(self._waiting, lenient=lenient)
        self._of_workers, self._waiting_of_workers = self._read_worker_journals()
        self._table = columns.read(path, unsealed=unsealed)
        self.settings |= {setting.digest: setting for setting in self._table.settings}
        self.runs |= {run.identifier: run for run in self._table.runs}
        self._whole: Table | None = None
        self._nameless: set[str] = set()
        self._learn(self._main, *self._of_workers)  # after the file's: a journal may know more of a run

    def _read_worker_journals(self) -> tuple[list[Intake], Waiting]:
        intakes, waiting = [Intake(path) for path in worker_journals(self.path)], Waiting()
        for intake in intakes:
            intake.take(waiting, lenient=self._lenient)
        return intakes, waiting

    def _learn(self, *intakes: Intake) -> None:
        for intake in intakes:
            self.settings |= intake.settings
            self.runs |= intake.runs
        unknown = {*self._waiting.runs, *self._waiting_of_workers.runs} - set(self.runs)
        self.runs |= {run: Run(run, {}) for run in sorted(unknown)}
        self._nameless |= unknown
        self._whole = None

    @classmethod
    def read(cls, path: Path, *, unsealed: bool = False) -> ScoreStore:
        """Read a store without touching it.

        Args:
            path: The HDF5 file.
            unsealed: Whether plain HDF5, older than seals, is read too: to convert it.

        Returns:
            The store, to be looked at.

        Raises:
            StoreError: If there is none, or it is damaged or of another version.
        """
        return cls(existing_path(path), None, unsealed=unsealed)

    @classmethod
    def peek(cls, path: Path) -> ScoreStore:
        """Read a store, or an empty one where there is none, to plan with: new settings are not written.

        Args:
            path: The HDF5 file.

        Returns:
            The store, to be looked at.

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

        Returns:
            The store, to be closed.

        Raises:
            StoreError: If another process writes it, its folder is missing, or it is damaged or of another version.
        """
        folder, path = path.parent, real_path(path)
        if not path.parent.is_dir():
            raise StoreError(f"No folder {folder}: make it, or choose another `store`.")
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
        return self._waiting.count(self.settings) + self._waiting_of_workers.count(self.settings)

    @property
    def torn(self) -> bool:
        """Whether a journal ended in an unfinished line."""
        mended = self._writer is not None and self._writer.mended
        return mended or any(intake.content.torn for intake in self._intakes)

    @property
    def damaged(self) -> list[int]:
        """Numbers of the journals' damaged lines, which were left out."""
        return [number for intake in self._intakes for number in intake.content.damaged]

    @property
    def orphans(self) -> int:
        """Number of the journals' records that were left out because the line with their setting is damaged."""
        return sum(intake.orphans(self.settings) for intake in self._intakes)

    @property
    def misfits(self) -> list[str]:
        """What is wrong with lines whose checksum is right, if the store was opened to leave them out."""
        return [fault for intake in self._intakes for fault in intake.misfits]

    @property
    def left_out(self) -> LeftOut:
        """What could not be read."""
        return LeftOut(
            len(self.damaged),
            self.orphans,
            len(self.misfits),
            sum(intake.content.missing for intake in self._intakes),
            self.torn,
            len(self._nameless),
        )

    @property
    def _intakes(self) -> list[Intake]:
        return [self._main, *self._of_workers]

    def add_setting(self, setting: Setting) -> str:
        """Make a setting known. A store that was opened to be read remembers it alone.

        Args:
            setting: The setting.

        Returns:
            Its digest.

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

    def add_run(self, info: Mapping[str, object]) -> str:
        """Make a run known, as the last one of the store.

        Args:
            info: What is known of it.

        Returns:
            Its identifier.

        Raises:
            ValueError: If what is known of it is no plain data.
        """
        sequence = max((run.sequence for run in self.runs.values()), default=-1) + 1
        run = Run.from_stored({"id": uuid.uuid4().hex, "info": {**info, SEQUENCE: sequence}})
        self.runs[run.identifier] = run
        return run.identifier

    def add_to_run(self, identifier: str, info: Mapping[str, object]) -> None:
        """Add to what is known of a run; ``announce`` it again to have that stored before its next score."""
        self.runs[identifier] = self.runs[identifier].with_info(info)

    def announce(self, identifier: str, settings: Iterable[str]) -> None:
        """Journal what is known of a run before its first score, since it may end before that.

        Once more where more has become known of it.

        Args:
            identifier: Identifier of the run.
            settings: Digests of the settings that it is about.

        Raises:
            StoreError: If the journal cannot be written.
        """
        for digest in settings:
            self._introduce_setting(digest)
        self._journal(self.runs[identifier])

    def append(self, record: ScoreRecord) -> None:
        """Add scores; when this returns, a killed process no longer loses them.

        Where so many wait that memory would notice, they are compacted.

        Args:
            record: The scores.

        Raises:
            StoreError: If the journal cannot be written, or the record holds what a store cannot.
            ValueError: If the record's setting or run was not made known before.
        """
        if record.setting not in self.settings or record.run not in self.runs:
            raise ValueError(f"unknown setting {record.setting!r} or run {record.run!r}: add_setting and add_run first")
        try:
            checked = ScoreRecord.from_line(line_of(record))  # what could not be read back is refused now
        except ValueError as error:
            raise StoreError(f"A score cannot be stored: {error}.") from error
        self._introduce_setting(record.setting)
        if record.run not in self._main.runs:
            self._journal(self.runs[record.run])
        self._journal(checked)
        self._waiting.add(checked)
        self._whole = None
        if len(self._waiting) > max(MAX_WAITING, len(self._table) // 4):
            self._write(self.table())
            self._empty_journal()

    def _introduce_setting(self, digest: str) -> None:
        """Let the journal name a setting before its scores, so that it can be read without the file."""
        if digest not in self._main.settings:
            self._journal(self.settings[digest])

    def _journal(self, entry: Entry) -> None:
        self._opened().append(line_of(entry))
        match entry:
            case Setting():
                self._main.settings[entry.digest] = entry
            case Run():
                self._main.runs[entry.identifier] = entry

    def _opened(self) -> journal.JournalWriter:
        if self._writer is None:
            raise StoreError(f"{self.path} was opened to be read.")
        return self._writer

    def done(self, setting: str, measures: Sequence[str]) -> set[tuple[int, int]]:
        """Return the (cell, seed) that have scores of all these measures under a setting.

        Failures (out of memory, time-out, crash, error) are not done: the next run tries them again.

        Args:
            setting: Digest of the setting.
            measures: Names of the measures.

        Returns:
            Cells and seeds.
        """
        table = self._all()
        rows = tables.has_setting(table, setting) & tables.has_status(table, tables.DONE)
        return tables.with_all(table.rows(rows), measures)

    def kept(self, setting: str, measures: Sequence[str]) -> set[tuple[int, int]]:
        """Return the (cell, seed) that have a score or a failure of all these measures under a setting.

        What a run reported as done and is not among them was lost on the way to the store.

        Args:
            setting: Digest of the setting.
            measures: Names of the measures.

        Returns:
            Cells and seeds.
        """
        table = self._all()
        return tables.with_all(table.rows(tables.has_setting(table, setting)), measures)

    def compact(self) -> None:
        """Write everything into the HDF5 file, then empty the journal and remove those of workers.

        A journal with lines that could not be taken is kept aside as ``….damaged``. Journals that a worker still writes
        stay, and so does everything where there is nothing to take.

        Raises:
            StoreError: If the file cannot be written, or a journal not be kept aside; the journals then stay as they
                are.
        """
        self._opened()
        self._of_workers, self._waiting_of_workers = self._read_worker_journals()  # written since we opened
        self._learn(*self._of_workers)
        if self.uncompacted:
            self.replace(self.table())
            return
        self._retire([intake for intake in self._of_workers if not intake.has_leftovers(self.settings)])
        remove_stale(self.path)

    def replace(self, table: Table) -> None:
        """Write a table in place of everything that the store holds, journals included.

        Args:
            table: The scores.

        Raises:
            StoreError: If the file cannot be written, or a journal not be kept aside; journals then stay as they are.
        """
        self._write(table)  # first: a run killed after it has its scores twice, not never
        self._retire(self._of_workers)
        self._empty_journal()
        self._of_workers, self._waiting_of_workers = [], Waiting()
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

    def _retire(self, intakes: Sequence[Intake]) -> None:
        for intake in intakes:
            with _keeping_aside(intake.path):
                keep = intake.has_leftovers(self.settings)
                copy = journal.retire(intake.path, intake.content.size, keep_copy=keep)
                self.set_aside += [copy] if copy else []

    def frame(self) -> pd.DataFrame:
        """Return the scores with the fields of their settings; see ``load_store``."""
        frame = as_frame(self._all())
        settings = {digest: dict(setting.fields) for digest, setting in self.settings.items()}
        runs = {identifier: dict(run.info) for identifier, run in self.runs.items()}
        frame.attrs.update({"settings": settings, "runs": runs, "left_out": self.left_out})
        return frame

    def table(self) -> Table:
        """Return all scores as arrays, one of each key, with every setting and run that the store knows."""
        names = tables.names_of(self.settings.values(), self.runs.values())
        return tables.joined([Table.empty(names), self._all()])

    def _all(self) -> Table:
        """All scores, one of each key: see ``tables.latest``."""
        if self._whole is None:
            journaled = [
                waiting.table(self.settings, self.runs)
                for waiting in (self._waiting, self._waiting_of_workers)
                if len(waiting)
            ]
            self._whole = tables.latest(tables.joined([self._table, *journaled])) if journaled else self._table
        return self._whole

    def _line(self) -> str:
        kind = "to look at" if self._writer is None else "open for writing"
        return f"{self.path}: {counted(len(self.settings), 'setting')}, {counted(len(self.runs), 'run')}; {kind}"
