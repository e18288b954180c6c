"""Results on standard output: a table, JSON or CSV."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])
_WIDE = 200


def json_option(function: F) -> F:
    """Add ``--json``."""
    return click.option("--json", is_flag=True, help="Print JSON.")(function)


def csv_option(function: F) -> F:
    """Add ``--csv``."""
    return click.option("--csv", is_flag=True, help="Print CSV.")(function)


def print_json(data: Any) -> None:
    """Print plain data as JSON; numbers that are none are refused."""
    click.echo(json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False))


def print_csv(frame: pd.DataFrame) -> None:
    """Print a data frame as CSV."""
    click.echo(frame.to_csv(index=False), nl=False)


def console(*, err: bool = False) -> Console:
    """Return a console; wide where nobody watches, so that nothing is cut."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else _WIDE, highlight=False)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """Print a table; the first ``left`` columns are text, the others numbers."""
    from rich.table import Table
    from rich.text import Text

    if title:
        click.echo(title)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(header):
        table.add_column(name, justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


def number(value: float | None, digits: int = 3) -> str:
    """Format a number for a table; a dash where there is none."""
    if value is None or value != value:
        return "–"
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.{digits}g}"
    return f"{value:.{digits}f}"


def note(message: str) -> None:
    """Print a remark on standard error."""
    click.echo(message, err=True)
