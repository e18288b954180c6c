"""The pictures of a result, as files."""

from __future__ import annotations

from pathlib import Path

from ntknas.correlation import Correlation, Overview
from ntknas.correlation.trade_off import TradeOffs
from ntknas.report import correlation_figures as figures
from ntknas.report import front_figures, scatter_figures, search_figures
from ntknas.report.figures import Figure
from ntknas.report.look import DEFAULT, Look
from ntknas.report.overview_figures import over_targets
from ntknas.report.plotter import draw, draw_all


def draw_correlation(result: Correlation, folder: Path, look: Look = DEFAULT) -> list[Path]:
    """Draw the bars, and for each target the points, the best of k and, of trained networks, curves over the epochs.

    Args:
        result: The result.
        folder: Where the pictures go.
        look: How they look.

    Returns:
        The pictures.

    Raises:
        NtknasError: If the folder cannot be written.
    """
    specifications: dict[str, Figure] = {"correlations": figures.bars(result)}
    specifications |= {f"scatter-{_file(target)}": scatter_figures.scatter(result, target) for target in result.targets}
    for target in result.targets:
        best_of_k = search_figures.best_of_k(result, target)
        if best_of_k:
            specifications[f"best-of-k-{_file(target)}"] = best_of_k
        over_epochs = figures.over_epochs(result, target)
        if over_epochs:
            specifications[f"epochs-{_file(target)}"] = over_epochs
    return draw_all(specifications, folder, look)


def draw_trade_offs(result: TradeOffs, folder: Path, look: Look = DEFAULT) -> list[Path]:
    """Draw the true front and those that scores choose, a picture for each stand-in.

    Args:
        result: The result.
        folder: Where the pictures go.
        look: How they look.

    Returns:
        The pictures.

    Raises:
        NtknasError: If the folder cannot be written.
    """
    stand_ins = dict.fromkeys(row.stand_in for row in result.rows)
    return draw_all({f"fronts-{_file(name)}": front_figures.fronts(result, name) for name in stand_ins}, folder, look)


def draw_overview(result: Overview, statistic: str, folder: Path, look: Look = DEFAULT) -> Path:
    """Draw one statistic of every measure with every target.

    Args:
        result: The result.
        statistic: ``kendall``, ``spearman`` or ``partial``.
        folder: Where the picture goes.
        look: How it looks.

    Returns:
        The picture.

    Raises:
        NtknasError: If the folder cannot be written.
    """
    return draw(over_targets(result, statistic), folder / f"targets-{statistic}{look.suffix}", look)


def _file(target: str) -> str:
    return target.replace("/", "-").replace(":", "-")
