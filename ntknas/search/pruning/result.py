"""What a pruning found, round by round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ntknas.core.shown import Shown, counted
from ntknas.search.pruning.candidates import Measurement
from ntknas.search.pruning.ranking import Ranks, ranked, to_prune
from ntknas.search.pruning.settings import PruneSettings


@dataclass(frozen=True)
class Row:
    """A candidate of a round.

    Attributes:
        position: The position.
        choice: Name of the choice.
        cond_change: Mean share by which the condition number falls without it.
        region_change: Mean share by which the number of linear regions falls without it.
        ranks: Its ranks.
        pruned: Whether it went.
    """

    position: int
    choice: str
    cond_change: float
    region_change: float
    ranks: Ranks
    pruned: bool


@dataclass(frozen=True)
class Round:
    """A round.

    Attributes:
        rows: Its candidates.
        kept: What every position still held at its beginning.
        left: What every position held at its end.
        seconds: Seconds that it took.
        processor_seconds: Seconds of processors.
    """

    rows: tuple[Row, ...]
    kept: tuple[tuple[str, ...], ...] = field(repr=False)
    left: tuple[tuple[str, ...], ...]
    seconds: float
    processor_seconds: float

    @classmethod
    def of(
        cls,
        kept: tuple[tuple[str, ...], ...],
        names: list[str],
        measurements: list[Measurement],
        settings: PruneSettings,
    ) -> Round:
        """Return a round of measured candidates.

        Args:
            kept: What every position holds.
            names: Name of the choice of each candidate.
            measurements: What was measured of each.
            settings: The settings.

        Returns:
            The round.
        """
        decimals = settings.decimals
        conds = [one.cond_change(decimals) for one in measurements]
        regions = [one.region_change(decimals) for one in measurements]
        order, ranks = ranked(conds, regions, decimals)
        positions = [one.candidate.position for one in measurements]
        gone = to_prune(order, positions, settings.pruned_per_round)
        rows = tuple(
            Row(positions[place], name, conds[place], regions[place], ranks[place], place in gone)
            for place, name in enumerate(names)
        )
        lost = {(row.position, row.choice) for row in rows if row.pruned}
        left = tuple(tuple(name for name in held if (position, name) not in lost) for position, held in enumerate(kept))
        seconds = sum(one.seconds for one in measurements)
        return cls(rows, kept, left, seconds, sum(one.processor_seconds for one in measurements))


@dataclass(frozen=True, repr=False)
class PruningResult(Shown):
    """A pruning.

    Attributes:
        cell: Index of the cell that is left.
        text: Its architecture string.
        seed: Seed of the pruning.
        settings: The settings.
        rounds: Its rounds.
    """

    cell: int
    text: str
    seed: int
    settings: PruneSettings
    rounds: tuple[Round, ...] = field(repr=False)

    @property
    def seconds(self) -> float:
        """Seconds that measuring took."""
        return sum(one.seconds for one in self.rounds)

    @property
    def processor_seconds(self) -> float:
        """Seconds of processors that it took."""
        return sum(one.processor_seconds for one in self.rounds)

    def table(self) -> Iterator[dict[str, str | int | float | bool]]:
        """Yield every candidate of every round, for tables."""
        for number, one in enumerate(self.rounds, start=1):
            for row in one.rows:
                yield {
                    "round": number,
                    "position": row.position,
                    "choice": row.choice,
                    "cond_change": row.cond_change,
                    "region_change": row.region_change,
                    "cond_rank": row.ranks.cond,
                    "region_rank": row.ranks.regions,
                    "pruned": row.pruned,
                }

    def _line(self) -> str:
        return f"cell {self.cell}, {self.text}, after {counted(len(self.rounds), 'round')}, seed {self.seed}"
