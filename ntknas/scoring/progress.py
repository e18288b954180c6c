"""What a run reports: one entry for each finished kernel, and for each epoch of training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ntknas.core.score import Score
from ntknas.core.shown import Shown, listed
from ntknas.scoring.plan import WorkItem
from ntknas.store import ScoreRecord


@dataclass(frozen=True)
class EpochsDone:
    """Epochs of training that are done, or that an end before its time spares."""

    epochs: int


@dataclass(frozen=True, repr=False)
class KernelDone(Shown):
    """What one finished kernel, regression, network or training gave.

    Attributes:
        item: What was computed.
        scores: Its scores by measure.
        seconds: The time it took; of a training that of all its epochs so far.
        tracebacks: Where an exception was raised that cost a measure its score, by measure.
    """

    item: WorkItem
    scores: Mapping[str, Score]
    seconds: float
    tracebacks: Mapping[str, str] = field(default_factory=dict)

    def records(self, run_id: str) -> Iterator[ScoreRecord]:
        """Yield what a store keeps of it, for each cell that is this network."""
        for cell in self.item.members:
            yield ScoreRecord(self.item.setting, run_id, cell, self.item.seed, self.seconds, self.scores)

    def _line(self) -> str:
        return f"{self.item!r}: {listed(self.scores)}"


Report = KernelDone | EpochsDone
