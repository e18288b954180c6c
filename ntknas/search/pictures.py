"""The pictures of a comparison, as files."""

from __future__ import annotations

from pathlib import Path

from ntknas.report.figures import LineGrid
from ntknas.report.look import DEFAULT, Look
from ntknas.report.plotter import draw_all
from ntknas.search.comparison import SearchResult
from ntknas.search.figures import found_over, regret_over
from ntknas.search.protocol import Protocol
from ntknas.search.trace import SECONDS, TRAININGS


def draw_search(result: SearchResult, protocol: Protocol, folder: Path, look: Look = DEFAULT) -> list[Path]:
    """Draw what is found, and its regret, over trainings, and over seconds where these are known.

    Args:
        result: The searches.
        protocol: What stands beside.
        folder: Where the pictures go.
        look: How they look.

    Returns:
        The pictures.

    Raises:
        NtknasError: If the folder cannot be written.
    """
    axes = [TRAININGS, *([SECONDS] if result.problem.objective.has_seconds else [])]
    figures: dict[str, LineGrid] = {}
    for axis in axes:
        figures[f"search-{axis}"] = found_over(result, protocol, axis)
        figures[f"search-regret-{axis}"] = regret_over(result, protocol, axis)
    return draw_all(figures, folder, look)
