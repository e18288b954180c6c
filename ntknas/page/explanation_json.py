"""Sections of explanations: what ``ntknas explain`` printed as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ntknas.page.results import Lines, Results, Rows, Series, Sketch
from ntknas.spaces.drawing import Drawing, Edge, Node

Plain = Mapping[str, object]
_TABLES = {"layers": "Each layer’s share of the kernel", "neighbours": "Cells one step away"}
_MAX_PARTS = 1000
"""Nodes and edges that a drawing has at most."""


def is_explanation(content: Plain) -> bool:
    """Return whether an object is what ``ntknas explain`` prints."""
    return isinstance(content.get("heading"), str) and all(
        isinstance(content.get(name), list) for name in ("measures", "layers", "spectra")
    )


def explanation_results(
    content: Plain, table: Callable[[str, Sequence[Plain]], Rows], shown: Callable[[object], object]
) -> Results:
    """Return what a page shows of an explanation.

    Args:
        content: The object.
        table: Makes a table of objects.
        shown: Writes a value of any kind.

    Returns:
        The results.
    """
    drawing = _drawing(content.get("drawing"))
    sketch = [] if drawing is None else [Sketch("Drawing", drawing)]
    spectra = [series for entry in _objects(content, "spectra") for series in _spectrum(entry)]
    lines = [Lines("Eigenvalues of the kernel", "number of the eigenvalue", spectra, is_log=True)] if spectra else []
    places = [*_places(content, shown)]
    tables = [Rows("Places", ["", "here", "published", "place", "of", "percentile"], places)] if places else []
    tables += [table(title, rows) for name, title in _TABLES.items() if (rows := _objects(content, name))]
    left_out = content.get("left_out")
    return Results(
        str(content["heading"]),
        lead=str(content.get("setting") or ""),
        sentences=[text for text in (content.get("architecture"), content.get("published")) if isinstance(text, str)],
        parts=[*sketch, *lines, *tables],
        notes=[str(note) for note in left_out] if isinstance(left_out, list) else [],
    )


def _objects(content: Plain, name: str) -> list[Plain]:
    entries = content.get(name)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _spectrum(entry: Plain) -> Iterator[Series]:
    values = entry.get("values")
    if isinstance(values, list) and values and all(isinstance(value, int | float) for value in values):
        y = np.array(values, dtype=np.float64)
        yield Series(str(entry.get("name", "")), np.arange(1, len(y) + 1), np.where(y > 0, y, np.nan))


def _places(content: Plain, shown: Callable[[object], object]) -> Iterator[list[str | float | None]]:
    """Yield the lines of the table of places: accuracies, measures, counts."""
    for entry in _objects(content, "accuracies"):
        yield [str(entry.get("name")), None, *_standing(entry)]
    for entry in _objects(content, "measures"):
        here = entry.get("here")
        value = here.get("value") if isinstance(here, dict) else None
        text = str(here.get("status")) if isinstance(here, dict) and value is None else _number(value)
        yield [str(entry.get("measure")), text, *_standing(entry.get("published"))]
    for entry in _objects(content, "counts"):
        yield [str(shown(entry.get("name"))), None, *_standing(entry)]


def _standing(entry: object) -> list[float | None]:
    names = ("value", "place", "of", "percentile")
    return [_number(entry.get(name)) if isinstance(entry, dict) else None for name in names]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _drawing(data: object) -> Drawing | None:
    """Return a drawing as it was written; ``None`` where there is none, or something else."""
    if not isinstance(data, dict):
        return None
    nodes, edges = (_objects(data, name) for name in ("nodes", "edges"))
    if not 0 < len(nodes) + len(edges) <= _MAX_PARTS:
        return None
    try:
        drawn = [
            Node(str(node["name"]), _place(node["x"]), str(node["operation"]), bool(node["is_live"])) for node in nodes
        ]
        joined = [
            Edge(
                _index(edge["source"], nodes),
                _index(edge["target"], nodes),
                _place(edge["bend"]),
                str(edge["operation"]),
                bool(edge["is_live"]),
            )
            for edge in edges
        ]
    except (KeyError, TypeError, ValueError):  # a file of something else, or of a later version
        return None
    operations = data.get("operations")
    return Drawing(drawn, joined, [str(name) for name in operations] if isinstance(operations, list) else [])


def _place(value: object) -> float:
    if not isinstance(value, int | float) or not abs(value) <= _MAX_PARTS:
        raise ValueError("no place in a drawing")
    return float(value)


def _index(value: object, nodes: Sequence[Plain]) -> int:
    if not isinstance(value, int) or not 0 <= value < len(nodes):
        raise ValueError("no node of a drawing")
    return value
