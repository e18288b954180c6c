"""Every measure on 300 random NAS-Bench-201 cells, every recipe at its published size on ten, beside published figures.

    python scripts/published_recipes.py --image-data FOLDER --accuracies FILE.csv --column NAME [--out docs/results]

fills the tables between the markers of published-recipes.md and draws its picture. FOLDER holds cifar-10-batches-py;
the CSV file has a column ``index`` (or the architecture strings) and the accuracies. Takes some hours on one core; an
interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from page_tables import COUNTS, KENDALL, MUTED, TARGETS, group, numbers, read_table, without_twins
from small_pictures import draw_small

from ntknas import load_space, load_store
from ntknas.benchmarks import read_accuracies
from ntknas.correlation import Correlation, Estimate, Row, correlate
from ntknas.correlation.bootstrap import draw_resamples, estimate
from ntknas.report.figures import Bars
from ntknas.scoring.cells import select
from ntknas.scoring.recipe_file import recipe_names

SAMPLE = ["--cells", "300", "--cells-seed", "1"]
MEASURES = [
    ["--recipe", "zero-cost-nas"],
    "--measures naswot,linear_regions,zen --probe-size 64 --draw random --augment crop-flip".split(),
    "--measures kernel,regression --probe-size 64".split(),
    ["--recipe", "recommended"],
]
"""What is scored on the sample: baselines on batches as published, kernels on 64 images."""
FULL_SIZE = ["--cells", "10", "--cells-seed", "1"]
PUBLISHED = {
    "grad_norm": 0.594,
    "snip": 0.596,
    "grasp": 0.514,
    "fisher": 0.360,
    "synflow": 0.737,
    "synflow_code": 0.737,  # the two rank alike; the published score is this one
    "jacob_cov": 0.731,
}
"""|ρ| with the test accuracy on CIFAR-10, all cells (Abdelfattah et al., ICLR 2021)."""
_SETTING = (
    "NAS-Bench-201, 296 of 300 random cells (four are disconnected), official networks of 16 channels, one "
    "initialisation; 64 CIFAR-10 images; kernels of the sum of the outputs (label for class_lambda_min) under frozen "
    "batch norm but for recipes, which are named in brackets; 95 % bootstrap intervals. "
    f"Grey: {MUTED}."
)


def main() -> None:
    """Score, correlate, fill the page."""
    arguments = _parse()
    images = ["--image-data", str(arguments.image_data)]
    sample, full = arguments.stores / "sample.h5", arguments.stores / "full-size.h5"
    for options in MEASURES:
        _ntknas("score", *SAMPLE, *options, *images, "--store", str(sample))
    for recipe in recipe_names():
        _ntknas("score", *FULL_SIZE, "--recipe", recipe, *images, "--store", str(full))
    space = load_space("nb201")
    accuracies = read_accuracies(arguments.accuracies, space, arguments.column)
    answers = [correlate(load_store(store), accuracies) for store in (sample, full)]
    page = arguments.out / "published-recipes.md"
    text = page.read_text(encoding="utf-8")
    text = _filled(text, "measures", _measures(answers[0]))
    text = _filled(text, "recipes", _recipes(answers[1]))
    text = _filled(text, "samples", _samples(accuracies))
    page.write_text(text, encoding="utf-8")
    draw_small(picture(text), arguments.out / "published-recipes.png")


def picture(page: str) -> Bars:
    """Return τ of every measure on the sample, as the page has it, the largest first."""
    table = read_table(page, "measure", "published ρ")
    labels = without_twins(table["measure"].tolist())
    table = table[table["measure"].isin(labels)]
    estimates = [[*numbers(row["τ"]), *numbers(row["95 %"])] for _, row in table.iterrows()]
    order = sorted(range(len(estimates)), key=lambda place: -estimates[place][0])
    names = [labels[table["measure"].iloc[place]] for place in order]
    return Bars(
        f"Scores at initialisation and {TARGETS['cifar10_test200']}",
        KENDALL,
        names,
        [group("", [estimates[place] for place in order])],
        frozenset(labels[name] for name in COUNTS if name in labels),
        setting=_SETTING,
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--accuracies", type=Path, required=True)
    parser.add_argument("--column", required=True)
    parser.add_argument("--stores", type=Path, default=Path())
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    return parser.parse_args()


def _ntknas(*arguments: str) -> None:
    print("ntknas", *arguments, file=sys.stderr)
    subprocess.run([sys.executable, "-m", "ntknas", *arguments], check=True)


def _filled(text: str, name: str, table: str) -> str:
    """Replace what stands between two markers of the page."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
    found, count = re.subn(pattern, lambda match: match[1] + table + "\n" + match[2], text, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"The page has no markers <!-- {name} --> and <!-- end of {name} -->.")
    return found


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _measures(answer: Correlation) -> str:
    rows = sorted(answer.rows, key=lambda row: -(row.kendall.value or -1))
    head = ["measure", "cells", "left out", "τ", "95 %", "ρ", "95 %", "published ρ", "", "τ top 25 %", "partial τ"]
    return _table([*head, "regret of best 10", "s per cell"], [_measure(row) for row in rows])


