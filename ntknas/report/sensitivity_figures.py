"""The card of ``ntknas sensitivity``: which choices change a ranking, and which what it says of accuracies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ntknas.correlation.estimate import Estimate
from ntknas.correlation.sensitivity import BASE, Agreement
from ntknas.report.figures import DotGrid, DotPanel, DotSeries
from ntknas.report.text import Formula, joined
from ntknas.report.words import measure_in_words

_WITH_BASE, _WITH_ACCURACY = "with the scores before the change", "with the accuracies"
_AS_IT_IS = "no change"


def card(agreements: Sequence[Agreement], target: str = "", setting: str = "") -> DotGrid:
    """Return how far each change leaves a ranking as it is, and how it ranks the accuracies then; a panel a measure.

    Args:
        agreements: As from ``ntknas.correlation.sensitivity.agreements``.
        target: The accuracies, in words.
        setting: What is changed, in words.

    Returns:
        The figure.
    """
    variations = list(dict.fromkeys(item.variation for item in agreements))
    measures = dict.fromkeys(item.measure for item in agreements)
    cells = sorted({item.n for item in agreements})
    number = f"{cells[0]}" if cells[0] == cells[-1] else f"{cells[0]} to {cells[-1]}"
    accuracies = f"; accuracies: {target}" if target else ""
    return DotGrid(
        f"One choice changed at a time: {number} cells{accuracies}",
        Formula(r"Kendall's $\tau_b$, 95 % interval"),
        [variation_in_words(name) for name in variations],
        [_panel([item for item in agreements if item.measure == measure], variations) for measure in measures],
        bounds=(-1.0, 1.0),
        setting=joined(
            "Before the change: ", setting[:1].lower() + setting[1:], " Dotted: with the accuracies, before the change."
        )
        if target
        else setting,
    )


def variation_in_words(text: str) -> str:
    """Return a change in words.

    Example:
        >>> variation_in_words("batch-norm per-sample")
        'batch norm: per-sample'
    """
    if text == BASE:
        return _AS_IT_IS
    choice, _, value = text.partition(" ")
    return f"{choice.replace('-', ' ')}: {value}"


def _panel(agreements: Sequence[Agreement], variations: Sequence[str]) -> DotPanel:
    by_name = {item.variation: item for item in agreements}
    with_accuracy = [by_name[name].with_accuracy if name in by_name else None for name in variations]
    with_base = [by_name[name].with_base if name in by_name and name != BASE else None for name in variations]
    series = [_series(_WITH_BASE, with_base)]
    if any(estimate is not None for estimate in with_accuracy):
        series.append(_series(_WITH_ACCURACY, with_accuracy))
    base = by_name[BASE].with_accuracy if BASE in by_name else None
    return DotPanel(measure_in_words(agreements[0].measure), series, None if base is None else base.value)


def _series(name: str, estimates: Sequence[Estimate | None]) -> DotSeries:
    known = [estimate or Estimate(None) for estimate in estimates]
    table = [[np.nan if number is None else number for number in (e.value, e.low, e.high)] for e in known]
    values, low, high = np.array(table, np.float64).reshape(-1, 3).T
    return DotSeries(name, values, low, high)
