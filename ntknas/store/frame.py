"""Scores as data frames with the fields of their settings, and the settings of such a frame."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ntknas.store import schema
from ntknas.store.setting import Setting
from ntknas.store.table import COLUMNS, Table


def as_frame(table: Table) -> pd.DataFrame:
    """Return the scores as a data frame with the fields of their settings; texts are categories.

    See ``ntknas.load_store``; ``attrs`` is left to the caller.

    Args:
        table: The scores.

    Returns:
        One row for each score.
    """
    settings, runs, codes = table.settings, table.runs, table.columns
    decoded: Mapping[str, Sequence[object]] = {
        "setting": [setting.digest for setting in settings],
        "run": [run.identifier for run in runs],
        "measure": table.names["measures"],
        "status": table.names["statuses"],
        "reason": table.names["reasons"],
    }
    data = {name: _by_code(decoded[name], codes[name]) if name in decoded else codes[name] for name in COLUMNS}
    data["recipe"] = _by_code([run.recipe for run in runs], codes["run"])
    for name in sorted({name for setting in settings for name in setting.fields}):
        data[name] = _by_code([_plain(setting.fields.get(name)) for setting in settings], codes["setting"])
    return pd.DataFrame(data)


def _by_code(values: Sequence[object], codes: np.ndarray) -> np.ndarray | pd.Categorical:
    """Return what codes stand for: numbers as an array, anything else as a categorical, ``None`` as missing."""
    if values and all(isinstance(value, int | float) for value in values):
        return np.array(values)[codes]
    categories = list(dict.fromkeys(value for value in values if value is not None))
    indices = {value: index for index, value in enumerate(categories)}
    # Minus one is what pandas takes for missing.
    lookup = np.array([-1 if value is None else indices[value] for value in values], dtype=np.int64)
    return pd.Categorical.from_codes(lookup[codes] if len(codes) else [], categories=categories)


def _plain(value: object) -> str | int | float | None:
    return value if isinstance(value, str | int | float | None) else json.dumps(value)


def settings_of(scores: pd.DataFrame) -> dict[str, Setting]:
    """Return the settings of a table of scores by digest; none of plain scores, which say no space and no data set.

    Args:
        scores: As from ``ntknas.load_store``. Where its ``attrs`` are lost, as in a table of two stores, its columns
            say the settings.

    Returns:
        The settings.

    Raises:
        ValueError: If a field is not what it must be.
    """
    if not {"setting", "space", "dataset"} <= set(scores):
        return {}
    stored = scores.attrs.get("settings", {})
    rows = scores.drop_duplicates("setting").set_index("setting")
    by_digest = {str(digest): row for digest, row in rows.iterrows()}
    return {digest: Setting.from_fields(stored.get(digest) or _fields(row)) for digest, row in by_digest.items()}


def _fields(row: pd.Series) -> dict[str, object]:
    """Return the fields of a setting that a row of scores has."""
    values = {name: value for name, value in row.items() if name not in schema.SCORE_COLUMNS and not pd.isna(value)}
    return {str(name): _stored(str(name), value) for name, value in values.items()}


def _stored(name: str, value: object) -> object:
    """Return a value as it was stored: a column that lacks values elsewhere has its integers as floats."""
    if isinstance(value, np.generic):
        value = value.item()
    return int(value) if name in schema.INTEGER_FIELDS and isinstance(value, float) else value
