"""How a run went, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ntknas.core.shown import Shown, counted

MAX_REASONS = 3
"""Different reasons of failures that are shown."""


@dataclass(frozen=True, repr=False)
class Summary(Shown):
    """How a run went.

    Attributes:
        store: The store; ``None`` where none was kept.
        cells: Number of cells that were asked for.
        seeds: Number of seeds.
        kernels_computed: Number of kernels that were computed.
        kernels_stored_before: Number of (cell, seed, kernel) that the store held before.
        statuses: Number of new scores by status.
        failed: Number of new scores whose computation failed; the same call tries them again.
        reasons: Number of failures by reason, the most frequent first.
        cells_left_out: Number of cells that were named and are not of the population that was asked for.
        kernels_published: Number of (cell, seed, kernel) that were taken from published scores.
    """

    store: Path | None
    cells: int
    seeds: int
    kernels_computed: int
    kernels_stored_before: int
    statuses: Mapping[str, int]
    failed: int
    reasons: Mapping[str, int]
    cells_left_out: int = 0
    kernels_published: int = 0

    @property
    def main_reasons(self) -> dict[str, int]:
        """The most frequent reasons."""
        return dict(islice(self.reasons.items(), MAX_REASONS))

    def as_json(self) -> dict[str, object]:
        """Return the summary as plain data."""
        return {
            "store": str(self.store),
            "cells": self.cells,
            "cells_left_out": self.cells_left_out,
            "seeds": self.seeds,
            "kernels_computed": self.kernels_computed,
            "kernels_stored_before": self.kernels_stored_before,
            "kernels_published": self.kernels_published,
            "scores_by_status": dict(self.statuses),
            "failed": self.failed,
            "reasons": self.main_reasons,
        }

    def _line(self) -> str:
        by_status = ", ".join(f"{count:,} {status}" for status, count in self.statuses.items()) or "no new scores"
        kernels = f"{self.kernels_computed:,} kernels computed, {self.kernels_stored_before:,} stored before"
        published = f", {self.kernels_published:,} published" if self.kernels_published else ""
        cells = f"{counted(self.cells, 'cell')} × {counted(self.seeds, 'seed')}"
        return f"{cells}: {by_status}; {kernels}{published}; store {self.store or 'none'}"
