"""The log of what measures, networks and spaces raised in the course of a run."""

from __future__ import annotations

from ntknas.scoring.faults import LOG
from ntknas.scoring.progress import KernelDone


class FaultLog:
    """Logs every fault of a run, and the traceback of each kind once: a whole space may have one and the same."""

    def __init__(self) -> None:
        self._logged: set[tuple[str, str]] = set()

    def add(self, report: KernelDone) -> None:
        """Log what cost measures of an item their scores; the traceback comes from whichever process computed it."""
        item = report.item
        for traceback in dict.fromkeys(report.tracebacks.values()):
            measures = [name for name, text in report.tracebacks.items() if text == traceback]
            score = report.scores[measures[0]]
            kind = (measures[0], score.reason)
            shown = "its traceback is above" if kind in self._logged else traceback
            self._logged.add(kind)
            LOG.warning(
                "cell %s, seed %s, epoch %s, %s: %s: %s\n%s",
                *(item.cell, item.seed, item.epoch, ", ".join(measures), score.status.value, score.reason, shown),
            )
