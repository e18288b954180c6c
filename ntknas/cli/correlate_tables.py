"""The tables of ``ntknas correlate``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ntknas.cli.correlate_legend import covered, estimate_text, fixed
from ntknas.cli.output import print_table, say
from ntknas.correlation.row import CELLS, SETTING
from ntknas.spaces.populations import POPULATIONS

if TYPE_CHECKING:
    from ntknas.correlation import Correlation, Curve, Row, TargetSummary


def print_result(result: Correlation) -> None:
    """Print one table for each target and epoch, and of trained networks τ by epoch."""
    for target, summary in result.targets.items():
        _print_target(result, target, summary)
    say("\n".join([_legend(result), _held_fixed(result), covered(result.rows), *_remarks(result)]))
    seconds = [row.seconds_per_cell for row in result.rows if row.seconds_per_cell]
    if seconds:
        fastest, slowest = f"{min(seconds):.2f}", f"{max(seconds):.2f}"
        span = fastest if fastest == slowest else f"{fastest} to {slowest}"
        say(f"Scoring took {span} s per cell and kernel (median over cells).")


def _print_target(result: Correlation, target: str, summary: TargetSummary) -> None:
    from ntknas.report.words import settings_in_words

    rows = result.of_target(target)
    kernels = _kernels(rows)
    is_one_kernel = len({kernel for kernel in kernels if "label/" not in kernel}) < 2
    say(f"{target}  ({_noise(summary)})")
    if not summary.quantity.is_accuracy or summary.measurements is not None:
        say(_meaning(summary))
    say(_population(rows))
    if is_one_kernel and kernels:
        say(f"kernel (output/batch norm/parameters): {' and '.join(kernels)}")
    if measured := [result.settings[row.setting] for row in rows if row.setting in result.settings]:
        say(f"measured with: {settings_in_words(measured)}")
    first = max((number for row in rows for number, value in row.ndcg.items() if value is not None), default=None)
    header = [*_HEADER[:1], *(["kernel"] * (not is_one_kernel)), *_HEADER[1:], *_first_names(first)]
    shared = {row.measure for row in rows if row.setting != SETTING}
    are_trained = any(row.epoch for row in rows)
    for epoch in sorted({row.epoch for row in rows}):
        title = (f"after {epoch} epoch(s) of training" if epoch else "at initialisation") if are_trained else ""
        cells = [_cells(row, first, shared, with_kernel=not is_one_kernel) for row in rows if row.epoch == epoch]
        least = [*_first_names(first)[::-1], *_LEAST]
        print_table(title, header, cells, left=1 if is_one_kernel else 2, least=least, keep=_KEEP)
        say()
    if are_trained:
        _print_curves(result, target)


def _meaning(summary: TargetSummary) -> str:
    """Say what a target is that is no accuracy of each cell, and what a positive τ means."""
    parts = [str(summary.quantity)]
    if not summary.quantity.higher_is_better:
        parts.append("a positive τ says that a better score goes with a lower value")
    if summary.measurements is not None:
        parts.append(f"{summary.cells_with_accuracy} cells share {summary.measurements} measurements")
    return "; ".join(parts)


def _population(rows: Sequence[Row]) -> str:
    """Say which cells a table is about: the population, and how many of it were scored."""
    largest = max(rows, key=lambda row: row.n)
    rule = POPULATIONS[largest.population]
    cells = f"{largest.n} cells" + (f" in {largest.networks} networks" if largest.networks is not None else "")
    chosen = "" if largest.chosen_cells is None else f", of {largest.chosen_cells} that were chosen"
    return f"population {largest.population} ({rule}): {cells}{chosen}"


def _kernels(rows: Sequence[Row]) -> list[str]:
    """Return the names of the kernels that measures were taken of."""
    from ntknas.measures import expand

    training = expand(["training"])
    return list(dict.fromkeys(row.kernel for row in rows if row.kernel and row.measure not in training))


def _print_curves(result: Correlation, target: str) -> None:
    """Print τ by epoch, and what training gained over initialisation."""
    from ntknas.correlation import curves

    all_curves = curves(result, target)
    steps = {point.epoch: point.steps for curve in all_curves for point in curve.points}
    epochs = sorted(steps)
    header = [f"epoch {epoch} ({steps[epoch]} steps)" for epoch in epochs]
    title = f"{target}: Kendall τ by epoch; gain of the last over initialisation, paired, p not corrected"
    rows = [_curve_cells(curve, epochs) for curve in all_curves]
    print_table(title, ["measure", *header, "gain [95 %]", "p"], rows, left=1, keep=["gain [95 %]"])
    say()


def _curve_cells(curve: Curve, epochs: Sequence[int]) -> list[str]:
    taus = {point.epoch: estimate_text(point.row.kendall) for point in curve.points}
    gain = curve.points[-1].gain
    cells = [curve.name, *(taus.get(epoch, "–") for epoch in epochs)]
    if gain is None:
        return [*cells, "–", "–"]
    return [*cells, f"{gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]", _p(gain.p, is_bound=gain.p_is_bound)]


_HEADER = (
    "measure",
    "cells",
    "left out",
    "Kendall τ [95 %]",
    "Spearman ρ",
    "top 10 %",
    "top 25 %",
    "partial τ [95 %]",
    "regret",
)
_LEAST = ("regret", "Spearman ρ", "top 25 %", "top 10 %", "left out")
"""Columns to leave out first where the terminal is narrow."""
_KEEP = ("kernel", "Kendall τ [95 %]")
"""Columns that stay: without them a row says nothing."""
_LEGEND = """\
Higher is better in every column but regret. [95 %]: bootstrap, from 10 cells on (standard errors beyond 1,000).
top: τ among the most accurate cells, from 10 on. regret: accuracy that the best-scored cell lacks.
weighted τ: pairs count by their places. nDCG@P: of the first P cells, accuracies in percent;
best of 10: expected best accuracy among the 10 best-scored cells.
Noise ceiling: what the true accuracies would reach with this table; τ between training seeds: the table with itself."""


_LEGEND_OF_VALUES = """\
Higher is better in every column but regret. [95 %]: bootstrap, from 10 cells on (standard errors beyond 1,000).
top: τ among the best cells of the target, from 10 on. regret: what the best-scored cell lacks to the best, in the
target's unit. weighted τ: pairs count by their places. nDCG@P: of the first P cells, of accuracies in percent alone;
best of 10: expected best value among the 10 best-scored cells, in the target's unit and direction."""
"""The same where a target is no accuracy."""


