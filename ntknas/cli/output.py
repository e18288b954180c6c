"""Results on standard output: a table, JSON or CSV."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ntknas.cli import streams
from ntknas.cli.types import F
from ntknas.cli.wording import in_options
from ntknas.core.display import printable

if TYPE_CHECKING:
    import pandas as pd


def json_option(function: F) -> F:
    """Add ``--json``."""
    return click.option("--json", is_flag=True, help="Print JSON.")(function)


def csv_option(function: F) -> F:
    """Add ``--csv``."""
    return click.option("--csv", is_flag=True, help="Print CSV.")(function)


def check_one_format(*, json: bool, csv: bool) -> None:
    """Check that one format is asked for.

    Args:
        json: Whether JSON is.
        csv: Whether CSV is.

    Raises:
        UsageError: If both are.
    """
    if json and csv:
        raise click.UsageError("--json and --csv are two formats: give one of them.")


def print_json(data: object) -> None:
    """Print plain data as JSON; numbers that are none are refused, and what a terminal would obey is escaped."""
    text = json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False)
    click.echo(
        "".join(letter if letter == "\n" or letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
    )


def print_csv(frame: pd.DataFrame) -> None:
    """Print a data frame as CSV."""
    text = frame.to_csv(index=False)
    click.echo(printable(text, lines=True) if sys.stdout.isatty() else text, nl=False)


def print_table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: int = 1,
    least: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> None:
    """Print a table; where it is wider than the terminal, without the columns that matter least.

    Args:
        title: Line above it; empty for none.
        header: Names of the columns.
        rows: The cells.
        left: Number of columns that are text; the others are numbers.
        least: Columns to leave out first where there is no room, before those on the right; the first column stays.
        keep: Columns that stay too: names are shortened where they leave no room for them.
    """
    from ntknas.cli.table import Table, terminal_width

    width = terminal_width()
    table = Table([printable(name) for name in header], [[printable(cell) for cell in row] for row in rows], left)
    shown, hidden, is_shortened = table.narrowed(width, least, keep) if width else (table, [], False)
    if title:
        click.echo(printable(title, lines=True))
    click.echo(shown.render(width))
    if is_shortened:
        note(f"Names are shortened for lack of room. {_elsewhere()}")
    if hidden:
        note(f"Not shown for lack of room: {', '.join(hidden)}. {_elsewhere()}")


def _elsewhere() -> str:
    """Say where all columns are."""
    ctx = click.get_current_context(silent=True)
    formats = [f"--{option.name}" for option in ctx.command.params if option.name in ("csv", "json")] if ctx else []
    if not formats:
        return "A wider terminal shows all, and so does a file."
    return f"{' and '.join(formats)} {'have' if len(formats) > 1 else 'has'} all."


def number(value: float | None, digits: int = 3) -> str:
    """Format a number for a table; a dash where there is none."""
    if value is None or value != value:
        return "–"
    if value and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.{digits}g}"
    return f"{value:.{digits}f}"


def say(text: str = "") -> None:
    """Print text on standard output; what came out of a file and a terminal would obey is escaped."""
    click.echo(printable(text, lines=True))


def note(message: str) -> None:
    """Print a remark on standard error, in the command's words; that nobody reads it is no reason to stop."""
    try:
        click.echo(printable(in_options(message), lines=True), err=True)
    except OSError:
        streams.drop(sys.stderr)
