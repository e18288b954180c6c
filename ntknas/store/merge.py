"""Stores brought together: shards of one run, or runs of several machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ntknas.core.errors import StoreError
from ntknas.store import tables
from ntknas.store.columns import Table
from ntknas.store.left_out import LeftOut
from ntknas.store.setting import Setting
from ntknas.store.store import ScoreStore

_OF_A_KERNEL = {"output", "batch_norm", "parameters", "normalisation", "held_out_hash"}
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


def merge(target: Path, others: Sequence[Path], *, mixed: bool = False) -> Merged:
    """Add the scores of other stores to a store.

    Of scores that several stores hold the first store's is kept, but for failures, which give way to scores. Merging
    twice changes nothing. The other stores are only read.

    Args:
        target: The store that takes all; made if absent.
        others: The others.
        mixed: Whether stores may hold scores that were measured otherwise, which then stand beside one another.

    Raises:
        StoreError: If a store cannot be read or written, or stores were measured otherwise; the message names the
            field.
    """
    with ScoreStore.open(target) as opened:
        names = [target, *others]
        stores = [opened, *map(ScoreStore.read, others)]
        left_out = {str(name): store.left_out for name, store in zip(names, stores, strict=True) if store.left_out}
        parts = [store.table() for store in stores]
        if not mixed:
            _check_identities(names, parts)
        whole = tables.joined(parts)
        order = _by_worth(whole)
        merged = _in_order(tables.last_of_each(tables.taken(whole, order)))
        summary = _summary(whole, merged, len(parts[0]))
        if merged.digest() != parts[0].digest() or opened.uncompacted:
            opened.replace(merged)
    return replace(summary, left_out=left_out)


def _check_identities(names: Sequence[Path], parts: Sequence[Table]) -> None:
    """Refuse settings that another store has with another value in a field.

    Raises:
        StoreError: If there is such a field.
    """
    known: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    for name, part in zip(names, parts, strict=True):
        ours = _used_settings(part)
        for digest, fields in ours.items():
            rivals = [] if digest in known else [each for each in known.values() if _is_rival(each[1], fields)]
            if rivals:
                other, theirs = min(rivals, key=lambda each: len(_differing(each[1], fields)))
                field = _differing(theirs, fields)[0]
                raise StoreError(
                    f"{name} was measured otherwise than {other}: {field} is {fields.get(field)!r} in the former and "
                    f"{theirs.get(field)!r} in the latter. Merge what belongs together, or give --mixed to keep both."
                )
        known |= {digest: (name, fields) for digest, fields in ours.items()}


def _used_settings(table: Table) -> dict[str, Mapping[str, Any]]:
    used = np.unique(table.columns["setting"])
    settings = [Setting.from_fields(json.loads(table.names["settings"][place])) for place in used]
    return {setting.digest: setting.fields for setting in settings}


def _is_rival(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two settings cannot belong to one run: another field than a kernel's differs, or one kernel's choice."""
    differing = set(_differing(a, b))
    return not differing <= _OF_A_KERNEL or a.get("output") == b.get("output")


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return [name for name in sorted({*a, *b}) if a.get(name) != b.get(name)]


def _by_worth(table: Table) -> np.ndarray:
    """Places in the order in which the last is kept: failures, then scores from the last store's to the first's."""
    failed = tables.has_status(table, tables.FAILURES)
    backwards = np.arange(len(table))[::-1]
    return np.concatenate([backwards[failed[::-1]], backwards[~failed[::-1]]])


def _in_order(table: Table) -> Table:
    """Sort rows, settings, runs and names, so that one content is one file whatever it was merged from."""
    names = {name: sorted(texts) for name, texts in table.names.items() if name != "statuses"}
    ordered = tables.joined([Table.empty({**names, "statuses": tables.STATUSES}), table])
    columns_ = ordered.columns
    return tables.taken(ordered, np.lexsort([columns_[name] for name in ("measure", "seed", "cell", "setting")]))


def _summary(whole: Table, merged: Table, before: int) -> Merged:
    frame = pd.DataFrame({name: whole.columns[name] for name in (*tables.KEY, "value", "status")})
    repeated = frame[frame.duplicated(tables.KEY, keep=False)]
    if repeated.empty:
        return Merged(len(merged), len(merged) - before, 0, 0, 0.0)
    groups = repeated.groupby(tables.KEY)
    low, high = groups["value"].min(), groups["value"].max()
    size = np.maximum(low.abs(), high.abs()).replace(0.0, 1.0)
    relative = ((high - low) / size).fillna(0.0)
    differing = (high > low) | (groups["status"].nunique() > 1)
    return Merged(
        len(merged),
        len(merged) - before,
        len(low),
        int(differing.sum()),
        float(relative.max()) if len(relative) else 0.0,
    )
