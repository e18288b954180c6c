"""What scores know of fifty targets: structure, kernels and baselines against every imported table of nb201's cells.

    ntknas bench import FILES ...                       # the tables that are to be targets, once
    python scripts/targets_page.py [--release nb201] [--sample FILE.h5] [--bench-data bench_data]

On all cells: every published way (its measures over all seeds) and the counts. On the committed sample of 500 cells:
all measures that were taken there. Writes targets.csv and targets-sample.csv (every τ, ρ and partial τ), the heat map of
the whole space, and what stands between the markers of docs/results/targets.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from referee.page import filled, interval, table

from ntknas import load_store
from ntknas.benchmarks.table import AccuracyTable
from ntknas.correlation import Estimate, over_targets
from ntknas.correlation.overview import Agreement, Overview
from ntknas.correlation.sources import ALL, AccuracySource
from ntknas.published.source import read_scores
from ntknas.report.overview_figures import over_targets as heat_map
from ntknas.report.plotter import draw

UNKNOWN = 0.3
"""A target is not predicted where no |τ| is as large."""
TWINS = ("neg_cond", "flops", "effective_flops")
"""They rank as another one does."""
SPACE = "nb201"


@dataclass(frozen=True)
class Best:
    """What is best for a target.

    Attributes:
        count: The count with the largest |τ|.
        measure: The measure with the largest |τ|.
        beyond: The measure with the largest |partial τ| given structure.
    """

    count: Agreement
    measure: Agreement
    beyond: Agreement


def main() -> None:
    """Correlate, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="published:nb201")
    parser.add_argument("--sample", type=Path, default=Path("docs/results/referee/scores.h5"))
    parser.add_argument("--bench-data", type=Path, default=Path("bench_data"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    whole = _without_twins(read_scores(arguments.release))
    sample = _without_twins(load_store(arguments.sample))
    tables = AccuracySource(target=(ALL,), bench_data=arguments.bench_data).of(SPACE, whole)
    on_all, on_sample = over_targets(whole, tables), over_targets(sample, tables)
    for overview, name in ((on_all, "targets.csv"), (on_sample, "targets-sample.csv")):
        _frame(overview).to_csv(arguments.out / name, index=False, float_format="%.4f")
    draw(heat_map(on_all, "kendall"), arguments.out / "targets.png")
    draw(heat_map(on_all, "partial"), arguments.out / "targets-partial.png")
    page = arguments.out / "targets.md"
    text = page.read_text(encoding="utf-8")
    best = _with_intervals(whole, tables, _best(on_all))
    parts = {
        "targets": _targets(on_all),
        "best": _bests(on_all, best),
        "unknown": _unknown(on_all, best),
        "structure": _structure(best),
        "sample": _bests(on_sample, _best(on_sample)),
    }
    for name, content in parts.items():
        text = filled(text, name, content)
    page.write_text(text, encoding="utf-8")


def _frame(overview: Overview) -> pd.DataFrame:
    """Return every coefficient, without what all rows have in common."""
    lines = [
        {
            "target": row.target,
            "measure": overview.name_of(row),
            "cells": row.n,
            "kendall": row.kendall.value,
            "spearman": row.spearman.value,
            "partial": row.partial.value,
        }
        for row in overview.rows
    ]
    return pd.DataFrame(lines)


def _without_twins(scores: pd.DataFrame) -> pd.DataFrame:
    kept = scores[~scores["measure"].isin(TWINS)]
    kept.attrs = scores.attrs
    return kept


def _best(overview: Overview) -> dict[str, Best]:
    """Return what is best for each target."""
    found = {}
    for target in overview.targets:
        rows = [row for row in overview.rows if row.target == target and row.measure not in TWINS]
        counts = [row for row in rows if row.is_baseline]
        measures = [row for row in rows if not row.is_baseline]
        found[target] = Best(
            max(counts, key=lambda row: _size(row.kendall)),
            max(measures, key=lambda row: _size(row.kendall)),
            max(measures, key=lambda row: _size(row.partial)),
        )
    return found


def _size(estimate: Estimate) -> float:
    return -1.0 if estimate.value is None else abs(estimate.value)


def _with_intervals(
    scores: pd.DataFrame, tables: Mapping[str, AccuracyTable], best: Mapping[str, Best]
) -> dict[str, Best]:
    """Return the same with intervals."""
    rows = {row.key: row for of in best.values() for row in (of.count, of.measure, of.beyond)}
    measures = dict.fromkeys(row.measure for row in rows.values() if not row.is_baseline)
    answer = {row.key: row for row in over_targets(scores, tables, measures=list(measures), intervals=True).rows}
    return {
        target: Best(answer[of.count.key], answer[of.measure.key], answer[of.beyond.key]) for target, of in best.items()
    }


def _targets(overview: Overview) -> str:
    lines = [
        [
            name,
            f"{summary.quantity.name}{f' ({summary.quantity.unit})' if summary.quantity.unit else ''}",
            "higher" if summary.quantity.higher_is_better else "lower",
            summary.quantity.measured_on or "–",
            f"{summary.cells_with_accuracy:,}",
            "–" if summary.measurements is None else f"{summary.measurements:,}",
        ]
        for name, summary in overview.targets.items()
    ]
    return table(("target", "quantity", "better", "measured on", "scored cells", "measurements"), lines)


def _bests(overview: Overview, best: Mapping[str, Best]) -> str:
    lines = [
        [
            target,
            f"{of_target.count.measure} {interval(of_target.count.kendall)}",
            f"{overview.name_of(of_target.measure)} {interval(of_target.measure.kendall)}",
            f"{overview.name_of(of_target.beyond)} {interval(of_target.beyond.partial)}",
        ]
        for target, of_target in best.items()
    ]
    return table(("target", "best count, τ", "best measure, τ", "most beyond structure, partial τ"), lines)


def _unknown(overview: Overview, best: Mapping[str, Best]) -> str:
    """Return the targets that nothing predicts."""
    lines = [
        [target, interval(of.count.kendall), f"{overview.name_of(of.measure)} {interval(of.measure.kendall)}"]
        for target, of in best.items()
        if max(_size(of.count.kendall), _size(of.measure.kendall)) < UNKNOWN
    ]
    if not lines:
        return f"None: every target has a count or a measure with |τ| of {UNKNOWN} or more."
    return table(("target", "best count, τ", "best measure, τ"), lines)


def _structure(best: Mapping[str, Best]) -> str:
    """Say how often a measure ranks better than every count, and how much is left given structure."""
    return "\n".join(_sentences(best))


def _sentences(best: Mapping[str, Best]) -> Iterator[str]:
    above = [target for target, of in best.items() if _size(of.measure.kendall) > _size(of.count.kendall)]
    beyond = sorted(best.items(), key=lambda item: -_size(item[1].beyond.partial))
    yield f"- Of {len(best)} targets {len(above)} are ranked better by a measure than by every count (|τ|)."
    for target, of in (*beyond[:3], *beyond[-3:]):
        yield f"- {target}: given structure {of.beyond.measure} keeps {interval(of.beyond.partial)}."


if __name__ == "__main__":
    main()
