"""The tables of what ways are worth, and their picture."""

from __future__ import annotations

import pandas as pd
from page import bar_group, filled, interval, number, table

from ntknas.published import Release
from ntknas.report.figures import Bars
from whole_space_parts.findings import COUNTS, FIRST, POPULATIONS, STRUCTURE, TARGETS, Finding, Findings

SHOWN = 25
"""How many rankings a population's table has; the CSV file has all."""
FIRST_CELLS = (10, 100, 1000)
_GROUPS = {"τ": "kendall", "partial τ given structure": "partial"}


def parts(release: Release, findings: Findings) -> dict[str, str]:
    """Return what the page says of the release and of every population, by marker."""
    of_populations = {population: _population(findings, population) for population in POPULATIONS}
    return {
        "release": _release(release),
        "ways": _ways(release),
        "open": _open(release),
        "every way": _every_way(findings),
        "first cells": _first_cells(findings),
        "counted": _counted(findings),
        **of_populations,
    }


def _release(release: Release) -> str:
    rows = release.networks
    return (
        f"Release {release.name} {release.version}: {len(release.ways)} ways, {len(rows):,} networks, "
        f"{len(release.cells.indices):,} cells."
    )


def _ways(release: Release) -> str:
    lines = [
        [way.name, way.title, str(len(way.seeds)), way.unit, str(len(way.measures)), number(way.core_hours, 1)]
        for way in release.ways.values()
    ]
    return table(("way", "what it is", "seeds", "unit", "measures", "core-hours"), lines)


def _open(release: Release) -> str:
    if not release.open_ways:
        return "None is open."
    lines = [
        [way.name, way.missing, "–" if way.core_hours is None else number(way.core_hours, 1)]
        for way in release.open_ways
    ]
    return table(("open way", "what is missing", "core-hours"), lines)


def _every_way(findings: Findings) -> str:
    """Return the best measure of each way on all cells, and structure, on the three data sets."""
    keys = [finding.key for finding in findings.best().values()] + [(COUNTS, STRUCTURE)]
    lines = []
    for key in keys:
        rows = [findings.get(key, "all", target) for target in TARGETS]
        first = rows[0]
        figures = ["–" if row is None else interval(row.kendall, 3) for row in rows]
        partial = "–" if first is None else interval(first.partial, 3)
        rho = "–" if first is None else interval(first.spearman, 3)
        lines.append([_name(key), "–" if first is None else str(first.n), *figures, rho, partial])
    heads = [f"τ {target.split('/')[0]} [95 %]" for target in TARGETS]
    return table(("best measure · way", "cells", *heads, f"ρ {_short(FIRST)}", f"partial τ {_short(FIRST)}"), lines)


def _first_cells(findings: Findings) -> str:
    """Return what the same rankings put first."""
    keys = [finding.key for finding in findings.best().values()] + [(COUNTS, STRUCTURE)]
    lines = []
    for key in keys:
        row = findings.get(key, "all", FIRST)
        if row is not None:
            gains = [number(row.ndcg.get(p), 3) for p in FIRST_CELLS]
            best = [number(row.best_of.get(k)) for k in (1, 10, 100)]
            tops = [interval(row.kendall_top10), interval(row.kendall_top25)]
            lines.append([_name(key), *gains, number(row.precision_top10), *tops, *best])
    heads = [f"nDCG@{p}" for p in FIRST_CELLS]
    tops = ("τ top 10 % [95 %]", "τ top 25 % [95 %]")
    return table(("best measure · way", *heads, "precision top 10 %", *tops, "best of 1", "of 10", "of 100"), lines)


def _name(key: tuple[str, str]) -> str:
    way, measure = key
    return measure if way == COUNTS else f"{measure} · {way}"


def _short(target: str) -> str:
    return target.split("/")[0]


def _population(findings: Findings, population: str) -> str:
    """Return the rankings of a population that have the largest τ, and every count."""
    found = findings.of(population, FIRST)
    shown = [finding for place, finding in enumerate(found) if place < SHOWN or finding.way == COUNTS]
    head = ["ranking", "cells"]
    for target in TARGETS:
        head += [f"τ {_short(target)} [95 %]", "partial τ [95 %]"]
    return table(head, [_line(findings, finding) for finding in shown])


def _line(findings: Findings, finding: Finding) -> list[str]:
    cells = [finding.name, str(finding.row.n)]
    for target in TARGETS:
        row = findings.get(finding.key, finding.population, target)
        cells += ["–", "–"] if row is None else [interval(row.kendall), interval(row.partial)]
    return cells


def _counted(findings: Findings) -> str:
    """Return how many rankings know something beyond structure, and how many have a larger τ."""
    lines = []
    for population in POPULATIONS:
        for target in TARGETS:
            found = findings.of(population, target)
            structure = next((f.row for f in found if f.row.measure == STRUCTURE), None)
            own = [f for f in found if f.way != COUNTS]
            larger = sum(structure is not None and f.tau > (structure.kendall.value or -2) for f in own)
            lines.append([population, _short(target), str(len(own)), str(sum(map(_is_above, own))), str(larger)])
    head = ("population", "accuracies", "rankings", "partial τ above 0 (interval)", f"τ above {STRUCTURE}'s")
    return table(head, lines)


def _is_above(finding: Finding) -> bool:
    ends = finding.row.partial.interval
    return ends is not None and ends[0] > 0


def picture(frame: pd.DataFrame) -> Bars:
    """Return τ and partial τ of every way's best measure, and of structure, on all cells.

    Args:
        frame: What whole-space.csv holds.
    """
    found = frame[(frame["population"] == "all") & (frame["target"] == FIRST)]
    found = found.sort_values("kendall", ascending=False, kind="stable")
    best = found[found["way"] != COUNTS].drop_duplicates("way")
    shown = pd.concat([best, found[(found["way"] == COUNTS) & (found["measure"] == STRUCTURE)]])
    shown = shown.sort_values("kendall", ascending=False, kind="stable")
    labels = [row.measure if row.way == COUNTS else f"{row.way}: {row.measure}" for row in shown.itertuples()]
    groups = [bar_group(name, shown, field) for name, field in _GROUPS.items()]
    title = "Every way by its best measure, and structure"
    setting = f"CIFAR-10 validation accuracy after 200 epochs; NAS-Bench-201, all cells with a score ({int(best['cells'].min()):,}); intervals over networks, and initialisations where a way has several seeds."
    return Bars(title, "Kendall τ-b, 95 % interval", labels, groups, setting=setting)


__all__ = ["filled", "parts", "picture"]
