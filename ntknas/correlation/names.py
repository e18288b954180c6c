"""Names of ways of measuring: in full for tables, and by what tells them apart for tests and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ntknas.correlation.epochs import PREFIX, epoch_of

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
    "epoch",
    "training_data_hash",
)


def kernel_names(scores: pd.DataFrame) -> dict[str, str]:
    """Names of the settings but for the epoch: the kernel's first choices, and whatever else differs between them."""
    settings = scores.drop_duplicates("setting").set_index("setting")
    if "cell_seeds" in settings:  # which settings of shared seeds do not have
        known = settings["cell_seeds"].astype(object)
        settings = settings.assign(cell_seeds=known.where(known.notna(), "shared"))
    epochs = {str(setting): epoch_of(row) for setting, row in settings.iterrows()}
    trained = settings[[epochs[setting] > 0 for setting in settings.index]]
    others = [name for name in settings if name not in (*_NAMING, *_NOT_NAMING)]
    differing = [
        name for name in others if (trained if name.startswith(PREFIX) else settings)[name].astype(str).nunique() > 1
    ]
    names = {
        str(setting): "/".join(str(row[name]) for name in (*_naming(row), *differing) if name in settings)
        + "/held-out" * isinstance(row.get("held_out_hash"), str)
        for setting, row in settings.iterrows()
    }
    if len({(name, epochs[key]) for key, name in names.items()}) < len(names):  # probes that differ in content alone
        names = {key: f"{name}/{settings.loc[key, 'probe_hash'][:8]}" for key, name in names.items()}
    return names


def _naming(fields: pd.Series) -> tuple[str, ...]:
    """The choices that name a kernel; where there is none, what was measured says enough."""
    return _NAMING[:1] if fields.get("output") == "training" else _NAMING


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
    trained = [other for other in fields if epoch_of(other)]
    differing = [
        name
        for name in mine
        if len({str(other.get(name)) for other in (trained if name.startswith(PREFIX) else fields)}) > 1
    ]
    shown = [name for name in differing if name not in ("probe_hash", "epoch")]
    epochs = {epoch_of(other) for other in fields}
    named = [str(mine[name])[:24] for name in shown] + [f"epoch {epoch_of(mine)}"] * (len(epochs) > 1)
    return ", ".join(named or [str(mine[name])[:24] for name in differing])
