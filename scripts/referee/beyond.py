"""What a kernel knows that the drawing of a cell does not: every measure against structure, on four populations.

    python scripts/referee/beyond.py --store FILE.h5 [--out docs/results] [--resamples 1000]

FILE holds the scores of scripts/referee/ways.py. Targets are the embedded validation accuracies of NAS-Bench-201 on
three data sets (200 epochs, mean over training seeds). For every measure and way: Kendall's τ, partial τ given
effective parameters and live layers, and a paired test of τ against that of effective parameters, corrected by Holm's
method for all measures of a population and data set (normal, with the error of the bootstrap); resampled by network. Writes beyond-the-drawing.csv and its
picture, fills the tables of beyond-the-drawing.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from page import POPULATIONS, RECIPES, TARGETS, bar_group, filled, interval, kernel, number, table, way
from scipy import stats

from ntknas import load_benchmark, load_store
from ntknas.benchmarks.table import Target
from ntknas.core.holm import holm
from ntknas.correlation import Correlation, Row, correlate, difference_to
from ntknas.correlation.compare import Difference
from ntknas.report.figures import Bars
from ntknas.report.plotter import draw

STRUCTURE = "effective_parameters"
MIN_CELLS = 100
SHOWN_POPULATION, SHOWN = "reachable", 24
"""What the picture shows, and how many measures of it."""
_SETTING = (
    "NAS-Bench-201, the reachable ones of 500 random cells, official networks of 16 channels on CIFAR-10, one "
    "initialisation; intervals resampled by network. Named are measure (recipe) · output, batch norm."
)


@dataclass(frozen=True)
class Finding:
    """A measure on a population and data set.

    Attributes:
        row: Its row.
        kernel: Choices of its kernel.
        population: The population.
        difference: τ less that of effective parameters, on the same cells.
        p: The p-value of no difference, corrected for all measures of this population and data set.
    """

    row: Row
    kernel: str
    population: str
    difference: Difference | None
    p: float | None


def main() -> None:
    """Correlate, test, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--resamples", type=int, default=1000)
    arguments = parser.parse_args()
    scores = load_store(arguments.store)
    benchmark = load_benchmark("nb201")
    targets = {name: benchmark.table(Target.parse(name)) for name in TARGETS}
    findings = []
    for population in POPULATIONS:
        answer = correlate(scores, targets, population=population, resamples=arguments.resamples)
        findings += [finding for target in TARGETS for finding in _findings(answer, target, population)]
    frame = _frame(findings)
    frame.to_csv(arguments.out / "beyond-the-drawing.csv", index=False, float_format="%.4f")
    draw(picture(frame), arguments.out / "beyond-the-drawing.png")
    page = arguments.out / "beyond-the-drawing.md"
    text = page.read_text(encoding="utf-8")
    for population in POPULATIONS:
        of_population = [finding for finding in findings if finding.population == population]
        text = filled(text, population, _table(of_population))
    page.write_text(filled(text, "counts", _counts(findings)), encoding="utf-8")


def picture(frame: pd.DataFrame) -> Bars:
    """Return τ and partial τ of the measures that know most, on the first data set.

    Args:
        frame: What beyond-the-drawing.csv holds.
    """
    shown = frame[(frame["population"] == SHOWN_POPULATION) & (frame["target"] == TARGETS[0])]
    shown = shown[shown["recipe"] != "baseline"].sort_values("partial", ascending=False, kind="stable").head(SHOWN)
    labels = [_label(row.measure, row.recipe, row.kernel) for row in shown.itertuples()]
    groups = [bar_group(name, shown, field) for name, field in _GROUPS.items()]
    title = "What scores know of CIFAR-10 validation accuracy after 200 epochs, and beyond structure"
    return Bars(title, "Kendall τ-b, 95 % bootstrap interval", labels, groups, setting=_SETTING)


def _label(measure: str, recipe: str, kernel: str) -> str:
    published = recipe.split("+")[0]
    name = f"{measure} ({published})" if published in RECIPES else measure
    return name if kernel == "–" else f"{name} · {_brief(kernel)}"


