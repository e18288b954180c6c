"""What the lines of a store's journal say: a setting, a run, or the scores of one kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ntknas.core.display import printable
from ntknas.core.score import Score
from ntknas.core.shown import Shown, listed
from ntknas.store import schema
from ntknas.store.run import Run
from ntknas.store.setting import Setting


@dataclass(frozen=True, repr=False)
class ScoreRecord(Shown):
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

    @classmethod
    def from_line(cls, line: Mapping[str, object]) -> ScoreRecord:
        """Read a record back.

        Args:
            line: What ``line_of`` gives.

        Returns:
            The record.

        Raises:
            ValueError: If a field is missing, or not what it must be; the message names it.
        """
        for name in ("setting", "run", "cell", "seed", "seconds", "scores"):
            if name not in line:
                raise ValueError(f"it has no {name}")
        scores = schema.check_mapping("its scores", line["scores"])
        return cls(
            schema.check_text("setting", line["setting"]),
            schema.check_text("run", line["run"]),
            schema.check_cell(line["cell"]),
            schema.check_seed(line["seed"]),
            schema.check_finite("seconds", line["seconds"]),
            {name: schema.check_score(name, entry) for name, entry in scores.items()},
        )

    def _line(self) -> str:
        return f"cell {self.cell}, seed {self.seed}, setting {self.setting}: {listed(self.scores)}"


Entry: TypeAlias = Setting | Run | ScoreRecord


def line_of(entry: Entry) -> dict[str, object]:
    """Return an entry as a line of a journal."""
    match entry:
        case Setting(fields):
            return {"type": "setting", "fields": dict(fields)}
        case Run(identifier, info):
            return {"type": "run", "id": identifier, "info": dict(info)}
        case ScoreRecord(setting, run, cell, seed, seconds, scores):
            listed = {name: [s.value, s.status.value, schema.storable(s.reason)] for name, s in scores.items()}
            key = {"setting": setting, "run": run, "cell": cell, "seed": seed}
            return {"type": "scores", **key, "seconds": seconds, "scores": listed}


def entry_of(line: Mapping[str, object]) -> Entry:
    """Read a line of a journal.

    Args:
        line: The line.

    Returns:
        What it says.

    Raises:
        ValueError: If it is of no known type, or not what its type must be.
    """
    match line.get("type"):
        case "setting":
            return Setting.from_fields(line.get("fields"))
        case "run":
            return Run.from_stored(line)
        case "scores":
            return ScoreRecord.from_line(line)
        case kind:
            raise ValueError(f"its type is {printable(repr(kind))[:40]}, expected setting, run or scores")
