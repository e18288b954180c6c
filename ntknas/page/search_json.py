"""Sections of searches: what ``ntknas search`` printed as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ntknas.page.results import Lines, Results, Rows, Series

Plain = Mapping[str, object]
_AXES = {"trainings": "trainings spent", "seconds": "seconds spent"}


def is_search(content: Plain) -> bool:
    """Return whether an object is what ``ntknas search`` prints."""
    curves = content.get("curves")
    return isinstance(curves, list) and bool(curves) and all(_is_curve(curve) for curve in curves)


def _is_curve(curve: object) -> bool:
    if not isinstance(curve, dict) or not isinstance(curve.get("strategy"), str):
        return False
    columns = [curve.get(name) for name in ("spent", "median", "low", "high")]
    return all(isinstance(column, list) and len(column) == len(curve["spent"]) for column in columns)


def search_results(content: Plain, tables: Sequence[Rows], shown: Callable[[object], object]) -> Results:
    """Return what a page shows of searches.

    Args:
        content: The object.
        tables: Its lists of objects as tables.
        shown: Writes a value that is neither.

    Returns:
        The results.
    """
    curves: list[Plain] = content["curves"]  # type: ignore[assignment]
    axes = dict.fromkeys(str(curve.get("axis", "trainings")) for curve in curves)
    reported = shown(content.get("reported")) or "the target"
    plots = [
        Lines(
            f"Best {reported} found",
            _AXES.get(axis, axis),
            [_series(curve) for curve in curves if str(curve.get("axis", "trainings")) == axis],
        )
        for axis in axes
    ]
    others = {key: shown(value) for key, value in content.items() if key != "curves" and not isinstance(value, list)}
    searches, chosen_by = others.get("searches", "several"), others.get("chosen_by", "the search's target")
    lead = f"{reported} of the best cell by {chosen_by}: the median over {searches} searches."
    return Results(
        f"Searches in {others.get('space', 'a space')}",
        lead,
        parts=[*plots, *(table for table in tables if table.title != "curves")],
        fields=others,
    )


def _series(curve: Plain) -> Series:
    spent, median, low, high = (_numbers(curve[name]) for name in ("spent", "median", "low", "high"))
    return Series(str(curve["strategy"]), spent, median, low, high)


def _numbers(values: object) -> np.ndarray:
    assert isinstance(values, list)
    return np.array([value if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64)
