"""Pruning of a supernet by the changes of two ranks, as TE-NAS finds its cells: it computes kernels itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.lazy import importer_of
from ntknas.search.pruning.settings import AS_LAUNCHED, PruneSettings

if TYPE_CHECKING:
    from ntknas.search.pruning.candidates import Candidate, Measurement
    from ntknas.search.pruning.journal import Journal
    from ntknas.search.pruning.result import PruningResult, Round, Row
    from ntknas.search.pruning.run import prune_supernet

_HOME = {
    "Candidate": "candidates",
    "Journal": "journal",
    "Measurement": "candidates",
    "PruningResult": "result",
    "Round": "result",
    "Row": "result",
    "prune_supernet": "run",
}
__all__ = [
    "AS_LAUNCHED",
    "Candidate",
    "Journal",
    "Measurement",
    "PruneSettings",
    "PruningResult",
    "Round",
    "Row",
    "prune_supernet",
]
__getattr__ = importer_of({name: f"ntknas.search.pruning.{module}" for name, module in _HOME.items()})
