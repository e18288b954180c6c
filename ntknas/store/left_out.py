"""What a reading of a store had to leave out, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LeftOut:
    """Lines of a store's journals that were not read.

    Attributes:
        damaged: Lines whose checksum is wrong.
        orphans: Records whose setting's line is damaged or gone.
        misfits: Lines with a right checksum and wrong content.
        missing: Lines that are gone, by the numbers of those that follow.
        unfinished: Whether the last line of a journal is cut, as a killed process leaves it.
        nameless: Runs of scores whose own line is gone: their recipe and versions are not known.
    """

    damaged: int = 0
    orphans: int = 0
    misfits: int = 0
    missing: int = 0
    unfinished: bool = False
    nameless: int = 0

    @property
    def lines(self) -> int:
        """Number of lines that were left out."""
        return self.damaged + self.orphans + self.misfits + self.missing + self.unfinished

    def __bool__(self) -> bool:
        return bool(self.lines or self.nameless)

    def message(self, store: Path | str) -> str:
        """Return what to say of it; empty if nothing was left out."""
        kinds = {
            "damaged": self.damaged,
            "whose setting's line is damaged or gone": self.orphans,
            "that no version of ntknas writes": self.misfits,
            "gone": self.missing,
            "unfinished, left by a killed run": int(self.unfinished),
        }
        sentences = []
        if self.lines:
            counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
            sentences.append(f"{self.lines} line(s) of the journals are left out: {counts}.")
        if self.nameless:
            sentences.append(
                f"Recipe and versions of {self.nameless} run(s) are not known: their line is damaged or gone."
            )
        return f"Warning: {store}: {' '.join(sentences)} See ntknas store verify {store}" if sentences else ""
