"""What is taken of a journal's entries, and what has to be left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

from ntknas.store import journal
from ntknas.store.faults import DamagedStoreError
from ntknas.store.journal import JournalContent
from ntknas.store.records import Entry, ScoreRecord, entry_of
from ntknas.store.run import Run
from ntknas.store.setting import Setting
from ntknas.store.waiting import Waiting


@dataclass
class Intake:
    """One journal, as far as it could be taken.

    Attributes:
        path: The journal.
        content: What it says of itself.
        settings: The settings that it names, by digest.
        runs: The runs that it names, by identifier.
        foreign: Numbers of records whose setting it does not name, by the setting's digest.
        misfits: What is wrong with lines whose checksum is right, one sentence each; they are left out.
    """

    path: Path
    content: JournalContent = field(default_factory=JournalContent)
    settings: dict[str, Setting] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    foreign: Counter[str] = field(default_factory=Counter)
    misfits: list[str] = field(default_factory=list)

    def orphans(self, settings: Container[str]) -> int:
        """Return the number of records whose setting is not among those that are known: its line is damaged or gone."""
        return sum(count for digest, count in self.foreign.items() if digest not in settings)

    def has_leftovers(self, settings: Container[str]) -> bool:
        """Return whether lines could not be taken, which must be kept aside."""
        return bool(self.content.damaged or self.misfits or self.orphans(settings))

    def take(self, waiting: Waiting, *, lenient: bool) -> None:
        """Read the journal.

        Args:
            waiting: Takes its scores, of settings that are known or become so.
            lenient: Whether a line with a right checksum and wrong content is left out, rather than an error.

        Raises:
            StoreError: If it is not a journal, of another version, or cannot be read.
            DamagedStoreError: If an entry is not what it must be; the message names file, line and field.
        """
        for number, line in journal.stream(self.path, self.content):
            try:
                self._take(entry_of(line), waiting)
            except ValueError as error:
                fault = f"{self.path}, line {number}: {error}"
                if not lenient:
                    raise DamagedStoreError(
                        f"{fault}. Its checksum is right, so that another program, or another version of ntknas, "
                        f"wrote it; to go on without: ntknas store repair {_store_of(self.path)}"
                    ) from error
                self.misfits.append(fault)

    def _take(self, entry: Entry, waiting: Waiting) -> None:
        match entry:
            case Setting():
                self.settings[entry.digest] = entry
            case Run():
                self.runs[entry.identifier] = entry
            case ScoreRecord():
                waiting.add(entry)
                if entry.setting not in self.settings:  # the file or another journal may name it: see orphans
                    self.foreign[entry.setting] += 1


def _store_of(path: Path) -> Path:
    return path.with_name(path.name.partition(".journal")[0])
