"""The figures of ``ntknas track-kernel``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ntknas.report.figures import KernelStrip, Line, LineGrid, LinePanel
from ntknas.tracking.bins import POSITIVE
from ntknas.tracking.track import Track

QUANTITIES = {
    "kernel_correlation": "kernel correlation with K_0",
    "kernel_cosine": "kernel cosine with K_0",
    "kernel_cka": "CKA with K_0",
    "relative_difference": "‖K_t − K_0‖ / ‖K_0‖",
    "kernel_correlation/previous": "kernel correlation with the record before",
    "relative_difference/previous": "relative difference to the record before",
    "relative_difference_entrywise": "entrywise difference (Mok et al.)",
    "parameter_change": "‖θ_t − θ_0‖ / ‖θ_0‖",
    "train_loss": "training loss",
    "train_accuracy": "training accuracy (%)",
    "valid_accuracy": "accuracy on test images (%)",
}
"""What is drawn, and its heading."""
_MOMENTS = 8


def by_bin(averages: pd.DataFrame, steps_an_epoch: int, title: str) -> LineGrid:
    """Averages over the cells of each bin with their intervals; one panel a quantity.

    Args:
        averages: As from ``ntknas.tracking.bins.averages``.
        steps_an_epoch: Steps of an epoch.
        title: Heading.
    """
    panels = []
    for quantity, heading in QUANTITIES.items():
        rows = averages[averages["quantity"] == quantity]
        groups = rows.groupby("bin", sort=False, observed=True)
        lines = [_average(str(name), each.sort_values("step"), steps_an_epoch) for name, each in groups]
        if lines:
            panels.append(LinePanel(heading, lines, y_scale="log" if quantity in POSITIVE else "linear"))
    return LineGrid(title, "epochs of training", "", panels, share_y=False)


def _average(name: str, rows: pd.DataFrame, steps_an_epoch: int) -> Line:
    columns = (rows[key].to_numpy(float) for key in ("mean", "low", "high"))
    return Line(name, rows["step"].to_numpy() / steps_an_epoch, *columns)


def by_cell(tracks: Sequence[Track], bins: dict[int, str], steps_an_epoch: int, title: str) -> LineGrid:
    """Every track as a line in the colour of its bin; one panel a quantity."""
    panels = []
    for quantity, heading in QUANTITIES.items():
        series = [(bins[track.cell], _drawn(track, quantity)) for track in tracks]
        lines = [
            Line(name, values.index.to_numpy() / steps_an_epoch, values.to_numpy())
            for name, values in series
            if len(values)
        ]
        if lines:
            panels.append(LinePanel(heading, lines, y_scale="log" if quantity in POSITIVE else "linear"))
    return LineGrid(title, "epochs of training", "", panels, share_y=False)


def _drawn(track: Track, quantity: str) -> pd.Series:
    """A quantity by step, without the zeros that a logarithmic axis cannot show."""
    values = track.series(quantity)
    return values[values > 0] if quantity in POSITIVE else values


def spectra(tracks: Sequence[Track], bins: dict[int, str], steps_an_epoch: int, title: str) -> LineGrid:
    """Eigenvalues over the epochs, λ_1, λ_2, λ_4, …, λ_n; one panel a track."""
    panels = []
    for track in tracks:
        size = track.spectra.shape[1]
        places = sorted({min(2**power, size) for power in range(size.bit_length() + 1)})
        x = track.steps / steps_an_epoch
        lines = [Line(f"λ_{place}", x, _positive(track.spectra[:, place - 1])) for place in places]
        panels.append(LinePanel(f"cell {track.cell} ({bins[track.cell]})", lines, y_scale="log"))
    return LineGrid(title, "epochs of training", "eigenvalue", panels)


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)


def strip(track: Track, steps_an_epoch: int, title: str) -> KernelStrip:
    """The kernel at up to eight moments, each divided by the mean of its diagonal.

    Raises:
        ValueError: If the track has no kernels.
    """
    if track.kernels is None or not len(track.kernels):
        raise ValueError("the track has no kernels")
    places = np.unique(np.linspace(0, len(track.steps) - 1, _MOMENTS).round().astype(int))
    matrices = [track.kernels[place] / np.diagonal(track.kernels[place]).mean() for place in places]
    names = [f"epoch {track.steps[place] / steps_an_epoch:.3g}" for place in places]
    labels = track.labels if len(track.labels) else None
    return KernelStrip(title, names, matrices, labels, "K / mean of its diagonal")
