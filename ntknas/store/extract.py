"""Some of a store's scores as a store of their own, and stores without some of their scores."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ntknas.core.errors import ChoiceError, StoreError
from ntknas.core.sealed_file import UnsealedFileError, check
from ntknas.store import tables
from ntknas.store.frame import as_frame
from ntknas.store.layout import existing_path, exists, real_path
from ntknas.store.selection import Selection, selected
from ntknas.store.store import ScoreStore
from ntknas.store.table import Table


def extract(store: ScoreStore, target: Path, selection: Selection) -> int:
    """Write some of a store's scores into a new store, with their settings and runs.

    Args:
        store: The store.
        target: The new store.
        selection: Which scores.

    Returns:
        Their number.

    Raises:
        StoreError: If there is a store in the place already, or it cannot be written.
        ChoiceError: If the store holds no such scores.
    """
    table = store.table()
    scores = _extract(table, selected(as_frame(table), selection))
    if not len(scores):
        raise ChoiceError(f"{store.path} holds no such scores: there is nothing to extract.")
    write_new(target, scores)
    return len(scores)


def write_new(target: Path, table: Table) -> None:
    """Write a table into a store that is not there yet.

    Args:
        target: The store.
        table: Its scores.

    Raises:
        StoreError: If something is in the place already, or it cannot be written.
    """
    if exists(real_path(target)):
        raise StoreError(
            f"{target} is there already: name a new store, and bring both together with ntknas store merge."
        )
    with ScoreStore.open(target) as new:
        new.replace(table)


def count(store: ScoreStore, selection: Selection) -> int:
    """Count which of a store's scores are meant.

    Args:
        store: The store.
        selection: Which scores; not all.

    Returns:
        Their number.

    Raises:
        ChoiceError: If the store holds no such scores, or all are meant.
    """
    if selection.is_all:
        raise ChoiceError("Say what to drop: a `space`, `dataset`, `setting`, `recipe` or `measures`.")
    return int(selected(store.frame(), selection).sum())


def drop(path: Path, selection: Selection, *, keep_copy: bool = True) -> tuple[int, Path | None]:
    """Remove some of a store's scores, with the settings and runs that nothing else has.

    Args:
        path: The store.
        selection: Which.
        keep_copy: Whether they are first written into a store of their own beside it.

    Returns:
        Their number, and the store that keeps them.

    Raises:
        StoreError: If the store cannot be read or written; nothing is removed then.
        ChoiceError: If it holds no such scores, or all are meant.
    """
    with ScoreStore.open(existing_path(path)) as store:
        number = count(store, selection)
        copy = _fresh(store.path) if keep_copy else None
        if copy:
            extract(store, copy, selection)  # first: a run killed in between has these scores twice, not never
        table = store.table()
        store.replace(_extract(table, ~selected(as_frame(table), selection)))
        return number, copy


def _extract(table: Table, rows: NDArray[np.bool_]) -> Table:
    """Return some rows with their settings and runs, which no longer ask for the measures that were taken out."""
    retained, removed = (tables.without_unused_names(table.rows(mask)) for mask in (rows, ~rows))
    codes = np.unique(np.stack([removed.columns["setting"], removed.columns["measure"]]).astype(np.int64), axis=1)
    digests, measures = [setting.digest for setting in removed.settings], removed.names["measures"]
    of_removed = {(digests[setting], measures[measure]) for setting, measure in codes.T}
    of_retained = {setting.digest for setting in retained.settings}
    runs = [run.restricted(of_retained, of_removed).text for run in retained.runs]
    return Table(retained.columns, {**retained.names, "runs": runs})


def _fresh(path: Path) -> Path:
    """Return the first of ``….dropped``, ``….dropped-2`` and so on that is free."""
    endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (path.with_name(f"{path.stem}.dropped{ending}{path.suffix}") for ending in endings)
    return next(name for name in names if not exists(name))


def convert(old: Path, new: Path) -> int:
    """Write the scores of a store from before seals, journals included, into a new store.

    Of plain HDF5 only arrays and texts are read that lie in the file itself, of the types and shapes of a store.

    Args:
        old: The store.
        new: The new one.

    Returns:
        The number of scores.

    Raises:
        StoreError: If the file is no such store, or there is a store in the place already.
    """
    try:
        check(real_path(old))
    except UnsealedFileError:
        pass
    except FileNotFoundError as error:
        raise StoreError(f"No file {old}: there is nothing to convert.") from error
    except OSError as error:
        raise StoreError(f"{old} cannot be converted: {error.strerror or error}.") from error
    else:
        raise StoreError(f"{old} has its seal: there is nothing to convert.")
    table = ScoreStore.read(old, unsealed=True).table()
    write_new(new, table)
    return len(table)
