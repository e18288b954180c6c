"""The figures, each as a matplotlib ``Figure``: show it in a notebook, change it, or save it with ``savefig``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from ntknas.core.errors import check_known
from ntknas.core.kernel import Kernel
from ntknas.correlation import Correlation, Overview, TradeOffs
from ntknas.report import correlation_figures, front_figures, overview_figures, scatter_figures, search_figures
from ntknas.report.figures import KernelView
from ntknas.report.plotter import render

if TYPE_CHECKING:
    from ntknas.scoring.following import FollowedCells

__all__ = ["best_of_k", "correlations", "fronts", "kernel", "over_epochs", "over_targets", "scatter", "tracks"]


def kernel(kernel: Kernel, title: str = "") -> Figure:
    """Draw a kernel as a heat map, in the order of its classes, beside its spectrum.

    Args:
        kernel: A kernel of one batch.
        title: Heading of the figure.

    Returns:
        The figure.

    Raises:
        KernelError: If the kernel holds entries that are not numbers.
    """
    return render(KernelView.of(kernel, title))


def correlations(result: Correlation) -> Figure:
    """Draw every measure's rank correlation with the accuracies, with its interval, by target and kernel."""
    return render(correlation_figures.bars(result))


def over_targets(overview: Overview, statistic: str = "kendall") -> Figure:
    """Draw every measure with every target as a heat map, like targets near one another.

    Args:
        overview: As from ``ntknas.correlation.over_targets``.
        statistic: ``kendall``, ``spearman`` or ``partial``.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such statistic.
    """
    return render(overview_figures.over_targets(overview, statistic))


def scatter(result: Correlation, target: str) -> Figure:
    """Draw scores against the accuracies of a target, a panel for each measure.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such target.
    """
    return render(scatter_figures.scatter(result, check_known("target", target, result.targets)))


def best_of_k(result: Correlation, target: str) -> Figure | None:
    """Draw the best accuracy among the first k cells by every measure, over k; ``None`` where no cell has a score.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such target.
    """
    lines = search_figures.best_of_k(result, check_known("target", target, result.targets))
    return None if lines is None else render(lines)


def over_epochs(result: Correlation, target: str) -> Figure | None:
    """Draw rank correlations over the epochs of training; ``None`` where no networks were trained.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such target.
    """
    lines = correlation_figures.over_epochs(result, check_known("target", target, result.targets))
    return None if lines is None else render(lines)


def fronts(result: TradeOffs, stand_in: str) -> Figure:
    """Draw what scores choose with a stand-in for the second target, beside the true front and random cells.

    Returns:
        The figure.

    Raises:
        ChoiceError: If there is no such stand-in.
    """
    stand_ins = dict.fromkeys(row.stand_in for row in result.rows)
    return render(front_figures.fronts(result, check_known("stand-in", stand_in, stand_ins)))


def tracks(followed: FollowedCells, title: str = "") -> dict[str, Figure]:
    """Draw how kernels moved while networks trained: averages by bin, every cell, spectra, and kept kernels.

    Args:
        followed: What ``ntknas.follow`` gave.
        title: What was followed.

    Returns:
        The figures by name; none where nothing was recorded.
    """
    from ntknas.report.tracking_figures import all_figures

    steps = followed.tracking.steps_per_epoch
    specifications = all_figures(followed.tracks, followed.averages(), followed.bins, steps, title)
    return {name: render(specification) for name, specification in specifications.items()}
