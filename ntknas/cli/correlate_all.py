"""The table of ``ntknas correlate --target all``: every measure with every target."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ntknas.cli.correlate_legend import covered, estimate_text, fixed
from ntknas.cli.output import say
from ntknas.cli.overview_table import Group, OverviewTable
from ntknas.correlation.estimate import STATISTICS, Estimate
from ntknas.spaces.populations import POPULATIONS

if TYPE_CHECKING:
    from ntknas.benchmarks.quantity import Quantity
    from ntknas.correlation.overview import Overview

_STRONGEST = "strongest count"
_FILE_WIDTH = 160
"""Width of a table that goes to a file."""
_LOWER = " ↓"
_NO_VALUE = Estimate(None)


def print_overview(result: Overview, statistic: str, sort: str) -> None:
    """Print one statistic of every measure with every target, targets in groups of one benchmark and data set.

    Args:
        result: The result.
        statistic: A key of ``STATISTICS``.
        sort: The one that measures are sorted by, those first that are strong on the mean over the targets.
    """
    from ntknas.cli.table import terminal_width

    width = terminal_width() or _FILE_WIDTH
    say(textwrap.fill(_title(result, statistic), width))
    say()
    say("\n".join(_lines(result, statistic, _columns(result, sort), width)))
    say()
    say("\n".join(line for text in _legend(result, statistic) for line in _wrapped(text, width)))


def _wrapped(text: str, width: int) -> list[str]:
    return [line for part in text.splitlines() for line in textwrap.wrap(part, width)]


def _title(result: Overview, statistic: str) -> str:
    networks = "" if result.networks is None else f" in {result.networks} networks"
    targets = f"{len(result.targets)} target{'s' * (len(result.targets) > 1)}"
    rule = POPULATIONS[result.population]
    cells = f"{len(result.cells)} cells{networks}"
    return f"{STATISTICS[statistic]} with {targets}; population {result.population} ({rule}): {cells}"


def _lines(result: Overview, statistic: str, columns: tuple[list[str], list[str]], width: int) -> Iterator[str]:
    """Yield the lines of the table; counts have one of their own where not all has room."""
    measures, counts = columns
    strongest = {} if statistic == "partial" or not measures else _strongest(result, statistic, counts)
    whole = _table(result, statistic, [*measures, *counts], strongest, width)
    if not measures or not counts or whole.fits(width):
        yield from whole.render(width)
        return
    yield from _table(result, statistic, measures, strongest, width).render(width)
    yield ""
    yield from _table(result, statistic, counts, {}, width).render(width)


def _table(
    result: Overview, statistic: str, columns: Sequence[str], strongest: Mapping[str, float], width: int
) -> OverviewTable:
    from ntknas.correlation.target_names import grouped

    estimates = {(row.target, result.name_of(row)): getattr(row, statistic) for row in result.rows}
    groups = []
    for name, members in grouped(result.targets).items():
        rows = {
            text: [
                *([fixed(strongest[target])] if strongest else []),
                *(estimate_text(estimates.get((target, column), _NO_VALUE)) for column in columns),
            ]
            for target, text in _row_names(result, members).items()
        }
        groups.append(Group("\n".join(textwrap.wrap(_heading(result, name, list(members)), width)), rows))
    first = [_STRONGEST] if strongest else []
    return OverviewTable([*first, *columns], groups, len(first))


def _columns(result: Overview, sort: str) -> tuple[list[str], list[str]]:
    """Return the names of measures and of counts that have a value, each those first that are strong on the mean."""
    table = result.table(sort)
    strength = table.abs().mean().sort_values(ascending=False, kind="stable").dropna()
    baselines = set(result.baselines)
    names = [str(name) for name in strength.index]
    return [name for name in names if name not in baselines], [name for name in names if name in baselines]


def _strongest(result: Overview, statistic: str, counts: Sequence[str]) -> dict[str, float]:
    """Return the coefficient of the count that is strongest, by target; none where there are no counts."""
    if not counts:
        return {}
    table = result.table(statistic)[list(counts)]
    return {str(target): max(row.dropna(), key=abs, default=float("nan")) for target, row in table.iterrows()}


def _heading(result: Overview, name: str, members: Sequence[str]) -> str:
    """Return what the targets of a group have in common: their quantities, and how many measurements they are."""
    summaries = [result.targets[member] for member in members]
    quantities = dict.fromkeys(_quantity(summary.quantity) for summary in summaries)
    measurements = sorted({summary.measurements for summary in summaries if summary.measurements is not None})
    said = [", ".join(quantities)]
    if measurements:
        span = f"{measurements[0]}" if len(measurements) == 1 else f"{measurements[0]} to {measurements[-1]}"
        said.append(f"{span} measurements")
    return f"{name}{': ' if name else ''}{'; '.join(said)}"


def _quantity(quantity: Quantity) -> str:
    unit = f" ({quantity.unit})" if quantity.unit else ""
    return f"{quantity.name}{unit}{'' if quantity.higher_is_better else _LOWER}"


def _row_names(result: Overview, members: Mapping[str, str]) -> dict[str, str]:
    """Return the names of a group's targets, with their unit where units differ, and their cells where these do."""
    summaries = {member: result.targets[member] for member in members}
    are_alike = len({(summary.quantity.unit, summary.quantity.sign) for summary in summaries.values()}) == 1
    names = {}
    for member, summary in summaries.items():
        quantity, cells = summary.quantity, summary.cells_with_accuracy
        unit = f" {quantity.unit}" if quantity.unit and not are_alike else ""
        arrow = "" if are_alike or quantity.higher_is_better else _LOWER
        number = f" ({cells})" if cells < summary.cells_scored else ""
        names[member] = f"{members[member]}{unit}{arrow}{number}"
    return names


def _legend(result: Overview, statistic: str) -> Iterator[str]:
    """Yield what the table means."""
    if any(not summary.quantity.higher_is_better for summary in result.targets.values()):
        yield "↓: lower is better; a positive number says that a better score goes with a lower value."
    if any(summary.cells_with_accuracy < summary.cells_scored for summary in result.targets.values()):
        yield "(n): the target has values of n of the cells."
    if result.baselines and statistic != "partial":
        yield f"{_STRONGEST}: the largest in size of {', '.join(result.baselines)}."
    if statistic == "partial":
        given = dict.fromkeys(row.partial_given for row in result.rows if row.partial_given)
        yield f"partial τ: given {' or '.join(' and '.join(names) for names in given) or 'nothing'}."
    yield from _fewer_cells(result)
    if result.resamples:
        yield covered(result.rows)


def _fewer_cells(result: Overview) -> Iterator[str]:
    """Say which measures have fewer scores than others."""
    numbers: dict[str, int] = {}
    for row in result.rows:
        numbers[result.name_of(row)] = max(row.n, numbers.get(result.name_of(row), 0))
    most = max(numbers.values(), default=0)
    fewer = [f"{name} {number}" for name, number in numbers.items() if number < most]
    if fewer:
        yield f"Cells with a score: {most}; of {', '.join(fewer)}."
