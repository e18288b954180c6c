"""Scores that are in journals alone: held as codes and numbers, some forty bytes each, until they are compacted."""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterator, Mapping

import numpy as np

from ntknas.core.score import Status
from ntknas.store import tables
from ntknas.store.records import ScoreRecord
from ntknas.store.run import Run
from ntknas.store.schema import STATUSES
from ntknas.store.setting import Setting
from ntknas.store.table import COLUMNS, Table

_TYPES = {  # codes are wider than in COLUMNS: table() refuses too many, append() would overflow
    "setting": "I",
    "run": "I",
    "cell": "i",
    "seed": "q",
    "measure": "I",
    "value": "d",
    "status": "B",
    "seconds": "d",
    "reason": "I",
}
_STATUS_CODES = {status: code for code, status in enumerate(Status)}


class Waiting:
    """Rows of scores in the order in which they came."""

    def __init__(self) -> None:
        self._columns: dict[str, array[float]] = {name: array(code) for name, code in _TYPES.items()}
        self._codes: dict[str, dict[str, int]] = {name: {} for name in ("setting", "run", "measure", "reason")}
        self._code("reason", "")

    def __len__(self) -> int:
        return len(self._columns["cell"])

    def add(self, record: ScoreRecord) -> None:
        """Take the scores of a record, one row each."""
        for row in self._rows(record):
            for column, value in zip(self._columns.values(), row, strict=True):
                column.append(value)

    def _rows(self, record: ScoreRecord) -> Iterator[tuple[int | float, ...]]:
        setting, run = self._code("setting", record.setting), self._code("run", record.run)
        for measure, score in record.scores.items():
            value = np.nan if score.value is None else score.value
            status, reason = _STATUS_CODES[score.status], self._code("reason", score.reason)
            code = self._code("measure", measure)
            yield setting, run, record.cell, record.seed, code, value, status, record.seconds, reason

    def _code(self, column: str, name: str) -> int:
        codes = self._codes[column]
        return codes.setdefault(name, len(codes))

    @property
    def runs(self) -> list[str]:
        """Identifiers of the runs that rows are of."""
        return list(self._codes["run"])

    def count(self, settings: Container[str]) -> int:
        """Return the number of rows whose setting is among some digests."""
        return int(self._is_of(settings).sum())

    def _is_of(self, settings: Container[str]) -> np.ndarray:
        if not len(self):
            return np.empty(0, dtype=bool)
        is_among = np.array([digest in settings for digest in self._codes["setting"]], dtype=bool)
        rows: np.ndarray = is_among[np.array(self._columns["setting"])]
        return rows

    def table(self, settings: Mapping[str, Setting], runs: Mapping[str, Run]) -> Table:
        """Return the rows of known settings as a table.

        Args:
            settings: Every known setting by digest.
            runs: Every known run by identifier.

        Returns:
            The table.

        Raises:
            StoreError: If there are more settings or measures than their codes can tell apart.
        """
        digests = [digest for digest in self._codes["setting"] if digest in settings]
        names = {
            "settings": [settings[digest].text for digest in digests],
            "runs": [runs.get(run, Run(run, {})).text for run in self._codes["run"]],
            "measures": list(self._codes["measure"]),
            "statuses": list(STATUSES),
            "reasons": list(self._codes["reason"]),
        }
        tables.check_codes(names)
        rows = self._is_of(settings)
        columns = {name: np.array(self._columns[name])[rows] for name in COLUMNS}
        new_codes = {digest: code for code, digest in enumerate(digests)}
        recoded = np.array([new_codes.get(digest, 0) for digest in self._codes["setting"]] or [0])
        columns["setting"] = recoded[columns["setting"]]
        return Table({name: columns[name].astype(dtype) for name, dtype in COLUMNS.items()}, names)
