"""The contract of a strategy: it says what to train next, and is told how well it did.

A strategy is a generator function: it yields a ``Training`` and is sent its validation value::

    @strategy("random", text="cells in random order")
    def random(search: Search) -> Proposals:
        for cell in search.order:
            yield Training(int(cell))

Adding one is adding such a file to ``search/strategies``; another package names its own under the entry-point group
``ntknas.strategies``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import NamedTuple

from ntknas.search.problem import Search

LAST = -1


class Training(NamedTuple):
    """A cell that is to be trained.

    Attributes:
        cell: Its index.
        level: To which of the objective's epoch budgets; the largest without it.
    """

    cell: int
    level: int = LAST


Proposals = Generator[Training, float, None]
"""Yields what to train next; is sent the validation value of that."""
Propose = Callable[[Search], Proposals]


@dataclass(frozen=True)
class Strategy:
    """A way of searching.

    Attributes:
        name: Identifier, as typed on the command line.
        propose: What it does.
        text: What it is, for lists.
        source: Where it comes from.
        takes_score: Whether a score guides it.
        needs_neighbours: Whether the space must say which cells are neighbours.
        needs_positions: Whether the cells must be choices at fixed positions.
        needs_levels: Whether the benchmark must have trainings to several epoch budgets.
        needs_supernet: Whether the space must build supernets.
        computes: Whether it computes kernels itself, so that one search takes minutes: it runs only where it is named.
        requires: A module of a package that only some uses need, and the extra that installs it.
    """

    name: str
    propose: Propose
    text: str
    source: str = ""
    takes_score: bool = False
    needs_neighbours: bool = False
    needs_positions: bool = False
    needs_levels: bool = False
    needs_supernet: bool = False
    computes: bool = False
    requires: tuple[str, str] | None = None


def strategy(
    name: str,
    *,
    text: str,
    source: str = "",
    takes_score: bool = False,
    needs_neighbours: bool = False,
    needs_positions: bool = False,
    needs_levels: bool = False,
    needs_supernet: bool = False,
    computes: bool = False,
    requires: tuple[str, str] | None = None,
) -> Callable[[Propose], Strategy]:
    """Make a strategy of a generator function; see ``Strategy`` for the arguments.

    Args:
        name: Identifier.
        text: What it is.
        source: Where it comes from.
        takes_score: Whether a score guides it.
        needs_neighbours: Whether the space must say which cells are neighbours.
        needs_positions: Whether the cells must be choices at fixed positions.
        needs_levels: Whether the benchmark must have trainings to several epoch budgets.
        needs_supernet: Whether the space must build supernets.
        computes: Whether it computes kernels itself.
        requires: A module that it needs, and the extra that installs it.

    Returns:
        The decorator.
    """

    def make(propose: Propose) -> Strategy:
        return Strategy(
            name=name,
            propose=propose,
            text=text,
            source=source,
            takes_score=takes_score,
            needs_neighbours=needs_neighbours,
            needs_positions=needs_positions,
            needs_levels=needs_levels,
            needs_supernet=needs_supernet,
            computes=computes,
            requires=requires,
        )

    return make
