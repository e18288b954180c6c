"""The log of what measures, networks and spaces raised in the course of a run."""

from __future__ import annotations

from ntknas.core.display import printable
from ntknas.scoring.faults import LOG
from ntknas.scoring.progress import KernelDone


class FaultLog:
    """Logs every fault of a run, and the traceback of each kind once: a whole space may have one and the same."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def add(self, report: KernelDone) -> None:
        """Log what cost measures of an item their scores; the traceback comes from whichever process computed it."""
        item = report.item
        for traceback in dict.fromkeys(report.tracebacks.values()):
            measures = [name for name, text in report.tracebacks.items() if text == traceback]
            score = report.scores[measures[0]]
            details = "Its traceback is above." if score.reason in self._logged else traceback
            self._logged.add(score.reason)
            subject = f"cell {', '.join(map(str, item.members))}, seed {item.seed}, epoch {item.epoch}"
            text = f"{subject}, {', '.join(measures)}: {score.status.value}: {score.reason}\n{details}"
            LOG.warning("%s", printable(text, lines=True))  # a handler may fail at half a surrogate pair
