"""Names of ways of measuring: in full for tables, and by what tells them apart for tests and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

_NAMING = ("output", "batch_norm", "parameters")
_NOT_NAMING = (
    "setting",
    "probe_hash",
    "held_out_hash",
    "cell",
    "seed",
    "measure",
    "value",
    "status",
    "seconds",
    "reason",
    "run",
    "recipe",
)


def kernel_names(scores: pd.DataFrame) -> dict[str, str]:
    """Names of the settings: the kernel's first choices, and whatever else differs between the settings."""
    settings = scores.drop_duplicates("setting").set_index("setting")
    others = [name for name in settings if name not in (*_NAMING, *_NOT_NAMING)]
    differing = [name for name in others if settings[name].astype(str).nunique() > 1]
    names = {
        str(setting): "/".join(str(row[name]) for name in (*_NAMING, *differing) if name in settings)
        + "/held-out" * isinstance(row.get("held_out_hash"), str)
        for setting, row in settings.iterrows()
    }
    if len(set(names.values())) < len(names):  # probes that differ in content alone
        names = {key: f"{name}/{settings.loc[key, 'probe_hash'][:8]}" for key, name in names.items()}
    return names


def variant(rows: list[dict[str, Any]], settings: Mapping[str, Any], row: dict[str, Any]) -> str:
    """Return what differs in a row's setting from the other settings of its measure; empty if it has one setting.

    Args:
        rows: All rows of a result.
        settings: What the digests in the rows stand for.
        row: The row.
    """
    ours = {other["setting"] for other in rows if other["measure"] == row["measure"]}
    fields = [settings[setting] for setting in ours if setting in settings]
    if len(fields) < 2:
        return ""
    mine = settings[row["setting"]]
    differing = [name for name in mine if len({str(other.get(name)) for other in fields}) > 1]
    shown = [name for name in differing if name != "probe_hash"] or differing
    return ", ".join(str(mine[name])[:24] for name in shown)
