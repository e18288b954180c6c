"""Tables of scores: made of records, joined, and turned into data frames, on codes rather than on objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.core.score import Status
from ntknas.store.columns import COLUMNS, NAMES, Table
from ntknas.store.records import ScoreRecord, Setting

CODED = {"setting": "settings", "run": "runs", "measure": "measures", "status": "statuses", "reason": "reasons"}
"""Columns of codes, and the names that they are places in."""
STATUSES = [status.value for status in Status]
FAILURES = [status.value for status in Status if status.is_failure]
"""Statuses that the next run tries again; a score with any other is done."""
DONE = [status.value for status in Status if not status.is_failure]
KEY = ["setting", "cell", "seed", "measure"]


def named(settings: Mapping[str, Mapping[str, Any]], runs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return names of a table without scores, with its settings and runs by digest and identifier."""
    return {
        "settings": [Setting(fields).text for fields in settings.values()],
        "runs": [json.dumps({"id": run, "info": info}, sort_keys=True) for run, info in runs.items()],
        "measures": [],
        "statuses": list(STATUSES),
        "reasons": [""],
    }


def from_records(
    records: Iterable[ScoreRecord], settings: Mapping[str, Mapping[str, Any]], runs: Mapping[str, Any]
) -> Table:
    """Make a table of records whose settings and runs are known."""
    names = named(settings, runs)
    places = {"setting": _places(settings), "run": _places(runs), "status": _places(STATUSES)}
    measures: dict[str, int] = {}
    reasons = {"": 0}
    rows = [
        (
            places["setting"][record.setting],
            places["run"][record.run],
            record.cell,
            record.seed,
            measures.setdefault(measure, len(measures)),
            np.nan if score.value is None else score.value,
            places["status"][score.status.value],
            record.seconds,
            reasons.setdefault(score.reason, len(reasons)),
        )
        for record in records
        for measure, score in record.scores.items()
    ]
    by_column = zip(*rows, strict=True) if rows else ([] for _ in COLUMNS)
    columns = {
        name: np.array(values, dtype=dtype) for (name, dtype), values in zip(COLUMNS.items(), by_column, strict=True)
    }
    return Table(columns, {**names, "measures": list(measures), "reasons": list(reasons)})


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def joined(tables: Sequence[Table]) -> Table:
    """Return all rows of several tables, in their order.

    Raises:
        StoreError: If there are more settings or measures than their codes can tell apart.
    """
    names = {name: list(dict.fromkeys(text for table in tables for text in table.names[name])) for name in NAMES}
    columns = {}
    for column, dtype in COLUMNS.items():
        parts = [_recoded(table, column, names) for table in tables]
        values = np.concatenate(parts) if parts else np.empty(0)
        if column in CODED and len(names[CODED[column]]) > np.iinfo(dtype).max:
            raise StoreError(f"A store holds at most {np.iinfo(dtype).max:,} {CODED[column]}: use several stores.")
        columns[column] = values.astype(dtype, copy=False)
    return Table(columns, names)


def _recoded(table: Table, column: str, names: Mapping[str, list[str]]) -> np.ndarray:
    values = table.columns[column]
    if column not in CODED or not len(values):
        return values
    places = _places(names[CODED[column]])
    return np.array([places[text] for text in table.names[CODED[column]]], dtype=np.int64)[values]


def latest(table: Table) -> Table:
    """Return the last row of every (setting, cell, seed, measure)."""
    keep = ~pd.DataFrame({name: table.columns[name] for name in KEY}).duplicated(keep="last").to_numpy()
    return table if keep.all() else taken(table, keep)


def taken(table: Table, rows: np.ndarray) -> Table:
    """Return some rows: a mask, or places."""
    return Table({name: values[rows] for name, values in table.columns.items()}, table.names)


def has_status(table: Table, statuses: Iterable[str]) -> np.ndarray:
    """Return which rows have one of some statuses."""
    wanted = [place for place, name in enumerate(table.names["statuses"]) if name in set(statuses)]
    return np.isin(table.columns["status"], wanted)


def has_setting(table: Table, digest: str) -> np.ndarray:
    """Return which rows are of a setting."""
    digests = [Setting(json.loads(text)).digest for text in table.names["settings"]]
    return np.isin(table.columns["setting"], [place for place, each in enumerate(digests) if each == digest])


def with_all(table: Table, measures: Sequence[str]) -> set[tuple[int, int]]:
    """Return the (cell, seed) that have all these measures, in a table of one setting that holds no key twice."""
    wanted = [place for place, name in enumerate(table.names["measures"]) if name in measures]
    rows = np.isin(table.columns["measure"], wanted)
    seeds, places = np.unique(table.columns["seed"][rows], return_inverse=True)
    pairs, counts = np.unique(table.columns["cell"][rows].astype(np.int64) * len(seeds) + places, return_counts=True)
    cells, place = np.divmod(pairs[counts == len(set(measures))], max(len(seeds), 1))
    return set(zip(cells.tolist(), seeds[place].tolist(), strict=True))


def as_frame(table: Table) -> pd.DataFrame:
    """Return the scores as a data frame with the fields of their settings; texts are categories.

    See ``ntknas.load_store``; ``attrs`` is left to the caller.
    """
    settings = [Setting(json.loads(text)) for text in table.names["settings"]]
    runs = [json.loads(text) for text in table.names["runs"]]
    decoded = {
        "setting": [setting.digest for setting in settings],
        "run": [run["id"] for run in runs],
        "measure": table.names["measures"],
        "status": table.names["statuses"],
        "reason": table.names["reasons"],
    }
    codes = table.columns
    data = {name: _by_code(decoded[name], codes[name]) if name in decoded else codes[name] for name in COLUMNS}
    data["recipe"] = _by_code([run["info"].get("recipe", "custom") for run in runs], codes["run"])
    for name in sorted({name for setting in settings for name in setting.fields}):
        data[name] = _by_code([_plain(setting.fields.get(name)) for setting in settings], codes["setting"])
    return pd.DataFrame(data)


def _by_code(values: list[Any], codes: np.ndarray) -> Any:
    """Return what codes stand for: numbers as an array, anything else as a categorical, ``None`` as missing."""
    if values and all(isinstance(value, int | float) for value in values):
        return np.array(values)[codes]
    categories = list(dict.fromkeys(value for value in values if value is not None))
    places = {value: place for place, value in enumerate(categories)}
    lookup = np.array([-1 if value is None else places[value] for value in values], dtype=np.int64)
    return pd.Categorical.from_codes(lookup[codes] if len(codes) else [], categories=categories)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else json.dumps(value)
