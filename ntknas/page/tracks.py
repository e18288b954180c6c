"""Sections of tracks: kernels of networks, followed while these were trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ntknas.core.score import Status
from ntknas.page.measured import compared
from ntknas.page.results import Lines, Results, Rows, Series
from ntknas.page.section import Section
from ntknas.tracking import track as tracks
from ntknas.tracking.quantities import POSITIVE, QUANTITIES
from ntknas.tracking.track import Track

_STEPS = "training_steps_an_epoch"
_MAX_SPECTRA = 12
_OWN = ("cell", "seed", "measures")


def track_section(paths: Sequence[Path]) -> Section:
    """Return the section of some tracks.

    Args:
        paths: Their files.

    Returns:
        The section.

    Raises:
        StoreError: If one is damaged.
    """
    read = [tracks.read(path) for path in paths]
    plain = [{name: value for name, value in track.identity.items() if name not in _OWN} for track in read]
    common, differing = compared(plain)
    recorded = [track for track in read if len(track.steps)]
    lines = [part for name, heading in QUANTITIES.items() for part in _lines(recorded, name, heading)]
    shown = recorded[:_MAX_SPECTRA]
    spectra = [_spectrum(track) for track in shown]
    spectra += [_alignment(track) for track in shown if track.alignments is not None]
    return Results(
        f"Kernels of {len(read)} training{'s' if len(read) != 1 else ''}",
        lead=f"Cells {', '.join(str(track.cell) for track in read)} of {common.get('space', 'several spaces')}.",
        parts=[*lines, *spectra, _table(read, differing)],
        fields={**common, **read[0].about},
        notes=_notes(read, recorded),
    ).section()


def _notes(read: Sequence[Track], recorded: Sequence[Track]) -> list[str]:
    ended = [f"Cell {track.cell}, seed {track.seed}: {track.status.value}, {track.reason}" for track in read]
    notes = [text for track, text in zip(read, ended, strict=True) if track.status is not Status.OK]
    if len(recorded) > _MAX_SPECTRA:
        notes.append(f"Spectra of the first {_MAX_SPECTRA} of {len(recorded)} tracks.")
    return notes


def _name(track: Track) -> str:
    return f"cell {track.cell}, seed {track.seed}"


def _time(track: Track) -> tuple[str, int]:
    """Return what is counted, and how many steps it has."""
    steps = track.identity.get(_STEPS)
    return ("epochs of training", steps) if isinstance(steps, int) and steps > 0 else ("steps", 1)


def _lines(recorded: Sequence[Track], quantity: str, heading: str) -> list[Lines]:
    """Return the plot of a quantity; none where no track has it."""
    series = []
    for track in recorded:
        values = track.series(quantity).dropna()
        if quantity in POSITIVE:
            values = values[values > 0]
        if len(values):
            series.append(Series(_name(track), values.index.to_numpy() / _time(track)[1], values.to_numpy()))
    return [Lines(heading, _time(recorded[0])[0], series, quantity in POSITIVE)] if series else []


def _spectrum(track: Track) -> Lines:
    size = track.spectra.shape[1]
    ranks = sorted({min(2**power, size) for power in range(size.bit_length() + 1)}) if size else []
    unit, steps = _time(track)
    positive = np.where(track.spectra > 0, track.spectra, np.nan)
    series = [Series(f"λ_{rank}", track.steps / steps, positive[:, rank - 1]) for rank in ranks]
    return Lines(f"Eigenvalues, {_name(track)}", unit, series, is_log=True)


def _alignment(track: Track) -> Lines:
    """Return the plot of the cumulative alignment at the first and the last record."""
    assert track.alignments is not None
    unit, steps = _time(track)
    ends = dict.fromkeys((0, len(track.alignments) - 1))
    series = [
        Series(
            f"{track.steps[record] / steps:.3g} {unit}",
            np.arange(1, track.alignments.shape[1] + 1),
            track.alignments[record].cumsum(),
        )
        for record in ends
    ]
    return Lines(f"Share of the labels on the first k eigenvectors, {_name(track)}", "k", series)


def _table(read: Sequence[Track], differing: Sequence[dict[str, object]]) -> Rows:
    names = list(differing[0]) if differing else []
    rows = [
        [track.cell, track.seed, track.status.value, len(track.steps), *(str(own[name]) for name in names)]
        for track, own in zip(read, differing, strict=True)
    ]
    return Rows("Tracks", ["cell", "seed", "status", "records", *names], rows)
