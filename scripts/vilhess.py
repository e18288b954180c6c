"""The vilhess score of every NAS-Bench-201 cell without a path, and of random others, on real images.

    python scripts/vilhess.py --image-data FOLDER [--cells 500] [--store vilhess.h5] [--out docs/results]

Every one of the 341 cells without a path from input to output must be ``disconnected``, and every other cell's score
positive. Writes vilhess.md and its picture, and ends with an error where this does not hold. FOLDER holds
cifar-10-batches-py. An interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from ntknas import load_benchmark, load_space, load_store
from ntknas.benchmarks.table import Target
from ntknas.correlation import Correlation, correlate
from ntknas.report import correlation_figures
from ntknas.report.plotter import draw

TARGET = "cifar10-valid/valid/200"


def main() -> None:
    """Score, check, write the page."""
    arguments = _parse()
    without_path, others = _cells(arguments.cells)
    file = arguments.store.with_suffix(".cells.txt")
    file.write_text("\n".join(map(str, without_path + others)) + "\n")
    command = ["score", "--bench", "nb201", "--recipe", "vilhess", "--cells-file", str(file)]
    command += ["--image-data", str(arguments.image_data), "--store", str(arguments.store)]
    subprocess.run([sys.executable, "-m", "ntknas", *command], check=True)
    scores = load_store(arguments.store).set_index("cell")
    result = correlate(scores.reset_index(), {TARGET: load_benchmark("nb201").table(Target.parse(TARGET))})
    arguments.out.mkdir(parents=True, exist_ok=True)
    draw(correlation_figures.scatter(result, TARGET), arguments.out / "vilhess.png")
    (arguments.out / "vilhess.md").write_text(_page(scores, without_path, others, result), encoding="utf-8")
    if not _holds(scores, without_path, others):
        sys.exit("A cell without a path has a score, or another cell's is not positive: see the page.")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=500)
    parser.add_argument("--store", type=Path, default=Path("vilhess.h5"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    return parser.parse_args()


def _cells(count: int) -> tuple[list[int], list[int]]:
    space = load_space("nb201")
    without_path = [cell.index for cell in space if space.is_disconnected(cell)]
    others = np.setdiff1d(np.arange(len(space)), without_path)
    return without_path, sorted(np.random.default_rng(0).choice(others, count, replace=False).tolist())


def _holds(scores: pd.DataFrame, without_path: list[int], others: list[int]) -> bool:
    values = scores.loc[others]
    return bool(
        (scores.loc[without_path, "status"] == "disconnected").all()
        and (values["status"] == "ok").all()
        and (values["value"] > 0).all()
    )


def _page(scores: pd.DataFrame, without_path: list[int], others: list[int], result: Correlation) -> str:
    values = scores.loc[others, "value"]
    statuses = ", ".join(f"{count} {status}" for status, count in scores.loc[others, "status"].value_counts().items())
    quantiles = ", ".join(f"{q:.0%} {values.quantile(q):.3g}" for q in (0.0, 0.05, 0.5, 0.95, 1.0))
    table = "\n".join(_row(row) for row in result.rows)
    return f"""# The vilhess score on {len(without_path)} cells without a path and {len(others)} others

Made by `python scripts/vilhess.py --image-data FOLDER` on CIFAR-10's first 10 training images of each class in file
order, recipe `vilhess`: `class_lambda_min`, output `label`, all parameters, per-sample BatchNorm, the official network
at its full size, one initialisation.

- The {len(without_path)} cells without a path from input to output: \
{(scores.loc[without_path, "status"] == "disconnected").sum()} `disconnected`, none with a score.
- {len(others)} random others: {statuses}; {(values > 0).sum()} positive. Quantiles: {quantiles}.

Against `{TARGET}` (connected cells; percentile bootstrap over cells):

| measure | cells | Kendall τ [95 %] | Spearman ρ [95 %] | τ top 25 % [95 %] | partial τ given parameters |
|---|---|---|---|---|---|
{table}

![Score and accuracy of every cell](vilhess.png)
"""


def _row(row: dict) -> str:
    top = {"value": row["kendall_top25"], "low": row["kendall_top25_low"], "high": row["kendall_top25_high"]}
    partial = "–" if row["partial_kendall"] is None else f"{row['partial_kendall']:.2f}"
    figures = [_interval(row["kendall"]), _interval(row["spearman"]), _interval(top), partial]
    return f"| {row['measure']} | {row['n']} | " + " | ".join(figures) + " |"


def _interval(estimate: dict) -> str:
    if estimate["low"] is None:
        return "–" if estimate["value"] is None else f"{estimate['value']:.2f}"
    return f"{estimate['value']:.2f} [{estimate['low']:.2f}, {estimate['high']:.2f}]"


if __name__ == "__main__":
    main()
