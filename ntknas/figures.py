"""The figures, each as a matplotlib ``Figure``: show it in a notebook, change it, or save it with ``savefig``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.kernel import Kernel
from ntknas.correlation import Correlation, Overview, TradeOffs
from ntknas.report import correlation_figures, front_figures, overview_figures, scatter_figures, search_figures
from ntknas.report.figures import KernelView
from ntknas.report.look import Look
from ntknas.report.plotter import Specification, render

if TYPE_CHECKING:
    from ntknas.explanation import Explanation
    from ntknas.scoring.following import FollowedCells
    from ntknas.search import SearchResult
    from ntknas.studies.base import Findings
    from ntknas.tracking import Track

__all__ = [
    "best_of_k",
    "correlations",
    "explanation",
    "fronts",
    "kernel",
    "over_epochs",
    "over_targets",
    "scatter",
    "search",
    "study",
    "track",
    "tracks",
]
SCREEN = "screen"
_COLUMNS = 3
"""Panels of one network side by side."""


def _drawn(specification: Specification, style: str) -> Figure:
    return render(specification, Look(style=style).drawn)


def kernel(kernel: Kernel, title: str = "", style: str = SCREEN) -> Figure:
    """Draw a kernel as a heat map, in the order of its classes, beside its spectrum.

    Args:
        kernel: A kernel of one batch.
        title: Heading of the figure.
        style: ``screen`` or ``paper``, here and in all other figures.

    Returns:
        The figure.

    Raises:
        KernelError: If the kernel is one between two batches, or holds entries that are not numbers.
    """
    kernel.require_symmetric("A picture")
    return _drawn(KernelView.of(kernel, title), style)


def correlations(result: Correlation, style: str = SCREEN) -> Figure:
    """Draw every measure's rank correlation with the accuracies, with its interval, by target and kernel."""
    return _drawn(correlation_figures.bars(result), style)


def over_targets(overview: Overview, statistic: str = "kendall", style: str = SCREEN) -> Figure:
    """Draw every measure with every target as a heat map, like targets near one another.

    Args:
        overview: As from ``ntknas.correlation.over_targets``.
        statistic: ``kendall``, ``spearman`` or ``partial``.
        style: As of ``kernel``.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such statistic.
    """
    return _drawn(overview_figures.over_targets(overview, statistic), style)


def scatter(result: Correlation, target: str, style: str = SCREEN) -> Figure:
    """Draw scores against the accuracies of a target, a panel for each measure.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such target.
    """
    return _drawn(scatter_figures.scatter(result, check_known("target", target, result.targets)), style)


def best_of_k(result: Correlation, target: str, style: str = SCREEN) -> Figure | None:
    """Draw the best accuracy among the first k cells by every measure, over k; ``None`` where no cell has a score.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such target.
    """
    lines = search_figures.best_of_k(result, check_known("target", target, result.targets))
    return None if lines is None else _drawn(lines, style)


def over_epochs(result: Correlation, target: str, style: str = SCREEN) -> Figure | None:
    """Draw rank correlations over the epochs of training; ``None`` where no networks were trained.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such target.
    """
    lines = correlation_figures.over_epochs(result, check_known("target", target, result.targets))
    return None if lines is None else _drawn(lines, style)


def fronts(result: TradeOffs, stand_in: str, style: str = SCREEN) -> Figure:
    """Draw what scores choose with a stand-in for the second target, beside the true front and random cells.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such stand-in.
    """
    stand_ins = dict.fromkeys(row.stand_in for row in result.rows)
    return _drawn(front_figures.fronts(result, check_known("stand-in", stand_in, stand_ins)), style)


def tracks(followed: FollowedCells, title: str = "", style: str = SCREEN) -> dict[str, Figure]:
    """Draw how kernels moved while networks trained: averages by bin, every cell, spectra, and kept kernels.

    Args:
        followed: What ``ntknas.follow`` gave.
        title: What was followed.
        style: As of ``kernel``.

    Returns:
        The figures by name; none where nothing was recorded.
    """
    from ntknas.report.tracking_figures import all_figures

    steps = followed.tracking.steps_per_epoch
    specifications = all_figures(followed.tracks, followed.averages(), followed.bins, steps, title)
    return {name: _drawn(specification, style) for name, specification in specifications.items()}


def track(track: Track, style: str = SCREEN) -> Figure:
    """Draw how one network's kernel moved over the steps of its training; its spectrum where no drift was recorded.

    Returns:
        The figure.

    Raises:
        ChoiceError: If nothing was recorded.
    """
    from ntknas.report.tracking_figures import by_cell, spectra

    if not len(track.steps):
        raise ChoiceError(f"Nothing was recorded of this network ({track.status}): there is nothing to draw.")
    name = f"cell {track.cell}, seed {track.seed}"
    of_one = [track], {track.cell: ""}, 1
    drifts = by_cell(*of_one, f"Kernel while training: {name}")
    grid = drifts if drifts.panels else spectra(*of_one, f"Spectrum while training: {name}")
    return _drawn(replace(grid, x_label="steps of training", columns=min(len(grid.panels), _COLUMNS)), style)


def search(result: SearchResult, axis: str = "trainings", style: str = SCREEN) -> Figure:
    """Draw what every strategy finds over what it spends: median and quartiles over its searches.

    Args:
        result: As from ``ntknas.search.search``.
        axis: ``trainings`` or ``seconds``.
        style: As of ``kernel``.

    Returns:
        The figure.

    Raises:
        ChoiceError: If trainings have no seconds.
    """
    from ntknas.search.figures import found_over
    from ntknas.search.protocol import Protocol

    return _drawn(found_over(result, Protocol.of(result.problem.space), axis), style)


def explanation(explanation: Explanation, style: str = SCREEN) -> Figure:
    """Draw everything that is said of a cell, or of a network of one's own, on one page."""
    from ntknas.explanation.picture import portrait_of

    return _drawn(portrait_of(explanation), style)


def study(findings: Findings, name: str | None = None, style: str = SCREEN) -> Figure:
    """Draw a figure of a study.

    Args:
        findings: What it found.
        name: Name of the figure, one of ``findings.figures``; the first without one.
        style: As of ``kernel``.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such figure.
    """
    if not findings.figures:
        raise ChoiceError("These findings have no figure.")
    chosen = next(iter(findings.figures)) if name is None else check_known("figure", name, findings.figures)
    return _drawn(findings.figures[chosen], style)
