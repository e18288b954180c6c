"""What a run reported as done: how it went, and whether the store has it in the end."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence

from ntknas.core.errors import StoreError
from ntknas.core.score import Score
from ntknas.scoring.progress import KernelDone
from ntknas.store import ScoreRecord, ScoreStore


class Tally:
    """Counts the scores that are reported, and remembers which they are.

    Attributes:
        statuses: Number of scores by status.
        reasons: Number of failures by reason.
        failed: Number of failures.
    """

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.failed = 0
        self._scored: dict[tuple[str, tuple[str, ...]], tuple[array[int], array[int]]] = {}

    def add(self, report: KernelDone) -> None:
        """Count what one finished kernel gave to every cell that is this network."""
        item = report.item
        self._add(item.setting, item.members, item.seed, report.scores)

    def add_copy(self, record: ScoreRecord) -> None:
        """Count scores that were there for another cell."""
        self._add(record.setting, (record.cell,), record.seed, record.scores)

    def _add(self, setting: str, cells: Sequence[int], seed: int, scores: Mapping[str, Score]) -> None:
        for score in scores.values():
            self.statuses[score.status.value] += len(cells)
            if score.status.is_failure:
                self.reasons[score.reason] += len(cells)
                self.failed += len(cells)
        good = tuple(name for name, score in scores.items() if not score.status.is_failure)
        if good:
            numbers = self._scored.setdefault((setting, good), (array("q"), array("q")))
            numbers[0].extend(cells)
            numbers[1].extend([seed] * len(cells))

    def lost(self, store: ScoreStore) -> int:
        """Return how many of the scores a store does not have."""
        lost = 0
        for (setting, measures), (cells, seeds) in self._scored.items():
            lost += len(set(zip(cells, seeds, strict=True)) - store.done(setting, measures)) * len(measures)
        return lost

    def check(self, store: ScoreStore) -> None:
        """Check that a store has every score that was reported.

        Raises:
            StoreError: If not.
        """
        if lost := self.lost(store):
            total = sum(self.statuses.values()) - self.failed
            raise StoreError(
                f"{lost} of the {total} scores that were computed are not in {store.path}: a journal beside it was "
                "removed or damaged while the run went on. The same command computes what is missing again."
            )
