"""How the labels lie along the eigenvectors of kernels while networks train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ntknas.report.figures import Line, LineGrid, LinePanel
from ntknas.report.text import Formula
from ntknas.tracking.track import Track

_MAX_MOMENTS = 5
_EVENLY = "evenly, k/n"


def alignments(tracks: Sequence[Track], bins: Mapping[int, str], steps_per_epoch: int, title: str) -> LineGrid | None:
    """Draw the cumulative alignment, Σ_{j≤k} a_j against k, at up to five moments; one panel per track.

    Beside it what labels in no particular direction have, k/n.

    Args:
        tracks: The tracks.
        bins: Name of the bin of every cell.
        steps_per_epoch: Steps of an epoch.
        title: Heading.

    Returns:
        The figure's specification; ``None`` if no track has alignments.
    """
    drawn = [(track, shares) for track in tracks if (shares := track.alignments) is not None and len(shares)]
    panels = [_panel(track, shares, bins[track.cell], steps_per_epoch) for track, shares in drawn]
    if not panels:
        return None
    y_label = Formula(r"cumulative alignment $\sum_{j\leq k}\,a_j$")
    return LineGrid(title, Formula("eigenvector $k$"), y_label, panels, x_scale="log", ordered=True)


def _panel(track: Track, shares: np.ndarray, bin_name: str, steps_per_epoch: int) -> LinePanel:
    records, size = shares.shape
    ranks = np.arange(1.0, size + 1)
    moments = np.unique(np.linspace(0, records - 1, _MAX_MOMENTS).round().astype(int))
    lines = [
        Line(f"epoch {track.steps[moment] / steps_per_epoch:.3g}", ranks, shares[moment].cumsum()) for moment in moments
    ]
    even = Line(_EVENLY, ranks, ranks / size, muted=True)
    return LinePanel(f"cell {track.cell} ({bin_name})", [*lines, even], limits=(0.0, 1.02))
