"""The figures of ``ntknas correlate``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ntknas.correlation import Correlation, Curve, Estimate, Row, curves
from ntknas.correlation.names import variant
from ntknas.correlation.row import SETTING
from ntknas.measures import expand
from ntknas.report.figures import Array, BarGroup, Bars, Line, LineGrid, LinePanel
from ntknas.report.text import Formula, joined
from ntknas.report.words import (
    kernels_in_words,
    measure_in_words,
    setting_of,
    space_in_words,
    target_in_words,
    targets_in_words,
)
from ntknas.spaces.populations import ALL

TRAINING = expand(["training"])
SHOWN_BASELINE = "valid_accuracy"
KENDALL = Formula(r"Kendall's $\tau_b$, 95 % interval")
_COLOURED = 6
"""Kernels that colours can tell apart."""
_ALIKE = 3
"""Names of one bar, at the most."""
NEGATIVE = "neg_"
"""What the name of a measure begins with that is another one's negative."""
_NONE = Estimate(None)


def bars(result: Correlation) -> Bars:
    """Return Kendall's τ of every measure with its interval: a panel for each target, the best row above.

    Rows that rank all cells alike are one. Rows of several kernels have the colours of these, and counts are grey.
    """
    rows = _bar_rows(result)
    labels = [_with_cells(result, alike, bar_label(result, alike)) for alike in rows]
    named = kernels_in_words({_kernel(alike[0]) for alike in rows} - {""})
    kernels = [named.get(_kernel(alike[0]), "") for alike in rows]
    words = targets_in_words({name: summary.quantity for name, summary in result.targets.items()})
    return Bars(
        heading(result, f"{subject_of(result)} against {_only_target(result)}"),
        KENDALL,
        labels,
        [_bar_group(result, target, words[target], rows) for target in result.targets],
        frozenset(label for label, alike in zip(labels, rows, strict=True) if alike[0].is_baseline),
        setting=setting_of(result),
        muted_name="counts of the drawing, without a network",
        shown_name="scores",
        kinds=kernels if 1 < len(set(filter(None, kernels))) <= _COLOURED else (),
        is_apart=True,
        bounds=(-1.0, 1.0),
    )


def _bar_rows(result: Correlation) -> list[list[Row]]:
    """Return rows of one bar each, the best first: of all targets together, and with those that rank alike."""
    taus: dict[tuple[str, str], list[float]] = {}
    for row in result.rows:
        taus.setdefault((row.measure, row.setting), []).extend(_known(row.kendall))
    alike = alike_rows(result, result.rows)
    return sorted(alike, key=lambda rows: -_strength(taus[rows[0].measure, rows[0].setting]))


def alike_rows(result: Correlation, rows: Iterable[Row]) -> list[list[Row]]:
    """Return the first row of each measure under each setting, together with those that rank all cells alike.

    Args:
        result: The result.
        rows: Its rows, or those of a target.
    """
    names: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        names.setdefault((row.measure, row.setting), []).append(row)
    alike: dict[object, list[Row]] = {}
    for of_name in names.values():
        alike.setdefault(_ranking(result, of_name), []).append(of_name[0])
    return list(alike.values())


def _ranking(result: Correlation, rows: list[Row]) -> object:
    """Return what tells rankings apart: the cells of each target in the order of their ranks."""
    ranks = []
    for row in rows:
        scores = result.points[row.key]["score"]
        ranks.append((row.target, scores.index.to_numpy().tobytes(), scores.rank().to_numpy().tobytes()))
    return rows[0].is_baseline, tuple(ranks)


def _known(estimate: Estimate) -> list[float]:
    return [] if estimate.value is None else [estimate.value]


def _strength(taus: list[float]) -> float:
    return float(np.mean(taus)) if taus else -math.inf


def bar_label(result: Correlation, rows: Sequence[Row]) -> str:
    """Return what a bar is called: its measure with what tells its setting apart, and others that rank alike."""
    names = [row_label(result, row) for row in rows if f"{NEGATIVE}{rows[0].measure}" != row.measure]
    if len(names) > _ALIKE:
        names = [*names[: _ALIKE - 1], f"{len(names) - _ALIKE + 1} others"]
    return joined(*names, by=" = ")


