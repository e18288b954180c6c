"""The figures of ``ntknas track-kernel``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ntknas.report.alignment_figures import alignments
from ntknas.report.figures import Figure, KernelStrip, Line, LineGrid, LinePanel
from ntknas.report.text import Formula
from ntknas.tracking.quantities import POSITIVE, QUANTITIES
from ntknas.tracking.track import Track

EPOCHS = "epochs of training"
_MAX_MOMENTS = 8
_MAX_BINS = 4
"""Bins whose panels stand side by side, at the most."""
_MARGIN = 0.05
"""Share of an axis that stays empty at its ends."""
_FORMULAS = {
    "kernel_correlation": Formula("kernel correlation with $K_0$"),
    "kernel_cosine": Formula("kernel cosine with $K_0$"),
    "kernel_cka": Formula("CKA with $K_0$"),
    "relative_difference": Formula(r"$\Vert K_t-K_0\Vert\ /\ \Vert K_0\Vert$"),
    "parameter_change": Formula(r"$\Vert\theta_t-\theta_0\Vert\ /\ \Vert\theta_0\Vert$"),
}
"""Quantities whose names hold symbols."""


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
    for quantity in QUANTITIES:
        rows = averages[averages["quantity"] == quantity]
        groups = rows.groupby("bin", sort=False, observed=True)
        lines = [_average(str(name), group.sort_values("step"), steps_per_epoch) for name, group in groups]
        if lines:
            panels.append(LinePanel("", lines, y_scale=_scale(quantity), y_label=quantity_in_words(quantity)))
    return LineGrid(title, EPOCHS, "", panels, share_y=False, ordered=True)


def quantity_in_words(quantity: str) -> str:
    """Return what a quantity is called beside an axis, its formula set as such."""
    return _FORMULAS.get(quantity, QUANTITIES[quantity])


def _scale(quantity: str) -> str:
    return "log" if quantity in POSITIVE else "linear"


def _average(name: str, rows: pd.DataFrame, steps_per_epoch: int) -> Line:
    columns = (rows[key].to_numpy(float) for key in ("mean", "low", "high"))
    return Line(name, rows["step"].to_numpy() / steps_per_epoch, *columns)


def by_cell(tracks: Sequence[Track], bins: Mapping[int, str], steps_per_epoch: int, title: str) -> LineGrid:
    """Draw every track: a row of panels per quantity, one for each bin, whose cells stand before those of the others.

    Args:
        tracks: The tracks.
        bins: Name of the bin of every cell.
        steps_per_epoch: Steps of an epoch.
        title: Heading.

    Returns:
        The figure's specification.
    """
    names = list(dict.fromkeys(bins[track.cell] for track in tracks))
    panels = []
    for quantity in QUANTITIES:
        series = [(bins[track.cell], _drawn(track, quantity)) for track in tracks]
        lines = [(name, _line(values, steps_per_epoch)) for name, values in series if len(values)]
        if lines:
            label = quantity_in_words(quantity)
            panels += [_of_bin(name, lines, quantity, label if name == names[0] else "") for name in names]
    return LineGrid(title, EPOCHS, "", panels, share_y=False, columns=len(names) if len(names) <= _MAX_BINS else None)


def _line(values: pd.Series, steps_per_epoch: int) -> Line:
    return Line("", values.index.to_numpy() / steps_per_epoch, values.to_numpy())


def _of_bin(name: str, lines: Sequence[tuple[str, Line]], quantity: str, y_label: str) -> LinePanel:
    """Return the panel of a bin: its cells in colour before the others, all on the axis of the quantity."""
    others = [replace(line, name="cells of other bins", behind=True) for bin_, line in lines if bin_ != name]
    own = [replace(line, name="cells of the bin") for bin_, line in lines if bin_ == name]
    return LinePanel(
        f"accuracy {name}" if "%" in name else name,
        [*others, *own],
        y_scale=_scale(quantity),
        y_label=y_label,
        limits=_limits(lines, quantity),
    )


def _limits(lines: Sequence[tuple[str, Line]], quantity: str) -> tuple[float, float] | None:
    """Return the ends of a quantity's axis, the same in the panels of all bins."""
    values = np.concatenate([line.y[np.isfinite(line.y)] for _, line in lines])
    if not len(values) or values.min() == values.max():
        return None
    low, high = float(values.min()), float(values.max())
    if quantity in POSITIVE:
        factor = (high / low) ** _MARGIN
        return low / factor, high * factor
    return low - _MARGIN * (high - low), high + _MARGIN * (high - low)


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
        lines = [Line(_eigenvalue(rank), x, _positive(track.spectra[:, rank - 1])) for rank in ranks]
        panels.append(LinePanel(f"cell {track.cell} ({bins[track.cell]})", lines, y_scale="log"))
    return LineGrid(title, EPOCHS, Formula(r"eigenvalue $\lambda_k$"), panels, ordered=True)


def _eigenvalue(rank: int) -> Formula:
    return Formula(rf"$\lambda_{{{rank}}}$")


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
    tracks: Sequence[Track],
    averages: pd.DataFrame,
    bins: Mapping[int, str],
    steps_per_epoch: int,
    title: str,
    setting: str = "",
) -> dict[str, Figure]:
    """Draw the averages, every track, spectra, labels along eigenvectors, and the kernels where tracks have them.

    Args:
        tracks: The tracks.
        averages: As from ``ntknas.tracking.bins.averages``.
        bins: Name of the bin of every cell.
        steps_per_epoch: Steps of an epoch.
        title: What was followed.
        setting: With what it was measured, in words.

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
    aligned = alignments(recorded, bins, steps_per_epoch, f"Labels along the eigenvectors while training: {title}")
    figures |= {} if aligned is None else {"label-alignment": aligned}
    for track in recorded:
        if track.kernels is not None:
            heading = f"cell {track.cell} ({bins[track.cell]}), seed {track.seed}"
            figures[f"kernel-{track.cell}-seed-{track.seed}"] = strip(track, steps_per_epoch, heading)
    return {name: replace(figure, setting=_with_intervals(name, setting)) for name, figure in figures.items()}


def _with_intervals(name: str, setting: str) -> str:
    """Return what stands under a figure: of averages also what their bands are."""
    bands = "Bands: 95 % intervals of the mean over the cells of a bin, within the quantity's range."
    return " ".join(filter(None, [setting, bands if name == "drift-by-bin" else ""]))
