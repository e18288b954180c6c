"""One store: the HDF5 file and its journal, read as one and written safely."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.core.score import Status
from ntknas.store import columns, journal
from ntknas.store.records import ScoreRecord, Setting

_KEY = ["setting", "cell", "seed", "measure"]
_STATUSES = [status.value for status in Status]
_DONE = [status.value for status in Status if not status.is_failure]


def journal_path(path: Path) -> Path:
    """Return where a store keeps its journal."""
    return path.with_name(f"{path.name}.journal")


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
        # the journal first: a writer that compacts in between then shows its scores twice, not never
        content = journal.read(journal_path(path))
        self._table = columns.read(path)
        self.torn = content.torn or (writer is not None and writer.mended)
        self.damaged = content.damaged
        self.settings = {Setting(fields).digest: fields for fields in map(json.loads, self._table.names["settings"])}
        self.runs: dict[str, dict[str, Any]] = {
            run["id"]: run["info"] for run in map(json.loads, self._table.names["runs"])
        }
        self._records: list[ScoreRecord] = []
        self.orphans = 0
        for entry in content.entries:
            self._take(entry)

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
        return len(self._table) + sum(len(record.scores) for record in self._records)

    @property
    def uncompacted(self) -> int:
        """Number of scores that are in the journal alone."""
        return sum(len(record.scores) for record in self._records)

    def add_setting(self, setting: Setting) -> str:
        """Make a setting known; returns its digest."""
        if setting.digest not in self.settings:
            self._append({"type": "setting", "fields": dict(setting.fields)})
        return setting.digest

    def add_run(self, info: Mapping[str, Any]) -> str:
        """Make a run known; returns its identifier."""
        identifier = uuid.uuid4().hex
        self._append({"type": "run", "id": identifier, "info": dict(info)})
        return identifier

    def append(self, record: ScoreRecord) -> None:
        """Add scores; when this returns, a killed process no longer loses them.

        Raises:
            StoreError: If the journal cannot be written.
            ValueError: If the record's setting or run was not made known before.
        """
        if record.setting not in self.settings or record.run not in self.runs:
            raise ValueError(f"unknown setting {record.setting!r} or run {record.run!r}: add_setting and add_run first")
        self._append(record.as_json())

    def done(self, setting: str) -> set[tuple[int, int, str]]:
        """Return the (cell, seed, measure) that have a score under a setting.

        Failures (out of memory, time-out, crash, error) are not done: the next run tries them again.
        """
        frame = self._frame()
        frame = frame[(frame["setting"] == setting) & frame["status"].isin(_DONE)]
        return set(zip(frame["cell"].tolist(), frame["seed"].tolist(), frame["measure"].tolist(), strict=True))

    def compact(self) -> None:
        """Write everything into the HDF5 file, then empty the journal.

        A journal with damaged lines is kept aside as ``….journal.damaged``.

        Raises:
            StoreError: If the file cannot be written; the journal then stays as it is.
        """
        if self._writer is None:
            raise StoreError(f"{self.path} was opened to be read.")
        if not self._records:
            return
        table = self._as_table(self._frame())
        self._writer.sync()
        columns.write(self.path, table)
        if self.damaged or self.orphans:
            source = journal_path(self.path)
            shutil.copy(source, source.with_name(f"{source.name}.damaged"))
        self._writer.clear()
        self._table, self._records = table, []

    def frame(self) -> pd.DataFrame:
        """Return the scores with the fields of their settings; see ``load_store``."""
        frame = self._frame()
        frame["recipe"] = frame["run"].map({run: info.get("recipe", "custom") for run, info in self.runs.items()})
        names = sorted({name for fields in self.settings.values() for name in fields})
        for name in names:
            values = {digest: _plain(fields.get(name)) for digest, fields in self.settings.items()}
            frame[name] = frame["setting"].map(values)
        frame.attrs.update({"settings": self.settings, "runs": self.runs})
        return frame

    def _append(self, entry: dict[str, Any]) -> None:
        if self._writer is None:
            raise StoreError(f"{self.path} was opened to be read.")
        self._writer.append(entry)
        self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        try:
            if entry["type"] == "setting":
                setting = Setting(entry["fields"])
                self.settings[setting.digest] = dict(setting.fields)
            elif entry["type"] == "run":
                self.runs[entry["id"]] = entry["info"]
            elif entry["type"] == "scores":
                self._take_scores(ScoreRecord.from_json(entry))
        except (KeyError, ValueError, TypeError) as error:
            raise StoreError(
                f"{journal_path(self.path)} holds an entry this version does not understand ({error}): "
                "use the version of ntknas that wrote it."
            ) from error

    def _take_scores(self, record: ScoreRecord) -> None:
        if record.setting not in self.settings:
            self.orphans += 1
            return
        self.runs.setdefault(record.run, {})
        self._records.append(record)

    def _frame(self) -> pd.DataFrame:
        """All scores, one row each, the last of each key."""
        frame = pd.concat([self._stored(), _records_frame(self._records)], ignore_index=True)
        return frame.drop_duplicates(_KEY, keep="last", ignore_index=True)

    def _stored(self) -> pd.DataFrame:
        data, names = self._table.columns, self._table.names
        decode = {
            "setting": [Setting(json.loads(text)).digest for text in names["settings"]],
            "run": [json.loads(text)["id"] for text in names["runs"]],
            "measure": names["measures"],
            "status": names["statuses"],
            "reason": names["reasons"],
        }
        if not len(self._table):
            return pd.DataFrame(data)
        return pd.DataFrame(
            {
                name: np.array(decode[name], dtype=object)[data[name]] if name in decode else data[name]
                for name in columns.COLUMNS
            }
        )

    def _as_table(self, frame: pd.DataFrame) -> columns.Table:
        settings, runs = list(self.settings), list(self.runs)
        measures = sorted(set(frame["measure"]))
        reasons = ["", *sorted(set(frame["reason"]) - {""})]
        names = {
            "settings": [Setting(self.settings[digest]).text for digest in settings],
            "runs": [json.dumps({"id": run, "info": self.runs[run]}, sort_keys=True) for run in runs],
            "measures": measures,
            "statuses": _STATUSES,
            "reasons": reasons,
        }
        coded = {"setting": settings, "run": runs, "measure": measures, "status": _STATUSES, "reason": reasons}
        data = {}
        for name, dtype in columns.COLUMNS.items():
            values = pd.Index(coded[name]).get_indexer(frame[name]) if name in coded else frame[name].to_numpy()
            data[name] = values.astype(dtype)
        return columns.Table(data, names)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else json.dumps(value)


def _records_frame(records: Iterable[ScoreRecord]) -> pd.DataFrame:
    rows = [
        (
            record.setting,
            record.run,
            record.cell,
            record.seed,
            measure,
            np.nan if score.value is None else score.value,
            score.status.value,
            record.seconds,
            score.reason,
        )
        for record in records
        for measure, score in record.scores.items()
    ]
    frame = pd.DataFrame(rows, columns=list(columns.COLUMNS))
    numeric = ("cell", "seed", "value", "seconds")
    return frame.astype({name: columns.COLUMNS[name] for name in numeric})