def row_label(result: Correlation, row: Row) -> str:
    """Return the measure of a row in words, with its variant where it has one."""
    measure = row.measure if row.setting == SETTING else measure_in_words(row.measure)
    different = variant(result, row)
    return joined(measure, f" · {different}") if different else measure


def _kernel(row: Row) -> str:
    """Return the kernel of a row; nothing for a count, or a score of a user's."""
    return "" if row.is_baseline or row.setting == SETTING else row.kernel


def _with_cells(result: Correlation, rows: Sequence[Row], label: str) -> str:
    """Return a label with the number of its cells, where that is not the number in the title."""
    row = rows[0]
    numbers = sorted({rival.n for rival in result.rows if (rival.measure, rival.setting) == (row.measure, row.setting)})
    if numbers == [max(row.n for row in result.rows)]:
        return label
    number = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    return joined(label, f" ({number} cells)")


def subject_of(result: Correlation) -> str:
    """Return what is correlated, for a heading."""
    return "Scores while networks train" if any(row.epoch for row in result.rows) else "Scores at initialisation"


def heading(result: Correlation, text: str) -> str:
    """Return a heading with the number of cells, their space, and their population where it is not all."""
    if not result.rows:
        return text
    spaces = {setting.space for setting in result.settings.values()}
    of = f" of {space_in_words(spaces.pop())}" if len(spaces) == 1 else ""
    population = result.rows[0].population
    meant = "" if population == ALL else f", population {population}"
    return joined(text, f": {max(row.n for row in result.rows):,} cells{of}{meant}")


def _only_target(result: Correlation) -> str:
    if len(result.targets) == 1:
        ((name, summary),) = result.targets.items()
        return target_in_words(name, summary.quantity)
    are_accuracies = all(summary.quantity.is_accuracy for summary in result.targets.values())
    return "trained accuracy" if are_accuracies else f"{len(result.targets)} targets"


def _bar_group(result: Correlation, target: str, words: str, rows: list[list[Row]]) -> BarGroup:
    estimates = {(row.measure, row.setting): row.kendall for row in result.of_target(target)}
    ceiling, quantity = result.targets[target].ceiling, result.targets[target].quantity
    name = words if quantity.higher_is_better else joined(words, ", lower is better")
    found = [estimates.get((alike[0].measure, alike[0].setting), _NONE) for alike in rows]
    return BarGroup(
        joined(*name.split(", ", 1), by="\n"), *_values_and_ends(found), ceiling["kendall"].value if ceiling else None
    )


def _values_and_ends(estimates: list[Estimate]) -> tuple[Array, Array, Array]:
    """Return coefficients and both ends of their intervals; NaN for none."""
    table = [[_or_nan(number) for number in (e.value, e.low, e.high)] for e in estimates]
    values, low, high = np.array(table, np.float64).reshape(-1, 3).T
    return values, low, high


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def over_epochs(result: Correlation, target: str) -> LineGrid | None:
    """Return Kendall's τ of every measure by epochs of training, with its interval; ``None`` if nothing was trained.

    In every panel stands what the training itself has come to, which a score after training has to beat.

    Args:
        result: The result.
        target: The target.

    Returns:
        The figure.
    """
    all_curves = curves(result, target, gains=False)
    trained = [curve for curve in all_curves if curve.measure in TRAINING]
    baselines = [_line(curve, curve.measure) for curve in trained if curve.measure == SHOWN_BASELINE]
    panels = [
        LinePanel(curve.name, [_line(curve, "the measure"), *(replace(line, muted=True) for line in baselines)], 0.0)
        for curve in all_curves
        if curve.measure not in TRAINING
    ]
    panels += [LinePanel(curve.name, [_line(curve, "the measure")], 0.0) for curve in trained]
    if not panels:
        return None
    words = target_in_words(target, result.targets[target].quantity)
    title = heading(result, f"Scores while networks train against {words}")
    return LineGrid(title, "epochs of training", KENDALL, panels, "symlog", setting=setting_of(result))


def _line(curve: Curve, name: str) -> Line:
    epochs = np.array([point.epoch for point in curve.points], np.float64)
    return Line(name, epochs, *_values_and_ends([point.row.kendall for point in curve.points]))
