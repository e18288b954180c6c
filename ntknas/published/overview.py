"""What a release holds, at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ntknas.published.cells import COLUMN
from ntknas.published.release import Release
from ntknas.published.way import Way

_VERSIONS = ("ntknas", "torch", "numpy", "python", "platform", "device", "threads")


@dataclass(frozen=True)
class WayOverview:
    """What a release holds of one way.

    Attributes:
        way: The way.
        networks: Number of networks that are scored, each once.
        statuses: Number of their scores by measure and status, of all seeds.
    """

    way: Way
    networks: int
    statuses: Mapping[str, Mapping[str, int]]

    @property
    def totals(self) -> dict[str, int]:
        """Number of scores by status."""
        names = dict.fromkeys(status for counts in self.statuses.values() for status in counts)
        return {name: sum(counts.get(name, 0) for counts in self.statuses.values()) for name in names}


@dataclass(frozen=True)
class Overview:
    """What a release holds.

    Attributes:
        release: The release.
        ways: What it holds of each way.
    """

    release: Release
    ways: list[WayOverview]

    @classmethod
    def of(cls, release: Release) -> Overview:
        """Count what a release holds; every score is read for it."""
        return cls(release, [_of_way(release, way) for way in release.ways.values()])

    @property
    def versions(self) -> dict[str, list[str]]:
        """What the scores were made with: every value of versions, device and threads."""
        infos = [run.info for run in self.release.environment.runs.values()]
        return {name: sorted({str(info[name]) for info in infos if name in info}) for name in _VERSIONS}

    @property
    def citation(self) -> str:
        """How to name the release."""
        release = self.release
        return f"ntknas, published scores {release.name}, version {release.version} ({release.manifest.licence})."

    def as_json(self) -> dict[str, object]:
        """Return plain data."""
        release = self.release
        ways = [
            {**held.way.as_json(), "networks": held.networks, "scores_by_measure_and_status": held.statuses}
            for held in self.ways
        ]
        return {
            "release": release.name,
            "version": release.version,
            "space": release.space,
            "licence": release.manifest.licence,
            "citation": self.citation,
            "folder": str(release.folder),
            "bytes": bytes_of(release),
            "cells": len(release.cells),
            "ways": ways,
            "open": [way.as_json() for way in release.open_ways],
            "versions": self.versions,
            "runs": {name: dict(run.info) for name, run in release.environment.runs.items()},
        }


def bytes_of(release: Release) -> int:
    """Return the bytes of a release, spectra apart."""
    return sum(entry.size for entry in release.manifest.files.values())


def _of_way(release: Release, way: Way) -> WayOverview:
    of_networks = release.cells.table.drop_duplicates(COLUMN[way.unit])["cell"]
    scores = release.frame([way.name], cells=of_networks)
    counts = scores.groupby(["measure", "status"], observed=True, sort=False).size()
    statuses: dict[str, dict[str, int]] = {}
    for (measure, status), number in counts.items():
        statuses.setdefault(str(measure), {})[str(status)] = int(number)
    return WayOverview(way, int(scores["cell"].nunique()), statuses)
