"""Stores brought together: shards of one run, or runs of several machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.store import tables
from ntknas.store.left_out import LeftOut
from ntknas.store.schema import STATUSES
from ntknas.store.setting import Setting
from ntknas.store.store import ScoreStore
from ntknas.store.table import Table

_KERNEL_FIELDS = {"output", "batch_norm", "parameters", "normalisation", "held_out_hash", "perturb", "kernel_of"}
"""Fields in which settings of one run differ: its measures are taken of several kernels, and of the network."""


@dataclass(frozen=True)
class Merged:
    """What a merge did.

    Attributes:
        scores: Number of scores in the merged store.
        added: How many of them the target did not hold before.
        repeated: Scores that several stores hold.
        differing: How many of these have another value or status; the first store's is kept.
        largest_difference: Largest relative difference of repeated values.
        left_out: What could not be read of each store, by its path; stores of which everything was read are not named.
    """

    scores: int
    added: int
    repeated: int
    differing: int
    largest_difference: float
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)


def merge(target: Path, sources: Sequence[Path], *, mixed: bool = False) -> Merged:
    """Add the scores of other stores to a store.

    Of scores that several stores hold the first store's is kept, but for failures, which give way to scores. Merging
    twice changes nothing. The other stores are only read.

    Args:
        target: The store that takes all; made if absent.
        sources: The other stores.
        mixed: Whether stores may hold scores that were measured otherwise, which then stand beside one another.

    Returns:
        What was done.

    Raises:
        StoreError: If a store cannot be read or written, or stores were measured otherwise; the message names the
            field.
    """
    with ScoreStore.open(target) as opened:
        names = [target, *sources]
        stores = [opened, *map(ScoreStore.read, sources)]
        left_out = {str(name): store.left_out for name, store in zip(names, stores, strict=True) if store.left_out}
        held = [store.table() for store in stores]
        if not mixed:
            _check_settings(names, held)
        joined = tables.joined(held)
        merged = _in_order(tables.last_of_each(joined.rows(_by_worth(joined))))
        summary = _summary(joined, merged, len(held[0]))
        if merged.digest() != held[0].digest() or opened.uncompacted:  # what changes nothing writes nothing
            opened.replace(merged)
    return replace(summary, left_out=left_out)


def _check_settings(names: Sequence[Path], held: Sequence[Table]) -> None:
    """Refuse settings that another store has with another value in a field."""
    owners: dict[Setting, Path] = {}
    for name, table in zip(names, held, strict=True):
        settings = [table.settings[code] for code in np.unique(table.columns["setting"])]
        for setting in settings:
            rivals = [] if setting in owners else [rival for rival in owners if _are_rivals(rival, setting)]
            if rivals:
                nearest = min(rivals, key=lambda rival: len(rival.differing(setting)))
                raise StoreError(_rivalry(name, setting, owners[nearest], nearest))
        owners |= dict.fromkeys(settings, name)


def _are_rivals(a: Setting, b: Setting) -> bool:
    """Whether two settings cannot belong to one run: another field than a kernel's differs, or one kernel's choice."""
    return not set(a.differing(b)) <= _KERNEL_FIELDS or a.output == b.output


def _rivalry(name: Path, setting: Setting, other_name: Path, other: Setting) -> str:
    field = setting.differing(other)[0]
    return (
        f"{name} was measured otherwise than {other_name}: {field} is {setting.fields.get(field)!r} in the former and "
        f"{other.fields.get(field)!r} in the latter. Merge what belongs together, or keep both with `mixed`."
    )


def _by_worth(table: Table) -> np.ndarray:
    """Places in the order in which the last is kept: failures, then scores from the last store's to the first's."""
    failed = tables.has_status(table, tables.FAILURES)
    backwards = np.arange(len(table))[::-1]
    return np.concatenate([backwards[failed[::-1]], backwards[~failed[::-1]]])


def _in_order(table: Table) -> Table:
    """Sort rows, settings, runs and names, so that one content is one file whatever it was merged from."""
    names = {name: sorted(texts) for name, texts in table.names.items() if name != "statuses"}
    ordered = tables.joined([Table.empty({**names, "statuses": STATUSES}), table])
    return ordered.rows(np.lexsort([ordered.columns[name] for name in ("measure", "seed", "cell", "setting")]))


def _summary(joined: Table, merged: Table, size_before: int) -> Merged:
    frame = pd.DataFrame({name: joined.columns[name] for name in (*tables.KEY, "value", "status")})
    repeated = frame[frame.duplicated(tables.KEY, keep=False)]
    if repeated.empty:
        return Merged(len(merged), len(merged) - size_before, 0, 0, 0.0)
    groups = repeated.groupby(tables.KEY)
    low, high = groups["value"].min(), groups["value"].max()
    size = np.maximum(low.abs(), high.abs()).replace(0.0, 1.0)
    relative = ((high - low) / size).fillna(0.0)
    differing = (high > low) | (groups["status"].nunique() > 1)
    return Merged(
        len(merged),
        len(merged) - size_before,
        len(low),
        int(differing.sum()),
        float(relative.max()) if len(relative) else 0.0,
    )
