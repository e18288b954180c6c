"""Scores as arrays: codes and numbers, with the names that the codes stand for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ntknas.core.score import Status
from ntknas.store import schema
from ntknas.store.run import Run
from ntknas.store.setting import Setting

COLUMNS: dict[str, str] = {  # their order and byte order are part of every stored checksum
    "setting": "<u2",
    "run": "<u4",
    "cell": "<i4",
    "seed": "<i8",
    "measure": "<u2",
    "value": "<f8",
    "status": "<u1",
    "seconds": "<f8",
    "reason": "<u4",
}
"""Columns of the scores and their types."""
CODED = {"setting": "settings", "run": "runs", "measure": "measures", "status": "statuses", "reason": "reasons"}
"""Columns of codes, and the names that they index."""
NAMES = tuple(CODED.values())


@dataclass
class Table:
    """The scores as arrays, with the names that their codes stand for.

    Attributes:
        columns: Array of each of ``COLUMNS``, all of one length; ``value`` is NaN where there is none.
        names: ``settings`` and ``runs`` (JSON), ``measures``, ``statuses`` and ``reasons``.
    """

    columns: dict[str, np.ndarray]
    names: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["cell"])

    @classmethod
    def empty(cls, names: dict[str, list[str]] | None = None) -> Table:
        """Return a table without scores."""
        columns = {name: np.empty(0, dtype) for name, dtype in COLUMNS.items()}
        return cls(columns, names or {name: [] for name in NAMES})

    @property
    def settings(self) -> list[Setting]:
        """The settings, in the order of their codes."""
        return [Setting.from_text(text) for text in self.names["settings"]]

    @property
    def runs(self) -> list[Run]:
        """The runs, in the order of their codes."""
        return [Run.from_text(text) for text in self.names["runs"]]

    def rows(self, selection: np.ndarray) -> Table:
        """Return some rows: a mask, or indices."""
        return Table({name: values[selection] for name, values in self.columns.items()}, self.names)

    def digest(self) -> str:
        """SHA-256 of all columns and names."""
        digest = hashlib.sha256(json.dumps(self.names, sort_keys=True).encode())
        for name, dtype in COLUMNS.items():
            digest.update(np.ascontiguousarray(self.columns[name], dtype).tobytes())
        return digest.hexdigest()

    def check(self) -> None:
        """Check that codes stand for names, names for what they must be, and numbers for what they can be.

        Raises:
            ValueError: If not; the message names the column or the names.
        """
        _check_names(self)
        _check_columns(self.columns, self.names)


def _check_names(table: Table) -> None:
    canonical = {
        **table.names,
        "settings": [setting.text for setting in table.settings],
        "runs": [run.identifier for run in table.runs],
        "measures": [schema.check_text("a measure", name) for name in table.names["measures"]],
    }
    for status in table.names["statuses"]:
        if status not in schema.STATUSES:
            expected = ", ".join(schema.STATUSES)
            raise ValueError(f"a status is {schema.shortened(status)}, expected one of {expected}")
    for name, values in canonical.items():
        if len(set(values)) < len(values):
            raise ValueError(f"names/{name} holds the same twice")


def _check_columns(columns: Mapping[str, np.ndarray], names: Mapping[str, list[str]]) -> None:
    for column, name in CODED.items():
        codes = columns[column]
        if len(codes) and int(codes.max()) >= len(names[name]):
            raise ValueError(f"scores/{column} holds the code {int(codes.max())}, of {len(names[name])} {name}")
    if len(columns["cell"]) and int(columns["cell"].min()) < 0:
        raise ValueError("scores/cell holds a cell below 0")
    if not np.isfinite(columns["seconds"]).all():
        raise ValueError("scores/seconds holds a number that is not finite")
    is_ok = np.array([status == Status.OK for status in names["statuses"]], dtype=bool)
    has_value = is_ok[columns["status"]] if len(columns["status"]) else np.empty(0, dtype=bool)
    if np.isinf(columns["value"]).any() or (np.isnan(columns["value"]) == has_value).any():
        raise ValueError("scores/value has no finite number where the status is ok, or one where it is not")
