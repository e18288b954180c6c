"""The figures of ``ntknas track-kernel``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ntknas.report.figures import Figure, KernelStrip, Line, LineGrid, LinePanel
from ntknas.tracking.quantities import POSITIVE, QUANTITIES
from ntknas.tracking.track import Track

_MAX_MOMENTS = 8


def by_bin(averages: pd.DataFrame, steps_per_epoch: int, title: str) -> LineGrid:
    """Draw averages over the cells of each bin with their intervals; one panel per quantity.

    Args:
        averages: As from ``ntknas.tracking.bins.averages``.
        steps_per_epoch: Steps of an epoch.
        title: Heading.

    Returns:
        The figure's specification.
    """
    panels = []
    for quantity, heading in QUANTITIES.items():
        rows = averages[averages["quantity"] == quantity]
        groups = rows.groupby("bin", sort=False, observed=True)
        lines = [_average(str(name), group.sort_values("step"), steps_per_epoch) for name, group in groups]
        if lines:
            panels.append(LinePanel(heading, lines, y_scale="log" if quantity in POSITIVE else "linear"))
    return LineGrid(title, "epochs of training", "", panels, share_y=False)


def _average(name: str, rows: pd.DataFrame, steps_per_epoch: int) -> Line:
    columns = (rows[key].to_numpy(float) for key in ("mean", "low", "high"))
    return Line(name, rows["step"].to_numpy() / steps_per_epoch, *columns)


def by_cell(tracks: Sequence[Track], bins: Mapping[int, str], steps_per_epoch: int, title: str) -> LineGrid:
    """Draw every track as a line in the colour of its bin; one panel per quantity."""
    panels = []
    for quantity, heading in QUANTITIES.items():
        series = [(bins[track.cell], _drawn(track, quantity)) for track in tracks]
        lines = [
            Line(name, values.index.to_numpy() / steps_per_epoch, values.to_numpy())
            for name, values in series
            if len(values)
        ]
        if lines:
            panels.append(LinePanel(heading, lines, y_scale="log" if quantity in POSITIVE else "linear"))
    return LineGrid(title, "epochs of training", "", panels, share_y=False)


def _drawn(track: Track, quantity: str) -> pd.Series:
    """Return a quantity by step, without the zeros that a logarithmic axis cannot show."""
    values = track.series(quantity)
    return values[values > 0] if quantity in POSITIVE else values


def spectra(tracks: Sequence[Track], bins: Mapping[int, str], steps_per_epoch: int, title: str) -> LineGrid:
    """Draw eigenvalues over the epochs, λ_1, λ_2, λ_4, …, λ_n; one panel per track."""
    panels = []
    for track in tracks:
        size = track.spectra.shape[1]
        ranks = sorted({min(2**power, size) for power in range(size.bit_length() + 1)})
        x = track.steps / steps_per_epoch
        lines = [Line(f"λ_{rank}", x, _positive(track.spectra[:, rank - 1])) for rank in ranks]
        panels.append(LinePanel(f"cell {track.cell} ({bins[track.cell]})", lines, y_scale="log"))
    return LineGrid(title, "epochs of training", "eigenvalue", panels)


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)


def strip(track: Track, steps_per_epoch: int, title: str) -> KernelStrip:
    """Draw the kernel at up to eight moments, each divided by the mean of its diagonal.

    Args:
        track: The track, with its kernels.
        steps_per_epoch: Steps of an epoch.
        title: Heading.

    Returns:
        The figure's specification.

    Raises:
        ValueError: If the track has no kernels.
    """
    if track.kernels is None or not len(track.kernels):
        raise ValueError("the track has no kernels")
    records = np.unique(np.linspace(0, len(track.steps) - 1, _MAX_MOMENTS).round().astype(int))
    matrices = [track.kernels[record] / np.diagonal(track.kernels[record]).mean() for record in records]
    names = [f"epoch {track.steps[record] / steps_per_epoch:.3g}" for record in records]
    labels = track.labels if len(track.labels) else None
    return KernelStrip(title, names, matrices, labels, "K / mean of its diagonal")


def all_figures(
    tracks: Sequence[Track], averages: pd.DataFrame, bins: Mapping[int, str], steps_per_epoch: int, title: str
) -> dict[str, Figure]:
    """Draw the averages, every track, the spectra, and the kernels where tracks have them.

    Args:
        tracks: The tracks.
        averages: As from ``ntknas.tracking.bins.averages``.
        bins: Name of the bin of every cell.
        steps_per_epoch: Steps of an epoch.
        title: What was followed.

    Returns:
        The figures' specifications by name; none where nothing was recorded.
    """
    recorded = [track for track in tracks if len(track.steps)]
    if not recorded:
        return {}
    figures: dict[str, Figure] = {
        "drift-by-bin": by_bin(averages, steps_per_epoch, f"Kernel while training: {title}"),
        "drift-by-cell": by_cell(recorded, bins, steps_per_epoch, f"Kernel while training, each cell: {title}"),
        "spectrum": spectra(recorded, bins, steps_per_epoch, f"Spectrum while training: {title}"),
    }
    for track in recorded:
        if track.kernels is not None:
            heading = f"cell {track.cell} ({bins[track.cell]}), seed {track.seed}"
            figures[f"kernel-{track.cell}-seed-{track.seed}"] = strip(track, steps_per_epoch, heading)
    return figures
