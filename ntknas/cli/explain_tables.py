"""What ``ntknas explain`` prints: tables of places, layers, eigenvalues and neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ntknas.cli.output import number, print_table, say
from ntknas.cli.wording import in_options

if TYPE_CHECKING:
    from ntknas.explanation import Explanation
    from ntknas.explanation.neighbours import Neighbour
    from ntknas.explanation.result import MeasureRow
    from ntknas.explanation.shares import LayerShare, Shares
    from ntknas.explanation.standing import Standing
    from ntknas.spaces.drawing import Drawing

_EIGENVALUES = (1, 2, 4, 8, 16, 32, 64, 128)
_FEW_LAYERS = 40


def print_explanation(explanation: Explanation) -> None:
    """Print everything that is said of a cell or a network."""
    say(f"{explanation.heading}: {explanation.text}" if explanation.text else explanation.heading)
    if explanation.is_disconnected:
        say("This cell has no path from input to output.")
    say(f"Computed here: {explanation.setting}.")
    if explanation.published:
        say(f"Places of measures: by published scores ({explanation.published}).")
    if explanation.drawing is not None:
        _print_drawing(explanation, explanation.drawing)
    _print_standings([*explanation.accuracies, *explanation.counts])
    _print_measures(explanation.measures)
    _print_layers(explanation)
    _print_spectra(explanation)
    _print_neighbours(explanation)
    for reason in explanation.left_out:
        say(f"Left out. {in_options(reason)}")


def _print_drawing(explanation: Explanation, drawing: Drawing) -> None:
    from ntknas.explanation.shares import of_part

    names = [node.name.replace("\n", ", ") for node in drawing.nodes]
    nodes = [(name, node.operation, node.is_live, node.part) for name, node in zip(names, drawing.nodes, strict=True)]
    edges = [(f"{names[e.source]} → {names[e.target]}", e.operation, e.is_live, e.part) for e in drawing.edges]
    parts = [part for part in (*nodes, *edges) if part[1]]
    if not parts:
        return
    rows = [
        [name, operation, "" if is_live else "dead", *_share_cells(of_part(explanation.layers, part))]
        for name, operation, is_live, part in parts
    ]
    print_table("\ndrawing", ["where", "operation", "on a path", *_SHARES], rows, left=3)


_SHARES = ("of the trace", "of λ_min", "of λ_max")


def _share_cells(shares: Shares | None) -> list[str]:
    if shares is None:
        return ["–", "–", "–"]
    return [_percent(shares.trace), _percent(shares.smallest), _percent(shares.largest)]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _print_standings(standings: Sequence[Standing]) -> None:
    if standings:
        rows = [[each.name, _value(each), *_place_cells(each)] for each in standings]
        print_table("\naccuracy and counts", ["", "value", *_PLACES], rows)


_PLACES = ("place", "of", "percentile")


def _value(standing: Standing) -> str:
    if standing.value is not None and standing.value.is_integer() and not standing.unit:
        return f"{standing.value:,.0f}"
    return f"{number(standing.value)} {standing.unit}".rstrip()


def _place_cells(standing: Standing | None) -> list[str]:
    if standing is None or standing.place is None:
        return ["–", "–", "–"]
    tied = f" ({standing.tied:,} equal)" if standing.tied else ""
    return [f"{standing.place:,}{tied}", f"{standing.of:,}", number(standing.percentile, 1)]


def _print_measures(measures: Iterable[MeasureRow]) -> None:
    rows = [
        [
            row.name,
            "higher" if row.higher_is_better else "lower",
            *(
                []
                if row.here is None
                else [number(row.here.value, 4) if row.here.value is not None else row.here.status]
            ),
            *(["–"] if row.here is None else []),
            number(None if row.published is None else row.published.value, 4),
            *_place_cells(row.published),
        ]
        for row in measures
    ]
    print_table("\nmeasures", ["measure", "better", "here", "published", *_PLACES], rows, left=2)


def _print_layers(explanation: Explanation) -> None:
    from ntknas.explanation.shares import by_block

    layers = explanation.layers
    if not layers:
        return
    blocks = by_block(layers)
    counts = {name: sum(layer.columns for layer in layers if layer.block == name) for name in blocks}
    rows = [
        [name, f"{counts[name]:,}", *_share_cells(shares), number(_mean_rank(layers, name), 1)]
        for name, shares in blocks.items()
    ]
    print_table("\nshares of the kernel", ["layers", "parameters", *_SHARES, "effective rank, mean"], rows)


def _mean_rank(layers: Sequence[LayerShare], block: str) -> float | None:
    """Return the mean effective rank of what the live layers of a block add."""
    ranks = [layer.effective_rank for layer in layers if layer.block == block and layer.effective_rank is not None]
    return sum(ranks) / len(ranks) if ranks else None


def _print_spectra(explanation: Explanation) -> None:
    spectra = explanation.spectra
    if not spectra:
        return
    sizes = [len(spectrum.values) for spectrum in spectra]
    places = [place for place in _EIGENVALUES if place <= max(sizes)]
    places += [max(sizes)] * (max(sizes) not in places)
    rows = [
        [
            spectrum.name if spectrum.cell is None else f"{spectrum.name} ({spectrum.cell})",
            *(number(float(spectrum.values[place - 1]), 4) if place <= size else "–" for place in places),
        ]
        for spectrum, size in zip(spectra, sizes, strict=True)
    ]
    origin = "published" if spectra[0].is_published else "computed here"
    print_table(f"\nspectrum, {origin}", ["", *(f"λ_{place}" for place in places)], rows)


def _print_neighbours(explanation: Explanation) -> None:
    if not explanation.neighbours:
        return
    unit = explanation.accuracies[0].unit if explanation.accuracies else ""
    header = ["cell", "where", "before", "after", "network", f"accuracy {unit}".strip(), "change"]
    header += [explanation.score or "score", "percentile by it", "parameters on paths"]
    rows = [_neighbour(each) for each in explanation.neighbours]
    print_table(f"\n{len(rows)} neighbours", header, rows, left=5, least=["network"])


def _neighbour(each: Neighbour) -> list[str]:
    change = each.change
    where = ["–", "–", "–"] if change is None else [change.place, change.before, change.after]
    return [
        str(each.cell),
        *where,
        "the same" if each.is_same else "",
        number(each.accuracy, 2),
        _signed(each.accuracy_change, 2),
        number(each.score, 4),
        _signed(each.score_change, 1),
        f"{each.effective_parameters:+,}",
    ]


def _signed(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:+.{digits}f}"