def _legend(result: Correlation) -> str:
    """Say what the columns are, in the words of the targets."""
    if all(summary.quantity.is_some_accuracy for summary in result.targets.values()):
        return _LEGEND
    noise = "\n" + _LEGEND.splitlines()[-1] if any(summary.ceiling for summary in result.targets.values()) else ""
    return _LEGEND_OF_VALUES + noise


def _first_names(first: int | None) -> list[str]:
    """Return the names of the columns of what a score puts first; without nDCG where none has it."""
    return ["weighted τ", *([f"nDCG@{first}"] if first else []), "best of 10"]


def _cells(row: Row, first: int | None, shared: Collection[str], *, with_kernel: bool) -> list[str]:
    kernel = [row.kernel or row.recipe] if with_kernel else []
    name = f"{row.measure} (yours)" if row.setting == SETTING and row.measure in shared else row.measure
    ndcg = [fixed(row.ndcg.get(first))] if first else []
    of_first = [fixed(row.weighted_kendall), *ndcg, fixed(row.best_of.get(10))]
    coefficients = [estimate_text(row.kendall), fixed(row.spearman.value)]
    tops = [fixed(row.kendall_top10.value), fixed(row.kendall_top25.value)]
    name += "*" * bool(row.fitted)
    numbers = [*coefficients, *tops, estimate_text(row.partial), fixed(row.regret)]
    return [name, *kernel, str(row.n), _left_out(row), *numbers, *of_first]