def _measure(row: Row) -> list[str]:
    published = PUBLISHED.get(row.measure) if row.recipe == "zero-cost-nas" else None
    rho = row.spearman
    inside = "" if published is None or rho.interval is None else _verdict(published, *rho.interval)
    return [
        _name(row),
        str(row.n),
        ", ".join(f"{count} {status}" for status, count in row.left_out.items()) or "0",
        _number(row.kendall.value),
        _ends(row.kendall),
        _number(rho.value),
        _ends(rho),
        _number(published),
        inside,
        _number(row.kendall_top25.value),
        _number(row.partial_kendall),
        _number(row.regret_best_of_10),
        _number(row.seconds_per_cell),
    ]


def _name(row: Row) -> str:
    return f"{row.measure} ({row.recipe})" if row.recipe not in ("custom", "baseline") else row.measure


def _recipes(answer: Correlation) -> str:
    rows = sorted(answer.rows, key=lambda row: (row.is_baseline, row.recipe))
    return _table(
        ["recipe", "measure", "images", "cells", "left out", "τ", "95 %", "ρ", "95 %", "s per cell and seed"],
        [_recipe(answer, row) for row in rows],
    )


def _recipe(answer: Correlation, row: Row) -> list[str]:
    baseline = row.is_baseline
    left_out = ", ".join(f"{count} {status}" for status, count in row.left_out.items()) or "0"
    return [
        "–" if baseline else row.recipe,
        row.measure,
        "–" if baseline else str(answer.settings[row.setting].probe.size),
        str(row.n),
        left_out,
        _number(row.kendall.value),
        _ends(row.kendall),
        _number(row.spearman.value),
        _ends(row.spearman),
        _number(row.seconds_per_cell),
    ]


def _samples(accuracies: pd.Series) -> str:
    """What the choice of cells does to one and the same score: FLOPs."""
    space = load_space("nb201")
    flops = np.array([space.flops(cell) for cell in space], dtype=float)
    samples = {
        "first 1,001 (Mok et al.)": list(range(1001)),
        "1,000 at random": select(space, "1000", 0),
        "all 15,625": list(range(len(space))),
    }
    return _table(
        ["cells", "τ", "95 %", "ρ", "95 %"], (_sample(name, flops, accuracies, samples[name]) for name in samples)
    )


def _sample(name: str, flops: np.ndarray, accuracies: pd.Series, cells: list[int]) -> list[str]:
    x, y = flops[cells], accuracies.loc[cells].to_numpy(float)
    drawn = draw_resamples(len(cells), 200, 0)
    row = [name]
    for coefficient in ("kendall", "spearman"):
        value = estimate(coefficient, x, y, drawn)
        row += [_number(value.value), _ends(value)]
    return row


def _verdict(published: float, low: float, high: float) -> str:
    return "inside" if low <= published <= high else "**outside**"


def _ends(estimate: Estimate) -> str:
    return "–" if estimate.interval is None else "{:.2f} to {:.2f}".format(*estimate.interval)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
