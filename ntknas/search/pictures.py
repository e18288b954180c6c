"""The pictures of a comparison, as files."""

from __future__ import annotations

from pathlib import Path

from ntknas.report.plotter import draw
from ntknas.search.comparison import SearchResult
from ntknas.search.figures import found_over, regret_over
from ntknas.search.protocol import Protocol
from ntknas.search.trace import SECONDS, TRAININGS


def draw_search(result: SearchResult, protocol: Protocol, folder: Path) -> list[Path]:
    """Draw what is found, and its regret, over trainings, and over seconds where these are known.

    Args:
        result: The searches.
        protocol: What stands beside.
        folder: Where the pictures go.

    Returns:
        The pictures.

    Raises:
        NtknasError: If the folder cannot be written.
    """
    axes = [TRAININGS, *([SECONDS] if result.problem.objective.has_seconds else [])]
    drawn = []
    for axis in axes:
        drawn.append(draw(found_over(result, protocol, axis), folder / f"search-{axis}.png"))
        drawn.append(draw(regret_over(result, protocol, axis), folder / f"search-regret-{axis}.png"))
    return drawn
