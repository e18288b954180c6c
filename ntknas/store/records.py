"""A record of a store: the scores of one kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ntknas.core.score import Score
from ntknas.store import schema


@dataclass(frozen=True)
class ScoreRecord:
    """The scores of one kernel: one (setting, cell, seed) with every measure taken.

    Attributes:
        setting: Digest of the setting.
        run: Identifier of the run that computed it.
        cell: Index of the cell.
        seed: Seed of the weights.
        seconds: Time that building the network, its kernel and the measures took; for cells that are one network, the
            time of the one that was computed.
        scores: The scores by measure.
    """

    setting: str
    run: str
    cell: int
    seed: int
    seconds: float
    scores: Mapping[str, Score]

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain data."""
        scores = {
            name: [score.value, score.status.value, schema.storable(score.reason)]
            for name, score in self.scores.items()
        }
        return {
            "type": "scores",
            "setting": self.setting,
            "run": self.run,
            "cell": self.cell,
            "seed": self.seed,
            "seconds": self.seconds,
            "scores": scores,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ScoreRecord:
        """Read a record back.

        Raises:
            ValueError: If a field is missing, or not what it must be; the message names it.
        """
        missing = [name for name in _FIELDS if name not in data]
        if missing:
            raise ValueError(f"it has no {missing[0]}")
        scores = schema.mapping("its scores", data["scores"])
        return cls(
            schema.text("setting", data["setting"]),
            schema.text("run", data["run"]),
            schema.check_cell(data["cell"]),
            schema.check_seed(data["seed"]),
            schema.finite("seconds", data["seconds"]),
            {name: schema.check_score(name, entry) for name, entry in scores.items()},
        )


_FIELDS = ("setting", "run", "cell", "seed", "seconds", "scores")
