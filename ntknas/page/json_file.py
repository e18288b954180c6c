"""Sections of JSON that a command printed: ``sensitivity``, ``search``, ``track-kernel``, ``explain`` and others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

import numpy as np

from ntknas.benchmarks.formats.json_file import read_json
from ntknas.core.errors import DataError
from ntknas.page.explanation_json import explanation_results, is_explanation
from ntknas.page.results import Matrix, Results, Rows
from ntknas.page.search_json import is_search, search_results
from ntknas.page.section import Section

_MAX_BYTES = 2**26
_MAX_ROWS = 20_000
Plain = Mapping[str, object]


def json_sections(path: Path) -> list[Section]:
    """Return the sections of a file of JSON.

    What has a section of its own is known by its keys; of anything else every list of objects is a table.

    Args:
        path: The file.

    Returns:
        The sections.

    Raises:
        DataError: If it cannot be read, or holds no object.
    """
    try:
        content = read_json(path, _MAX_BYTES)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}.") from error
    except DataError as error:
        raise DataError(f"Cannot read {path}: {error}.") from error
    if not isinstance(content, dict) or not content:
        raise DataError(f"{path} holds no results: expected an object, as the commands of ntknas print with --json.")
    return [_results(path.stem, content).section()]


def _results(name: str, content: Plain) -> Results:
    rows = content.get("rows")
    if _are_objects(rows) and all({"variation", "measure", "with_base"} <= set(row) for row in rows):
        return _sensitivity(rows)
    if is_explanation(content):
        return explanation_results(content, _table, _shown)
    if is_search(content):
        tables = [_table(key, value) for key, value in content.items() if _are_objects(value)]
        return search_results(content, tables, _shown)
    return _plain_results(name, content)


def _sensitivity(rows: Sequence[Plain]) -> Results:
    names, measures = (list(dict.fromkeys(str(row[key]) for row in rows)) for key in ("variation", "measure"))
    matrices = []
    for key, title in (("with_base", "Agreement with the base"), ("with_accuracy", "Agreement with the accuracies")):
        values = np.full((len(names), len(measures)), np.nan)
        for row in rows:
            values[names.index(str(row["variation"])), measures.index(str(row["measure"]))] = _coefficient(row.get(key))
        if not np.isnan(values).all():
            matrices.append(Matrix(title, "Kendall’s τ", names, measures, values))
    lead = (
        "A choice matters where rankings agree little with the base, and changes the conclusion where τ with the "
        "accuracies is another."
    )
    return Results("Which choices change the conclusion", lead, parts=[*matrices, _table("Agreements", rows)])


def _coefficient(estimate: object) -> float:
    value = estimate.get("value") if isinstance(estimate, dict) else None
    return float(value) if _is_number(value) else np.nan


def _plain_results(name: str, content: Plain) -> Results:
    """Return what any JSON holds: a table for each list of objects, sentences, and single values."""
    tables = [_table(key.replace("_", " "), value) for key, value in content.items() if _are_objects(value)]
    others = {key: value for key, value in content.items() if not _are_objects(value)}
    sentences = [text for key in ("verdict", "notes") for text in _texts(others.pop(key, None))]
    title = str(others.get("study") or others.get("title") or name)
    fields = {key: _shown(value) for key, value in others.items()}
    return Results(title, sentences=sentences, parts=tables, fields=fields)


def _are_objects(value: object) -> TypeGuard[list[Plain]]:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else []


def _table(title: str, rows: Sequence[Plain]) -> Rows:
    """Return objects as a table of the first so many; estimates are written with their intervals."""
    columns = list(dict.fromkeys(key for row in rows[:_MAX_ROWS] for key in row))
    shown = [[_cell(row.get(column)) for column in columns] for row in rows[:_MAX_ROWS]]
    more = f" (the first {_MAX_ROWS:,} of {len(rows):,})" if len(rows) > _MAX_ROWS else ""
    return Rows(title + more, columns, shown)


def _cell(value: object) -> str | float | None:
    if value is None or isinstance(value, str):
        return value
    if _is_number(value):
        return float(value)
    return str(_shown(value))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> object:
    """Return a value as a text, but for a plain one."""
    if isinstance(value, dict) and {"value", "low", "high"} <= set(value):
        return _interval(*(value[key] for key in ("value", "low", "high")))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items()) or None
    if isinstance(value, list):
        return ", ".join(str(_shown(part)) for part in value) or None
    return f"{value:.4g}" if isinstance(value, float) else value


def _interval(value: object, low: object, high: object) -> str:
    if not _is_number(value):
        return "–"
    return f"{value:.3f} [{low:.3f}, {high:.3f}]" if _is_number(low) and _is_number(high) else f"{value:.3f}"
