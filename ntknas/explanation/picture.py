"""The portrait of what is said of a cell or a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ntknas.explanation.neighbours import Neighbour, choice_names, place_names
from ntknas.explanation.result import Explanation
from ntknas.explanation.shares import Shares, by_block, of_part
from ntknas.explanation.standing import Array, Standing
from ntknas.report.figures import Line
from ntknas.report.portrait import ChangeMap, Dot, DrawnCell, Portrait, ShareBars
from ntknas.spaces import load_space
from ntknas.spaces.neighbourhood import Positional

_SERIES = ("trace", "smallest eigenvalue", "largest eigenvalue")
_MAX_TEXT = 110


def portrait_of(explanation: Explanation) -> Portrait:
    """Return the portrait of an explanation.

    Args:
        explanation: The explanation.

    Returns:
        The specification, for ``ntknas.report.plotter``.
    """
    text = explanation.text if len(explanation.text) <= _MAX_TEXT else f"{explanation.text[: _MAX_TEXT - 1]}…"
    own = explanation.spectra and not explanation.spectra[0].is_published
    threshold = explanation.kernel.singular_below if own else None
    smallest = min((float(spectrum.values[-1]) for spectrum in explanation.spectra), default=0.0)
    return Portrait(
        title=explanation.heading,
        text=text,
        note=_note(explanation),
        cell=_drawn(explanation),
        dots=_dots(explanation),
        dots_title="place among all cells",
        shares=_bars(explanation),
        spectra_title="spectrum, computed here" if own else "published spectra",
        spectra=_lines(explanation),
        threshold=threshold if threshold is not None and smallest < 1e3 * threshold else None,
        changes=_changes(explanation),
    )


def _note(explanation: Explanation) -> str:
    published = f"Published scores: {explanation.published}." if explanation.published else ""
    return f"Computed here: {explanation.setting}. {published}".strip()


def _drawn(explanation: Explanation) -> DrawnCell | None:
    drawing = explanation.drawing
    if drawing is None:
        return None
    notes = {part: _share_note(of_part(explanation.layers, part)) for part in ("", *drawing.parts)}
    nodes = [notes[node.part] if node.is_live else "" for node in drawing.nodes]
    edges = [notes[edge.part] if edge.is_live else "" for edge in drawing.edges]
    return DrawnCell(drawing, nodes, edges)


def _share_note(shares: Shares | None) -> str:
    if shares is None:
        return ""
    smallest = "" if shares.smallest is None else f"\nλmin {100 * shares.smallest:.0f} %"
    return f"trace {100 * shares.trace:.0f} %{smallest}"


def _dots(explanation: Explanation) -> list[Dot]:
    kinds = [
        ("accuracy", [*explanation.accuracies]),
        ("count", [count for count in explanation.counts if count.name in _COUNTS]),
        ("measure", [row.published for row in explanation.measures if row.published is not None]),
    ]
    return [
        Dot(_named(standing), standing.percentile, _value(standing), kind)
        for kind, standings in kinds
        for standing in standings
        if standing.percentile is not None and standing.name not in _TWINS
    ]


_COUNTS = ("parameters", "effective_parameters", "live_layers")
"""Counts that are shown: FLOPs tell hardly anything else."""
_TWINS = ("neg_cond",)
"""Measures that are another one's in the other direction."""


def _named(standing: Standing) -> str:
    return standing.name.replace("_", " ")


def _value(standing: Standing) -> str:
    value = standing.value or 0.0
    text = f"{value:,.0f}" if abs(value) >= 1e4 and float(value).is_integer() else f"{value:.4g}"
    return f"{text} {standing.unit}".rstrip()


def _bars(explanation: Explanation) -> ShareBars | None:
    blocks = by_block(explanation.layers)
    if not blocks:
        return None
    shares = list(blocks.values())
    rows = [
        [share.trace for share in shares],
        [np.nan if share.smallest is None else share.smallest for share in shares],
        [share.largest for share in shares],
    ]
    there = [number for number, row in enumerate(rows) if not np.isnan(row).all()]
    return ShareBars(list(blocks), [_SERIES[number] for number in there], np.array([rows[number] for number in there]))


def _lines(explanation: Explanation) -> list[Line]:
    lines = []
    for number, spectrum in enumerate(explanation.spectra):
        of = "" if spectrum.cell is None or number == 0 else f" ({spectrum.cell})"
        places = np.arange(1, len(spectrum.values) + 1, dtype=np.float64)
        lines.append(Line(f"{spectrum.name}{of}", places, spectrum.values, muted=number > 0))
    return lines


def _changes(explanation: Explanation) -> list[ChangeMap]:
    space = None if explanation.space is None else load_space(explanation.space)
    neighbours = explanation.neighbours
    if not neighbours or not isinstance(space, Positional) or explanation.cell is None:
        return []
    places, choices = place_names(space, explanation.cell), choice_names(space, explanation.cell)
    if any(names != choices[0] for names in choices) or any(each.change is None for each in neighbours):
        return []
    own = space.positions(space[explanation.cell])
    target = f"{explanation.accuracies[0].name}, {explanation.accuracies[0].unit}" if explanation.accuracies else ""
    wanted: list[tuple[str, Callable[[Neighbour], float | None], int]] = [
        (f"change of {target}".rstrip(", "), lambda each: each.accuracy_change, 1),
        (f"change of {explanation.score}'s percentile", lambda each: each.score_change, 0),
        ("change of parameters on paths, thousands", lambda each: each.effective_parameters / 1e3, 0),
    ]
    same = _map(neighbours, places, choices[0], lambda each: float(each.is_same)) == 1
    maps = [(title, _map(neighbours, places, choices[0], take), decimals) for title, take, decimals in wanted]
    return [
        ChangeMap(title, places, list(choices[0]), values, list(own), same, decimals)
        for title, values, decimals in maps
        if np.isfinite(values).any()
    ]


def _map(
    neighbours: Sequence[Neighbour],
    places: Sequence[str],
    choices: Sequence[str],
    take: Callable[[Neighbour], float | None],
) -> Array:
    values = np.full((len(places), len(choices)), np.nan)
    for neighbour in neighbours:
        value = take(neighbour)
        if neighbour.change is not None and value is not None:
            values[places.index(neighbour.change.place), list(choices).index(neighbour.change.after)] = value
    return values
