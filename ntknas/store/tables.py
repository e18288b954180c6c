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
from ntknas.store.requests import of_both
from ntknas.store.schema import CODED, SEQUENCE
from ntknas.store.setting import Setting

STATUSES = [status.value for status in Status]
FAILURES = [status.value for status in Status if status.is_failure]
"""Statuses that the next run tries again; a score with any other is done."""
DONE = [status.value for status in Status if not status.is_failure]
KEY = ["setting", "cell", "seed", "measure"]


def named(settings: Mapping[str, Setting], runs: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return names of a table without scores, with its settings and runs by digest and identifier."""
    return {
        "settings": [setting.text for setting in settings.values()],
        "runs": [run_text(run, info) for run, info in runs.items()],
        "measures": [],
        "statuses": list(STATUSES),
        "reasons": [""],
    }


def run_text(identifier: str, info: Mapping[str, Any]) -> str:
    """Return a run as a table names it."""
    return json.dumps({"id": identifier, "info": info}, sort_keys=True)


def check_codes(names: Mapping[str, list[str]]) -> None:
    """Check that codes can tell names apart.

    Raises:
        StoreError: If there are more settings or measures than that.
    """
    for column, name in CODED.items():
        if len(names[name]) > np.iinfo(COLUMNS[column]).max:
            raise StoreError(f"A store holds at most {np.iinfo(COLUMNS[column]).max:,} {name}: use several stores.")


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def joined(tables: Sequence[Table]) -> Table:
    """Return all rows of several tables, in their order; what they know of one run is brought together.

    Raises:
        StoreError: If there are more settings or measures than their codes can tell apart.
    """
    tables = _agreeing(tables)
    names = {name: list(dict.fromkeys(text for table in tables for text in table.names[name])) for name in NAMES}
    check_codes(names)
    columns = {}
    for column, dtype in COLUMNS.items():
        parts = [_recoded(table, column, names) for table in tables]
        values = np.concatenate(parts) if parts else np.empty(0)
        columns[column] = values.astype(dtype, copy=False)
    return Table(columns, names)


def _agreeing(tables: Sequence[Table]) -> list[Table]:
    """Return tables that say one thing of each run: a store and its parts, or a copy of it, may know more or less."""
    known: dict[str, str] = {}
    infos: dict[str, dict[str, Any]] = {}
    for text in dict.fromkeys(text for table in tables for text in table.names["runs"]):
        run = known[text] = json.loads(text)["id"]
        info = json.loads(text)["info"]
        infos[run] = of_both(infos[run], info) if run in infos else info
    if len(infos) == len(known):
        return list(tables)
    texts = {text: run_text(run, infos[run]) for text, run in known.items()}
    return [Table(table.columns, {**table.names, "runs": [texts[t] for t in table.names["runs"]]}) for table in tables]


def _recoded(table: Table, column: str, names: Mapping[str, list[str]]) -> np.ndarray:
    values = table.columns[column]
    if column not in CODED or not len(values):
        return values
    places = _places(names[CODED[column]])
    return np.array([places[text] for text in table.names[CODED[column]]], dtype=np.int64)[values]


def last_of_each(table: Table, order: np.ndarray | None = None) -> Table:
    """Return the row of every (setting, cell, seed, measure) that is the last in an order; rows stay in theirs.

    Args:
        table: The rows.
        order: Places of all rows; as they stand without one.
    """
    keys = pd.DataFrame({name: table.columns[name] for name in KEY})
    order = np.arange(len(keys)) if order is None else order
    keep = order[~keys.iloc[order].duplicated(keep="last").to_numpy()]
    return table if len(keep) == len(keys) else taken(table, np.sort(keep))


def latest(table: Table) -> Table:
    """Return one row of every (setting, cell, seed, measure): a score before a failure, then that of the later run.

    Of rows of one run, or of runs without a sequence, the later one in the table.
    """
    infos = [json.loads(text)["info"] for text in table.names["runs"]]
    sequences = np.array([info.get(SEQUENCE, -1) for info in infos] or [-1], dtype=np.int64)
    is_score = ~has_status(table, FAILURES)
    by_run = sequences[table.columns["run"]] if len(table) else np.empty(0, np.int64)
    return last_of_each(table, np.lexsort([by_run, is_score]))


def used(table: Table) -> Table:
    """Return a table with the settings, runs, measures and reasons alone that its rows have."""
    names, columns = dict(table.names), dict(table.columns)
    for column, name in CODED.items():
        if column != "status":
            codes, columns[column] = np.unique(table.columns[column], return_inverse=True)
            names[name] = [table.names[name][code] for code in codes]
            columns[column] = columns[column].astype(COLUMNS[column])
    return Table(columns, names)


def taken(table: Table, rows: np.ndarray) -> Table:
    """Return some rows: a mask, or places."""
    return Table({name: values[rows] for name, values in table.columns.items()}, table.names)


def has_status(table: Table, statuses: Iterable[str]) -> np.ndarray:
    """Return which rows have one of some statuses."""
    wanted = [place for place, name in enumerate(table.names["statuses"]) if name in set(statuses)]
    return np.isin(table.columns["status"], wanted)


def has_setting(table: Table, digest: str) -> np.ndarray:
    """Return which rows are of a setting."""
    digests = [Setting.from_fields(json.loads(text)).digest for text in table.names["settings"]]
    return np.isin(table.columns["setting"], [place for place, each in enumerate(digests) if each == digest])


def with_all(table: Table, measures: Sequence[str]) -> set[tuple[int, int]]:
    """Return the (cell, seed) that have all these measures, in a table of one setting that holds no key twice."""
    wanted = [place for place, name in enumerate(table.names["measures"]) if name in measures]
    rows = np.isin(table.columns["measure"], wanted)
    seeds, places = np.unique(table.columns["seed"][rows], return_inverse=True)
    pairs, counts = np.unique(table.columns["cell"][rows].astype(np.int64) * len(seeds) + places, return_counts=True)
    cells, place = np.divmod(pairs[counts == len(set(measures))], max(len(seeds), 1))
    return set(zip(cells.tolist(), seeds[place].tolist(), strict=True))
