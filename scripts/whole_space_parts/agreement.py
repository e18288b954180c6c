"""Whether ways agree with one another, and with themselves under another seed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from page import interval, number, table

from ntknas.correlation import correlate
from ntknas.correlation.coefficients import kendall
from ntknas.published import Release
from ntknas.report.figures import Matrix
from whole_space_parts.findings import COUNTS, FIRST, STRUCTURE, Finding, Findings, targets

Key = tuple[str, str]
MIN_NETWORKS = 100
NO_SEEDS = "No way has several seeds yet."


def between(a: pd.Series, b: pd.Series) -> tuple[float | None, int]:
    """Return τ between two scores on the networks that both have, and their number."""
    networks = a.index.intersection(b.index)
    if len(networks) < MIN_NETWORKS:
        return None, len(networks)
    tau = kendall(a[networks].to_numpy(np.float64), b[networks].to_numpy(np.float64))
    return (tau if np.isfinite(tau) else None), len(networks)


def shown_keys(findings: Findings) -> list[Key]:
    """Return the best measure of each way, and structure."""
    keys = [finding.key for finding in findings.best().values()]
    return [key for key in [*keys, (COUNTS, STRUCTURE)] if key in findings.scores]


def picture(pairs: pd.DataFrame) -> Matrix:
    """Return τ between the scores of ways, each by its best measure, and structure.

    Args:
        pairs: As from ``frame``: what stands beside structure are the best measures.
    """
    ends = zip(pairs["way"], pairs["measure"], pairs["other_way"], pairs["other_measure"], strict=True)
    taus = {((a, b), (c, d)): tau for (a, b, c, d), tau in zip(ends, pairs["kendall"], strict=True)}
    taus |= {(b, a): tau for (a, b), tau in taus.items()}
    structure = (COUNTS, STRUCTURE)
    keys = [*(other for one, other in taus if one == structure), structure]
    names = [measure if way == COUNTS else f"{way}: {measure}" for way, measure in keys]
    values = np.array([[1.0 if a == b else taus.get((a, b), np.nan) for b in keys] for a in keys])
    title = "Kendall τ between ways, each by its best measure"
    setting = f"NAS-Bench-201, {int(pairs['networks'].max()):,} networks, each once."
    return Matrix(title, names, names, values, setting=setting)


def frame(findings: Findings) -> pd.DataFrame:
    """Return τ between the best measures of all ways, and between the ways that have a measure in common."""
    keys, chosen = sorted(findings.scores), set(shown_keys(findings))
    pairs = [(a, b) for a, b in combinations(keys, 2) if {a, b} <= chosen or a[1] == b[1]]
    lines = []
    for a, b in pairs:
        tau, networks = between(findings.scores[a], findings.scores[b])
        lines.append((*a, *b, networks, tau))
    return pd.DataFrame(lines, columns=["way", "measure", "other_way", "other_measure", "networks", "kendall"])


def measures_table(pairs: pd.DataFrame) -> str:
    """Return for each measure how well ways that differ in the kernel agree on it.

    Args:
        pairs: As from ``frame``.
    """
    same = pairs[(pairs["measure"] == pairs["other_measure"]) & pairs["kendall"].notna()]
    lines = []
    for measure, rows in sorted(same.groupby("measure"), key=lambda item: -item[1]["kendall"].median()):
        rows = rows.sort_values("kendall")
        ends = [f"{number(row.kendall)} ({row.way}, {row.other_way})" for row in rows.iloc[[0, -1]].itertuples()]
        lines.append([str(measure), str(len(rows)), ends[0], number(rows["kendall"].median()), ends[1]])
    return table(("measure", "pairs of ways", "least τ", "median", "largest τ"), lines)


def seeds_table(release: Release, findings: Findings) -> str:
    """Return τ between seeds of the ways that have several, with the share of the variance that lies between them.

    Args:
        release: The release.
        findings: Its findings.
    """
    ways = _with_several_seeds(release)
    if not ways:
        return NO_SEEDS
    rows = {finding.key: finding.row for finding in findings.of("all", FIRST)}
    measures = list(dict.fromkeys(f.row.measure for f in _by_worth(findings) if f.way in ways))
    lines = []
    for measure in measures:
        own = [rows.get((way, measure)) for way in ways]
        lines.append(
            [measure, *("–" if row is None else _of_seeds(row.seed_kendall, row.seed_variance) for row in own)]
        )
    return table(("measure", *(f"{way}, {len(seeds)} seeds" for way, seeds in ways.items())), lines)


def by_seed_table(release: Release, findings: Findings) -> str:
    """Return τ with accuracies under every single seed, and of all together, for the ways that have several.

    Args:
        release: The release.
        findings: Its findings.
    """
    ways = _with_several_seeds(release)
    if not ways:
        return NO_SEEDS
    accuracies = {FIRST: targets()[FIRST]}
    most = max(ways.values(), key=len)
    taus: dict[tuple[Key, int], float | None] = {}
    for way, seeds in ways.items():
        for seed in seeds:
            rows = correlate(release.frame([way], seeds=[seed]), accuracies).rows
            taus |= {((way, row.measure), seed): row.kendall.value for row in rows}
    lines = [
        [f.name, *(number(taus.get((f.key, seed)), 3) for seed in most), interval(f.row.kendall, 3)]
        for f in _by_worth(findings)
        if f.way in ways
    ]
    return table(("ranking", *(f"τ, seed {seed}" for seed in most), "τ, all seeds together [95 %]"), lines)


def _with_several_seeds(release: Release) -> dict[str, Sequence[int]]:
    return {name: way.seeds for name, way in release.ways.items() if len(way.seeds) > 1}


def _by_worth(findings: Findings) -> list[Finding]:
    return findings.of("all", FIRST)


def _of_seeds(tau: float | None, share: float | None) -> str:
    return number(tau, 3) + ("" if share is None else f" ({100 * share:.1f} %)")
