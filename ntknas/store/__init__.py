"""Scores on disk: a crash-safe journal that is compacted into one columnar HDF5 file."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.store.records import ScoreRecord
    from ntknas.store.setting import Setting
    from ntknas.store.store import ScoreStore

__all__ = ["ScoreRecord", "ScoreStore", "Setting", "load_store"]
__getattr__ = importer_of(
    {
        "ScoreRecord": "ntknas.store.records",
        "ScoreStore": "ntknas.store.store",
        "Setting": "ntknas.store.setting",
    }
)


def load_store(path: str | PathLike[str]) -> pd.DataFrame:
    """Read the scores of a store, compacted or still in its journal.

    Args:
        path: The HDF5 file.

    Returns:
        One row for each (setting, cell, seed, measure): columns ``setting``, the setting's fields, ``cell``, ``seed``,
        ``measure``, ``value`` (NaN without one), ``status`` and ``seconds`` (of the whole kernel, with all its
        measures). ``frame.attrs`` holds ``settings`` and ``runs``.

    Raises:
        StoreError: If there is no store, or it is damaged or of another version.
    """
    from pathlib import Path

    from ntknas.store.store import ScoreStore

    return ScoreStore.read(Path(path)).frame()