def _left_out(row: Row) -> str:
    left_out = [f"{count} {status}" for status, count in row.left_out.items()]
    placed = [f"{count} {status} (placed last)" for status, count in row.placed_last.items()]
    return ", ".join([*left_out, *placed]) or "0"


def _remarks(result: Correlation) -> list[str]:
    """Say of scores that were fitted what was, and what placing last means."""
    fitted = {row.measure: row.fitted for row in result.rows if row.fitted}
    remarks = [f"* {name}: {what}." for name, what in fitted.items()]
    if remarks:
        remarks.append("  What was chosen on cells with known accuracies looks better on them than it is: take others.")
    return remarks


def _noise(summary: TargetSummary) -> str:
    agreement, ceiling = summary.seed_agreement, summary.ceiling
    if agreement is None or ceiling is None:
        runs = "training runs" if summary.quantity.is_some_accuracy else "measurements"
        return f"no noise figures: they need repeated {runs} of at least 10 cells"
    tops = [f"{text} {ceiling[key].value:.2f}" for key, text in _TOPS.items() if key in ceiling]
    limits = ", ".join([f"noise ceiling τ {ceiling['kendall'].value:.2f}", *tops])
    return f"τ between training seeds {agreement['kendall'].value:.2f}, {limits}"


_TOPS = {"kendall_top10": "top 10 %", "kendall_top25": "top 25 %"}


def _held_fixed(result: Correlation) -> str:
    """Say what partial correlations are given, and what they cannot be given."""
    from ntknas.correlation.partial import CONSTANT

    givens = list(dict.fromkeys(row.partial_given for row in result.rows if row.partial_given))
    dropped = {item for row in result.rows for item in row.partial_dropped.items()}
    texts = [
        f"{name} is constant" if why == CONSTANT else f"{name} ranks these cells as {why} does"
        for name, why in sorted(dropped)
    ]
    given = " or ".join(" and ".join(names) for names in givens) or "nothing"
    return f"partial τ: given {given}{'; ' * bool(texts)}{', '.join(texts)}{' and is left out' * bool(texts)}."


def print_comparisons(result: Correlation, seed: int) -> None:
    """Print how each measure compares with the best one of a target."""
    from ntknas.correlation import comparisons

    for target in result.targets:
        pairs = comparisons(result, target, seed)
        best = max(pairs, key=lambda pair: pair.difference).first if pairs else None
        rows = [
            [
                pair.second,
                f"{pair.difference:.3f} [{pair.low:.3f}, {pair.high:.3f}]",
                _p(pair.p, is_bound=pair.p_is_bound),
                _p(pair.p_holm, is_bound=pair.p_holm_is_bound),
            ]
            for pair in sorted(pairs, key=lambda pair: pair.difference)
            if pair.first == best
        ]
        if rows:
            title = f"{target}: τ of {best} less that of ({pairs[0].n} cells that all measures have; p corrected by"
            title += f" Holm for {len(pairs)} pairs)"
            header = ["measure", "difference [95 %]", "p", "p corrected"]
            print_table(title, header, rows, left=1, keep=header[1:2])
            over = next((row.resampled for row in result.of_target(target) if row.resampled != CELLS), CELLS)
            say(f"Over {over}: what other initialisations would change is not in these tests.")
        _say_few_shared(result, target)
        say()


def _say_few_shared(result: Correlation, target: str) -> None:
    """Point at measures that leave few cells to test on."""
    from ntknas.correlation.bootstrap import MIN_CELLS
    from ntknas.correlation.paired import shared_cells

    shared, most = len(shared_cells(result, target)), max(row.n for row in result.of_target(target))
    if shared < MIN_CELLS:
        say(f"{target}: no tests: all measures together have {shared} cells, and {MIN_CELLS} are needed.")
    if shared < most / 2:
        say(f"Some measures have few of the {most:,} cells: --measures leaves them out.")


def _p(p: float, *, is_bound: bool) -> str:
    """A p-value, or what it is no larger than."""
    return f"{'≤ ' if is_bound else ''}{p:.3g}"
