"""All that is correlated of some scores, in the order of the tables: measures, derived ones, then the counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from ntknas.correlation.counts import Counts
from ntknas.correlation.derived import derived_scores
from ntknas.correlation.names import kernel_names
from ntknas.correlation.row import OFFICIAL, SETTING
from ntknas.correlation.scored import Scored, baseline, scored_measures
from ntknas.measures import all_derived, all_measures
from ntknas.store.setting import Setting


def rankings(scores: pd.DataFrame, settings: Mapping[str, Setting], counts: Mapping[str, Counts]) -> list[Scored]:
    """Return all measures by setting, then the counts on every cell that any of them has a value for.

    Args:
        scores: As from ``given.as_scores``.
        settings: Settings by digest, where the scores are a store's.
        counts: Counts of cells by setting, where the space is known.
    """
    stored = {digest: setting for digest, setting in settings.items() if digest != SETTING}
    scored = scored_measures(scores, settings, kernel_names(stored))
    scored = _in_order([*scored, *derived_scores(scored, settings, counts)])
    setting = scored[0].setting
    if setting not in counts:
        return scored
    cells = sorted(set().union(*(item.scored_cells for item in scored)))
    known = counts[setting]
    # A user's own scores may have the name of a count.
    of_networks = OFFICIAL if setting == SETTING else setting
    return scored + [baseline(name, of_networks, cells, known.of(name, cells)) for name in known.names]


def _in_order(scored: Iterable[Scored]) -> list[Scored]:
    """Sort by the order of the definitions; a user's own come after ours, derived ones last."""
    measures = list(all_measures())
    order = {name: number for number, name in enumerate((*measures, None, *all_derived()))}

    def place(item: Scored) -> int:
        return len(measures) if item.setting == SETTING else order.get(item.measure, len(measures))

    return sorted(scored, key=place)
