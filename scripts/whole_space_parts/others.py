"""What others published on the same cells, beside the scores of the release."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from page import interval, number, table
from suite_zero import FAILED, OURS

from ntknas import load_space
from ntknas.benchmarks import read_accuracies
from ntknas.correlation import Row, correlate
from ntknas.correlation.coefficients import kendall
from ntknas.published import Release
from whole_space_parts.findings import FIRST, Findings, targets

PUBLISHED = {("vilhess", "class_lambda_min"): 0.557, ("vilhess", "class_lambda_min_summed"): 0.557}
"""Rank correlations with the accuracies of cifar10-valid over all cells, as published; of which kind is not said."""
REACHABLE = "reachable"
"""The cells of NAS-Bench-Suite-Zero."""


def literature(findings: Findings) -> str:
    """Return published figures over all cells beside ours."""
    lines = []
    for (way, measure), figure in PUBLISHED.items():
        row = findings.get((way, measure), "all", FIRST)
        if row is not None:
            ours = [interval(row.kendall, 3), interval(row.spearman, 3)]
            lines.append([f"{measure} · {way}", number(figure, 3), str(row.n), *ours])
    return table(("score", "published", "cells here", "our τ [95 %]", "our ρ [95 %]"), lines)


def proxies(file: Path, release: Release, findings: Findings, resamples: int) -> str:
    """Return published proxies beside ours: τ with the accuracies of each, and between the two.

    Args:
        file: The proxies of NAS-Bench-Suite-Zero, one column each.
        release: The release.
        findings: Its findings.
        resamples: Resamples of intervals.
    """
    published = pd.DataFrame({name: read_accuracies(file, load_space("nb201"), name) for name in OURS})
    published = published.mask(published == FAILED)
    accuracies = {FIRST: targets()[FIRST]}
    answer = correlate(
        published.rename_axis("cell"), accuracies, space="nb201", lower_is_better=[], resamples=resamples
    )
    rows = {row.measure: row for row in answer.rows if not row.is_baseline}
    return table(_HEAD, [_line(name, rows[name], published[name].dropna(), release, findings) for name in OURS])


_HEAD = ("proxy", "cells", "its τ [95 %]", "ours", "our τ, reachable cells [95 %]", "τ between the two")


def _line(name: str, theirs: Row, scores: pd.Series, release: Release, findings: Findings) -> list[str]:
    ours, way = OURS[name], next((way for way, own in release.ways.items() if OURS[name] in own.measures), None)
    start = [name, str(theirs.n), interval(theirs.kendall)]
    if ours in ("flops", "parameters"):
        row = findings.get(("counts", ours), REACHABLE, FIRST)
        return [*start, ours, "–" if row is None else interval(row.kendall), "–"]
    row = None if way is None else findings.get((way, ours), REACHABLE, FIRST)
    if way is None or row is None:
        return [*start, "–", "–", "–"]
    own = release.frame([way], measures=[ours], seeds=release.ways[way].seeds[:1]).set_index("cell")["value"].dropna()
    cells = own.index.intersection(scores.index)
    pair = own[cells].to_numpy(np.float64), scores[cells].to_numpy(np.float64)
    sign = 1 if row.higher_is_better else -1
    return [*start, f"{ours} · {way}", interval(row.kendall), number(sign * kendall(*pair))]
