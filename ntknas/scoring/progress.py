"""What a run reports: one entry for each finished kernel, and for each epoch of training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ntknas.core.score import Score
from ntknas.scoring.plan import WorkItem
from ntknas.store import ScoreRecord


@dataclass(frozen=True)
class Trained:
    """Epochs of training that are done, or that an end before its time spares."""

    epochs: int


@dataclass(frozen=True)
class Progress:
    """What one finished kernel gave.

    Attributes:
        item: The kernel.
        scores: Its scores by measure.
        seconds: The time it took; of a training that of all its epochs so far.
    """

    item: WorkItem
    scores: Mapping[str, Score]
    seconds: float

    def records(self, run_id: str) -> Iterator[ScoreRecord]:
        """Yield what a store keeps of it, for each cell that is this network."""
        for cell in self.item.members:
            yield ScoreRecord(self.item.setting, run_id, cell, self.item.seed, self.seconds, self.scores)


Report = Progress | Trained
