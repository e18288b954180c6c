"""Every way and measure of a release against accuracies, on every population."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import pandas as pd
from beyond import MIN_CELLS, POPULATIONS, STRUCTURE, TARGETS

from ntknas import load_benchmark
from ntknas.benchmarks.table import AccuracyTable, Target
from ntknas.correlation import Row, correlate
from ntknas.published import Release

FIRST = TARGETS[0]
COUNTS = "counts"
"""What stands in place of a way beside the counts."""


@dataclass(frozen=True)
class Finding:
    """A measure of one way on a population.

    Attributes:
        way: Name of the way; ``counts`` of a count.
        population: The population.
        row: Its row.
    """

    way: str
    population: str
    row: Row

    @property
    def key(self) -> tuple[str, str]:
        """Way and measure."""
        return self.way, self.row.measure

    @property
    def name(self) -> str:
        """Way and measure in words."""
        return self.row.measure if self.way == COUNTS else f"{self.row.measure} · {self.way}"

    @property
    def tau(self) -> float:
        """τ, to sort by."""
        value = self.row.kendall.value
        return -2.0 if value is None else value


@dataclass(frozen=True)
class Findings:
    """All that was found of a release.

    Attributes:
        rows: Every measure of every way on every population and target.
        scores: Signed scores on the networks, by way and measure.
    """

    rows: list[Finding]
    scores: dict[tuple[str, str], pd.Series]

    def of(self, population: str, target: str) -> list[Finding]:
        """Return the findings of one population and target, the largest τ first."""
        found = [f for f in self.rows if (f.population, f.row.target) == (population, target)]
        return sorted(found, key=lambda finding: -finding.tau)

    def best(self) -> dict[str, Finding]:
        """Return the measure of each way that has the largest τ on all cells and the first data set."""
        best: dict[str, Finding] = {}
        for finding in self.of("all", FIRST):
            if finding.way != COUNTS:
                best.setdefault(finding.way, finding)
        return best

    def get(self, key: tuple[str, str], population: str, target: str) -> Row | None:
        """Return the row of a way's measure, if there is one."""
        found = (f.row for f in self.rows if (f.key, f.population, f.row.target) == (key, population, target))
        return next(found, None)


def targets() -> dict[str, AccuracyTable]:
    """Return the accuracies that scores are held against."""
    benchmark = load_benchmark("nb201")
    return {name: benchmark.table(Target.parse(name)) for name in TARGETS}


def find(release: str, names: Iterable[str], resamples: int, jobs: int) -> Findings:
    """Correlate every way on every population.

    Args:
        release: Name or folder of the release.
        names: Its ways.
        resamples: Resamples of intervals of few cells.
        jobs: Processes.
    """
    tasks = [(release, way, population, resamples) for way, population in product(names, POPULATIONS)]
    rows: dict[tuple[str, str, str, str], Finding] = {}
    scores: dict[tuple[str, str], pd.Series] = {}
    with ProcessPoolExecutor(jobs) as pool:
        for found, on_networks in pool.map(_correlate, *zip(*tasks, strict=True)):
            for finding in found:  # the counts stand beside every way
                rows.setdefault((*finding.key, finding.population, finding.row.target), finding)
            scores |= {key: values for key, values in on_networks.items() if key not in scores}
    return Findings(list(rows.values()), scores)


def _correlate(
    release: str, way: str, population: str, resamples: int
) -> tuple[list[Finding], dict[tuple[str, str], pd.Series]]:
    """Return a way's rows on one population; of ``distinct`` also the scores, in the order of the first target."""
    answer = correlate(Release.open(release).frame([way]), targets(), population=population, resamples=resamples)
    rows = [row for row in answer.rows if row.n >= MIN_CELLS and row.measure != "neg_cond"]
    found = [Finding(COUNTS if row.is_baseline else way, population, row) for row in rows]
    if population != "distinct":
        return found, {}
    return found, {f.key: answer.points[f.row.key]["score"] for f in found if f.row.target == FIRST}


def frame(findings: Findings) -> pd.DataFrame:
    """Return every figure as a table."""
    return pd.DataFrame(map(_line, findings.rows))


def _line(finding: Finding) -> dict[str, object]:
    row = finding.row
    line: dict[str, object] = {"way": finding.way, "measure": row.measure, "population": finding.population}
    line |= {"target": row.target, "cells": row.n, "networks": row.networks}
    line["left_out"] = sum(row.left_out.values())
    for name, estimate in _estimates(row):
        line |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    for name in ("ndcg", "best_of", "precision"):
        line |= {f"{name}_{number}": value for number, value in getattr(row, name).items()}
    others = ("precision_top10", "weighted_kendall", "regret", "seed_kendall", "seed_variance", "ties")
    return line | {name: getattr(row, name) for name in others}


def _estimates(row: Row) -> Iterator[tuple[str, object]]:
    for name in ("kendall", "spearman", "kendall_top10", "kendall_top25", "partial"):
        yield name, getattr(row, name)


__all__ = ["COUNTS", "FIRST", "POPULATIONS", "STRUCTURE", "TARGETS", "Finding", "Findings", "find", "frame", "targets"]
