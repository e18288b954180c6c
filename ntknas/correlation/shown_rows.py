"""Rows of a correlation as the lines and tables that they are shown as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ntknas.core import html

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ntknas.correlation.estimate import Estimate

MOST = 40
"""Rows that a notebook shows: with more of them a page has no end."""


def with_interval(estimate: Estimate) -> str:
    """Return a coefficient with its interval, where it has one."""
    ends = "" if estimate.interval is None else f" [{estimate.interval[0]:.3f}, {estimate.interval[1]:.3f}]"
    return "–" if estimate.value is None else f"{estimate.value:.3f}{ends}"


def rows_table(head: Sequence[str], rows: Sequence[Sequence[html.Child]], texts: int) -> list[Element]:
    """Return the first rows as a table, and how many more there are.

    Args:
        head: Names of the columns.
        rows: The rows.
        texts: Number of columns of texts, the first ones.
    """
    more = [html.quiet(f"… and {len(rows) - MOST:,} more rows: frame() has all.")] if len(rows) > MOST else []
    return [html.table(head, rows[:MOST], texts), *more]


def remarks(notes: Iterable[str]) -> list[Element]:
    """Return what is to be said beside rows, a line each."""
    return [html.quiet(note) for note in notes]
