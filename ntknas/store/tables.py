"""Tables of scores joined, sorted out and searched, on codes rather than on objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.core.score import Status
from ntknas.store.run import Run
from ntknas.store.schema import STATUSES
from ntknas.store.setting import Setting
from ntknas.store.table import CODED, COLUMNS, NAMES, Table

FAILURES = [status.value for status in Status if status.is_failure]
"""Statuses that the next run tries again; a score with any other is done."""
DONE = [status.value for status in Status if not status.is_failure]
KEY = ["setting", "cell", "seed", "measure"]


def names_of(settings: Iterable[Setting], runs: Iterable[Run]) -> dict[str, list[str]]:
    """Return names of a table without scores, with its settings and runs."""
    return {
        "settings": [setting.text for setting in settings],
        "runs": [run.text for run in runs],
        "measures": [],
        "statuses": list(STATUSES),
        "reasons": [""],
    }


def check_codes(names: Mapping[str, list[str]]) -> None:
    """Check that codes can tell names apart.

    Args:
        names: The names of a table.

    Raises:
        StoreError: If there are more settings or measures than that.
    """
    for column, name in CODED.items():
        if len(names[name]) > np.iinfo(COLUMNS[column]).max:
            raise StoreError(f"A store holds at most {np.iinfo(COLUMNS[column]).max:,} {name}: use several stores.")


def joined(tables: Sequence[Table]) -> Table:
    """Return all rows of several tables, in their order; what they know of one run is joined.

    Args:
        tables: The tables.

    Returns:
        One table.

    Raises:
        StoreError: If there are more settings or measures than their codes can tell apart.
    """
    tables = _with_equal_runs(tables)
    names = {name: list(dict.fromkeys(text for table in tables for text in table.names[name])) for name in NAMES}
    check_codes(names)
    columns = {}
    for column, dtype in COLUMNS.items():
        pieces = [_recoded(table, column, names) for table in tables]
        values = np.concatenate(pieces) if pieces else np.empty(0)
        columns[column] = values.astype(dtype, copy=False)
    return Table(columns, names)


def _with_equal_runs(tables: Sequence[Table]) -> list[Table]:
    """Return tables that say one thing of each run: a store and an extract or copy of it may know more or less."""
    runs: dict[str, Run] = {}
    identifiers: dict[str, str] = {}
    for text in dict.fromkeys(text for table in tables for text in table.names["runs"]):
        run = Run.from_text(text)
        identifiers[text] = run.identifier
        runs[run.identifier] = runs[run.identifier].joined(run) if run.identifier in runs else run
    if len(runs) == len(identifiers):
        return list(tables)
    texts = {text: runs[identifier].text for text, identifier in identifiers.items()}
    return [Table(table.columns, {**table.names, "runs": [texts[t] for t in table.names["runs"]]}) for table in tables]


def _recoded(table: Table, column: str, names: Mapping[str, list[str]]) -> np.ndarray:
    values = table.columns[column]
    if column not in CODED or not len(values):
        return values
    codes = {name: code for code, name in enumerate(names[CODED[column]])}
    recoded: np.ndarray = np.array([codes[text] for text in table.names[CODED[column]]], dtype=np.int64)[values]
    return recoded


def last_of_each(table: Table, order: np.ndarray | None = None) -> Table:
    """Return the row of every (setting, cell, seed, measure) that is the last in an order; rows stay in theirs.

    Args:
        table: The rows.
        order: Indices of all rows; as they stand without one.

    Returns:
        The last rows.
    """
    keys = pd.DataFrame({name: table.columns[name] for name in KEY})
    order = np.arange(len(keys)) if order is None else order
    last = order[~keys.iloc[order].duplicated(keep="last").to_numpy()]
    return table if len(last) == len(keys) else table.rows(np.sort(last))


def latest(table: Table) -> Table:
    """Return one row of every (setting, cell, seed, measure): a score before a failure, then that of the later run.

    Args:
        table: The rows; of those of one run, or of runs without a sequence, a later one counts before an earlier one.

    Returns:
        The rows that count.
    """
    sequences = np.array([run.sequence for run in table.runs] or [-1], dtype=np.int64)
    is_score = ~has_status(table, FAILURES)
    by_run = sequences[table.columns["run"]] if len(table) else np.empty(0, np.int64)
    return last_of_each(table, np.lexsort([by_run, is_score]))  # the last key counts first; stable within a run


def without_unused_names(table: Table) -> Table:
    """Return a table with the settings, runs, measures and reasons alone that its rows have."""
    names, columns = dict(table.names), dict(table.columns)
    for column, name in CODED.items():
        if column != "status":
            codes, columns[column] = np.unique(table.columns[column], return_inverse=True)
            names[name] = [table.names[name][code] for code in codes]
            columns[column] = columns[column].astype(COLUMNS[column])
    return Table(columns, names)


def has_status(table: Table, statuses: Iterable[str]) -> np.ndarray:
    """Return which rows have one of some statuses."""
    return np.isin(table.columns["status"], _codes(table.names["statuses"], set(statuses)))


def has_setting(table: Table, digest: str) -> np.ndarray:
    """Return which rows are of a setting."""
    return np.isin(table.columns["setting"], _codes([setting.digest for setting in table.settings], {digest}))


def _codes(names: Iterable[str], selection: set[str]) -> list[int]:
    return [code for code, name in enumerate(names) if name in selection]


def with_all(table: Table, measures: Sequence[str]) -> set[tuple[int, int]]:
    """Return the (cell, seed) that have all these measures, in a table of one setting that holds no key twice."""
    rows = np.isin(table.columns["measure"], _codes(table.names["measures"], set(measures)))
    seeds, seed_index = np.unique(table.columns["seed"][rows], return_inverse=True)
    pairs = table.columns["cell"][rows].astype(np.int64) * len(seeds) + seed_index
    pairs, counts = np.unique(pairs, return_counts=True)
    cells, seed_index = np.divmod(pairs[counts == len(set(measures))], max(len(seeds), 1))
    return set(zip(cells.tolist(), seeds[seed_index].tolist(), strict=True))
