"""The figures of ``ntknas pareto``: what scores choose, in the plane of the two targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ntknas.correlation.front import Places, is_on_front
from ntknas.correlation.names import row_name
from ntknas.correlation.plane import Plane
from ntknas.correlation.row import BASELINE
from ntknas.correlation.stand_in import MEASURED
from ntknas.correlation.targets import Accuracies
from ntknas.correlation.trade_off import TradeOff, TradeOffs
from ntknas.report.figures import Array, FrontPanel, Fronts
from ntknas.report.text import joined
from ntknas.report.words import (
    measure_in_words,
    name_in_words,
    settings_in_words,
    target_in_words,
    with_unit,
)
from ntknas.spaces.populations import ALL

_BAND = (0.025, 0.975)
_WORST = 0.05
"""Share of the cells, the worst, that are left out of the view where they take half of an axis."""
_NAMED = 3
"""Scores that a panel names."""


def fronts(result: TradeOffs, stand_in: str) -> Fronts:
    """Return the true front with the one that each score chooses by a stand-in, and what random cells attain.

    Scores that choose the same cells share a panel.

    Args:
        result: The result.
        stand_in: Name of the stand-in.

    Returns:
        The figure.
    """
    plane = result.plane
    panels: dict[bytes, tuple[list[TradeOff], Places]] = {}
    for row, places in zip(result.rows, result.chosen, strict=True):
        if row.stand_in == stand_in:
            panels.setdefault(np.sort(places).tobytes(), ([], places))[0].append(row)
    signed = plane.values
    return Fronts(
        title=_title(result, stand_in),
        x_label=_label(plane.second),
        y_label=_label(plane.first),
        cells=_xy(plane, signed),
        front=_stairs(plane, signed[plane.on_front]),
        panels=[_panel(result, rows, places) for rows, places in panels.values()],
        x_view=_view(signed[:, 1], plane.second.quantity.sign),
        y_view=_view(signed[:, 0], plane.first.quantity.sign),
        setting=_setting(result),
    )


def _label(target: Accuracies) -> str:
    """Return what stands beside a target's axis; a target whose name is no words has its quantity too."""
    words = target_in_words(target.name, target.quantity)
    known = with_unit(words, target.quantity)
    return known if words != target.name else f"{target.name}: {target.quantity}"


def _setting(result: TradeOffs) -> str:
    measured = dict.fromkeys(row.setting for row in result.rows if row.recipe != BASELINE)
    return settings_in_words([result.settings[name] for name in measured if name in result.settings])


def _title(result: TradeOffs, stand_in: str) -> str:
    plane = result.plane
    instead = f"{plane.second.quantity.name} itself" if stand_in == MEASURED else measure_in_words(stand_in)
    population = "" if result.population == ALL else f", population {result.population}"
    return f"What a score and {instead} choose of {len(plane):,} cells{population}"


def _panel(result: TradeOffs, rows: Sequence[TradeOff], places: Places) -> FrontPanel:
    plane, row = result.plane, rows[0]
    names = list(dict.fromkeys(name_in_words(row_name(result, each)) for each in rows))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    reached = f"{row.reached.value:.2f}"
    if row.reached.interval:
        reached += f" [{row.reached.interval[0]:.2f}, {row.reached.interval[1]:.2f}]"
    chosen = plane.values[places]
    low, high = (_stairs(plane, _signed(plane, plane.random_line(row.chosen, share))) for share in reversed(_BAND))
    return FrontPanel(
        title=joined(joined(*names[:_NAMED], by=", "), more),
        note=f"{row.chosen:,} cells: {reached} of the front; random {row.random:.2f}",
        chosen=_xy(plane, chosen),
        line=_stairs(plane, chosen),
        band_low=low,
        band_high=high,
    )


def _signed(plane: Plane, own: Array) -> Array:
    return plane.own(own)  # signs are their own inverses


def _xy(plane: Plane, signed: Array) -> Array:
    """Return the second target as x and the first as y, in their own values."""
    return plane.own(signed)[:, ::-1]


def _stairs(plane: Plane, signed: Array) -> Array:
    """Return the line below which points dominate, from the best of the second target at the worst of the first on."""
    worst = plane.values.min(axis=0)
    if not len(signed):
        return _xy(plane, worst[None])
    front = signed[is_on_front(signed[:, 0], signed[:, 1])]
    first, second = front[np.argsort(front[:, 0], kind="stable")].T
    heights = np.repeat(first, 2)
    corners = np.stack([np.append(worst[0], heights), np.append(np.repeat(second, 2), worst[1])], axis=1)
    return _xy(plane, corners)


def _view(signed: Array, sign: int) -> tuple[float, float]:
    """Return the ends of an axis: without the worst cells where these take half of it."""
    worst, best = float(signed.min()), float(signed.max())
    ordinary = float(np.quantile(signed, _WORST))
    end = ordinary if ordinary - worst > (best - worst) / 2 else worst
    margin = (best - end) / 20
    low, high = sorted((sign * (end - margin), sign * (best + margin)))
    return low, high
