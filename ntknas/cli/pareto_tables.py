"""The tables of ``ntknas pareto``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.cli.output import number, print_table, say
from ntknas.spaces.populations import POPULATIONS

if TYPE_CHECKING:
    from ntknas.correlation import Estimate
    from ntknas.correlation.trade_off import TradeOff, TradeOffs

_HEADER = ("measure", "chosen", "left out", "reached [95 %]", "random", "by ranks [95 %]", "random by ranks")
_FURTHER = ("behind", "of the front")
_LEAST = ("of the front", "behind", "left out", "random by ranks", "by ranks [95 %]")
"""Columns to leave out first where the terminal is narrow."""
_KEEP = ("kernel", "chosen", "reached [95 %]", "random")
_LEGEND = """\
reached: hypervolume of the chosen cells over that of the true front, above the worst value of each target; 1 is the
front itself. by ranks: the same where a value counts as the share of cells that are worse. random: what as many cells
drawn at random reach in expectation. behind: mean distance that the chosen cells stay behind the true front (IGD⁺), in
shares of the targets' ranges. of the front: its points that are among the chosen cells.
[95 %]: the middle of what is reached in sets of cells in which networks are drawn anew, on average 63 in 100 of them:
how much hangs on which cells there are. It need not hold the value itself."""


def print_trade_offs(answer: TradeOffs) -> None:
    """Print the true front's size and one table for each stand-in."""
    plane = answer.plane
    for place, target in (("first", plane.first), ("second", plane.second)):
        say(f"{place} target {target.name}: {target.quantity}")
    networks = int(plane.units.max()) + 1
    cells = f"{len(plane):,} cells" + (f" in {networks:,} networks or measurements" if networks < len(plane) else "")
    say(f"population {answer.population} ({POPULATIONS[answer.population]}): {cells}")
    say(f"true front: {len(plane.on_front)} cells, {plane.found(plane.on_front)} different points")
    for stand_in in dict.fromkeys(row.stand_in for row in answer.rows):
        say()
        _print_table(answer, stand_in)
    say()
    say("\n".join([_LEGEND, *_remarks(answer)]))


def _print_table(answer: TradeOffs, stand_in: str) -> None:
    rows = [row for row in answer.rows if row.stand_in == stand_in]
    ways = {(row.kernel, row.epoch) for row in rows if not row.is_baseline}
    with_kernel = len(ways) > 1
    instead = "the second target itself" if stand_in == "measured" else f"{stand_in} in place of the second target"
    if answer.choice.budget:
        how = f"{answer.choice.budget:,} cells chosen"
    else:
        how = "first front chosen" if answer.choice.fronts == 1 else f"first {answer.choice.fronts} fronts chosen"
    header = [_HEADER[0], *(["kernel"] * with_kernel), *_HEADER[1:], *_FURTHER]
    cells = [_cells(row, with_kernel=with_kernel) for row in rows]
    print_table(f"{how} by score and {instead}", header, cells, 2 if with_kernel else 1, _LEAST, _KEEP)


def _cells(row: TradeOff, *, with_kernel: bool) -> list[str]:
    epoch = f" epoch {row.epoch}" if row.epoch else ""
    kernel = [(row.kernel or row.recipe) + epoch] if with_kernel else []
    left_out = ", ".join(f"{count} {reason}" for reason, count in row.left_out.items()) or "0"
    areas = [_estimate(row.reached), f"{row.random:.3f}", _estimate(row.reached_ranks), f"{row.random_ranks:.3f}"]
    name = row.measure + "*" * bool(row.fitted)
    return [name, *kernel, f"{row.chosen:,}", left_out, *areas, number(row.missed), f"{row.found:g}"]


def _estimate(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return number(estimate.value)
    return f"{number(estimate.value)} [{number(estimate.low)}, {number(estimate.high)}]"


def _remarks(answer: TradeOffs) -> list[str]:
    fitted = {row.measure: row.fitted for row in answer.rows if row.fitted}
    return [f"* {name}: {what}." for name, what in fitted.items()]