def _brief(kernel: str) -> str:
    """Return output reduction and batch-norm policy, and an initialisation that is not the framework's."""
    choices, *others = kernel.split(", ")
    return ", ".join([*choices.split("/")[:2], *others[:-1]])


_GROUPS = {"τ": "kendall", "partial τ given effective parameters and live layers": "partial"}


def _findings(answer: Correlation, target: str, population: str) -> Iterator[Finding]:
    """Yield the measures of a target, those of structure included."""
    rows = [row for row in answer.of_target(target) if _is_shown(row)]
    differences = [None if row.is_baseline else difference_to(answer, row, STRUCTURE) for row in rows]
    tested = [_p(found) for found in differences if found]
    corrected = iter(holm(tested))
    for row, found in zip(rows, differences, strict=True):
        yield Finding(row, kernel(answer, row), population, found, next(corrected) if found else None)


def _is_shown(row: Row) -> bool:
    """Return whether a row belongs here: one of each score, on enough cells."""
    is_twice = row.measure == "neg_cond" or (row.recipe.startswith("vkdnw") and row.measure.startswith("az_"))
    return row.n >= MIN_CELLS and not is_twice


def _p(found: Difference) -> float:
    """Return the two-sided p-value of a normal difference, whose error the bootstrap's interval gives.

    By counting resamples p-values of a thousand could not stay small after correction for so many measures.
    """
    width = float(stats.norm.ppf(0.975) - stats.norm.ppf(0.025))
    return float(2 * stats.norm.sf(abs(found.value) / (found.high - found.low) * width))


def _table(findings: list[Finding]) -> str:
    """Return the measures of a population, one line each, the best partial τ on CIFAR-10 first."""
    lines: dict[tuple[str, str], dict[str, Finding]] = {}
    for finding in findings:
        lines.setdefault((finding.row.measure, finding.row.setting), {})[finding.row.target] = finding
    ordered = sorted(lines.values(), key=lambda line: -(line[TARGETS[0]].row.partial_kendall or -2))
    head = ["measure", "kernel", "cells"]
    for target in TARGETS:
        name = target.split("/")[0]
        head += [f"τ {name}", "partial τ [95 %]", "τ less structure's (p)"]
    return table(head, [_line(line) for line in ordered])


def _line(line: dict[str, Finding]) -> list[str]:
    first = line[TARGETS[0]]
    cells = [way(first.row), first.kernel, str(first.row.n)]
    for target in TARGETS:
        finding = line[target]
        cells += [number(finding.row.kendall.value), interval(finding.row.partial), _tested(finding)]
    return cells


def _tested(finding: Finding) -> str:
    if finding.difference is None or finding.p is None:
        return "–"
    return f"{finding.difference.value:+.2f} ({finding.p:.1g})"


def _counts(findings: list[Finding]) -> str:
    """Return how many measures know something, and how many beat structure, by population and data set."""
    lines = []
    for population in POPULATIONS:
        for target in TARGETS:
            own = [f for f in findings if (f.population, f.row.target) == (population, target) and f.p is not None]
            knowing = sum((f.row.partial.low or 0) > 0 for f in own)
            better = sum(f.difference.value > 0 and f.p <= 0.05 for f in own if f.difference and f.p is not None)
            worse = sum(f.difference.value < 0 and f.p <= 0.05 for f in own if f.difference and f.p is not None)
            lines.append([population, target, str(len(own)), str(knowing), str(better), str(worse)])
    return table(("population", "accuracies", "measures", "partial τ above 0", "τ above structure's", "below"), lines)


def _frame(findings: list[Finding]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "measure": f.row.measure,
            "recipe": f.row.recipe,
            "kernel": f.kernel,
            "population": f.population,
            "target": f.row.target,
            "cells": f.row.n,
            "networks": f.row.networks,
            "kendall": f.row.kendall.value,
            "kendall_low": f.row.kendall.low,
            "kendall_high": f.row.kendall.high,
            "partial": f.row.partial_kendall,
            "partial_low": f.row.partial.low,
            "partial_high": f.row.partial.high,
            "difference": f.difference and f.difference.value,
            "difference_low": f.difference and f.difference.low,
            "difference_high": f.difference and f.difference.high,
            "p_holm": f.p,
        }
        for f in findings
    )


if __name__ == "__main__":
    main()
