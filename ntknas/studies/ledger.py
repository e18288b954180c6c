"""The ledger of studies: what was measured, each unit kept before the next begins."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from ntknas.core.digest import json_digest
from ntknas.core.errors import StoreError
from ntknas.store import journal
from ntknas.studies.base import Row, Study, Unit


class Ledger:
    """The units of studies that are done, in an append-only file; a run that is killed goes on with the next unit.

    Args:
        path: The file; its folder exists.

    Attributes:
        damaged: Number of damaged lines, whose units are measured again.

    Raises:
        StoreError: If it is no journal, or another process writes it.
    """

    def __init__(self, path: Path):
        try:
            self._writer = journal.JournalWriter(path)  # before it is read: it holds the lock
            content = journal.read(path)
        except StoreError as error:
            raise StoreError(str(error).replace("`store`", "`out`")) from error
        self.damaged = len(content.damaged)
        self._done = {
            # As text: a unit is a tuple, and comes back from JSON as a list.
            (str(entry["study"]), json.dumps(entry["unit"])): cast(list[Row], entry["rows"])
            for entry in content.entries
            if entry.get("type") == "unit" and {"study", "unit", "rows"} <= set(entry)
        }

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def rows(self, study: Study, unit: Unit) -> list[Row] | None:
        """Return the rows of a unit, or ``None`` if it is not done."""
        return self._done.get((digest(study), json.dumps(unit)))

    def add(self, study: Study, unit: Unit, rows: list[Row], seconds: float) -> None:
        """Keep the rows of a unit.

        Args:
            study: The study.
            unit: The unit.
            rows: Its rows.
            seconds: How long it took.

        Raises:
            StoreError: If they cannot be written.
        """
        key = digest(study)
        self._writer.append({"type": "unit", "study": key, "unit": unit, "rows": rows, "seconds": seconds})
        self._done[key, json.dumps(unit)] = rows


def digest(study: Study) -> str:
    """Return what stands for a study's name and settings."""
    return json_digest({"name": study.name, **study.settings()})


def run(study: Study, ledger: Ledger) -> Iterator[list[Row]]:
    """Measure the units that are not done.

    Args:
        study: The study.
        ledger: What was measured before; takes what is measured now.

    Yields:
        The rows of each unit, done before or now.
    """
    for unit in study.units():
        rows = ledger.rows(study, unit)
        if rows is None:
            start = time.perf_counter()
            rows = study.measure(unit)
            ledger.add(study, unit, rows, time.perf_counter() - start)
        yield rows
