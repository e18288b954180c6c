"""The picture of the README: what the batch-norm policy alone decides, and what kernels know beyond structure.

    python scripts/findings.py [--table docs/results/beyond-the-drawing.csv] [--out docs/images/findings.png]

Both panels are of the table that scripts/referee/beyond.py writes: the reachable ones of 500 random cells of
NAS-Bench-201, CIFAR-10's validation accuracy, 95 % intervals resampled by network.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib import style as styles

from ntknas.report.drawers.canvas import COLOURS, MUTED, Panels, handles_of
from ntknas.report.drawers.caption import finish
from ntknas.report.look import SCREEN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POPULATION, TARGET = "reachable", "cifar10-valid/valid/200"
MEASURES = {"cond": "condition number", "effective_rank": "effective rank", "lga": "alignment with labels"}
POLICIES = ("frozen", "per-sample", "eval")
FEATURES = "features/per-sample/weights, 64 images"
KNOWN = {
    "parameters on paths\n(no network needed)": ("effective_parameters", "baseline", "–"),
    "NASWOT": ("naswot", "nb-suite-zero", "–"),
    "kernel of summed logits:\ncondition number": ("cond", "custom", "sum/frozen/weights, 64 images"),
    "kernel of features\n(recommended): rank": ("effective_rank", "custom", FEATURES),
    "MeCo": ("meco", "meco", "–"),
    "AZ-NAS": ("az_nas", "az-nas", "–"),
}
"""Rows of the right panel: measure, recipe and kernel in the table."""


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=Path("docs/results/beyond-the-drawing.csv"))
    parser.add_argument("--out", type=Path, default=Path("docs/images/findings.png"))
    arguments = parser.parse_args()
    table = pd.read_csv(arguments.table)
    table = table[(table["population"] == POPULATION) & (table["target"] == TARGET)]
    with styles.context(dict(SCREEN.settings), after_reset=True):
        panels = Panels.make(1, 2, (9.6, 4.0))
        left, right = panels
        _draw_policies(left, table)
        _draw_knowledge(right, table)
        finish(panels.figure, "Two findings on NAS-Bench-201", _setting(table), SCREEN)
        panels.figure.savefig(arguments.out, metadata={"Software": None}, pil_kwargs={"optimize": True})


def _setting(table: pd.DataFrame) -> str:
    return (
        f"{int(table['cells'].max())} random reachable cells, official networks at initialisation, 64 "
        "images of CIFAR-10, against the validation accuracy after 200 epochs; 95 % intervals by network.\n"
        "Given structure: partial τ given parameters on paths and live layers."
    )


def _draw_policies(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the same measures of the same kernel under three policies."""
    for number, policy in enumerate(POLICIES):
        rows = [_row(table, name, "custom", f"sum/{policy}/weights, 64 images") for name in MEASURES]
        heights = np.arange(len(rows))[::-1] + 0.25 * (1 - number)
        _draw(axes, heights, rows, "kendall", COLOURS[number], policy)
    axes.set_yticks(np.arange(len(MEASURES))[::-1], list(MEASURES.values()))
    axes.set_title("What BatchNorm does alone decides", loc="left")
    _furnish(axes)


def _draw_knowledge(axes: Axes, table: pd.DataFrame) -> None:
    """Draw τ and what is left of it given structure."""
    rows = [_row(table, *key) for key in KNOWN.values()]
    heights = np.arange(len(rows))[::-1]
    _draw(axes, heights + 0.17, rows, "kendall", MUTED, "τ")
    _draw(axes, heights - 0.17, rows, "partial", COLOURS[4], "τ given structure")
    axes.set_yticks(heights, list(KNOWN))
    axes.set_title("What is left given structure", loc="left")
    _furnish(axes)


def _row(table: pd.DataFrame, measure: str, recipe: str, kernel: str) -> pd.Series:
    found = table[(table["measure"] == measure) & (table["recipe"] == recipe) & (table["kernel"] == kernel)]
    if len(found) != 1:
        raise SystemExit(f"The table has {len(found)} rows of {measure}, {recipe}, {kernel}, and one is meant.")
    return found.iloc[0]


def _draw(axes: Axes, heights: np.ndarray, rows: list[pd.Series], field: str, colour: str, name: str) -> None:
    values, low, high = (np.array([row[f"{field}{end}"] for row in rows]) for end in ("", "_low", "_high"))
    known = np.isfinite(values)
    reach = np.stack([values - low, high - values])[:, known]
    axes.barh(
        heights[known], values[known], height=0.23 if len(rows) == len(MEASURES) else 0.31, color=colour, label=name
    )
    axes.errorbar(values[known], heights[known], xerr=reach, fmt="none", ecolor="0.1", elinewidth=0.8, capsize=1.5)


def _furnish(axes: Axes) -> None:
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set_xlabel("Kendall's τ with accuracy")
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)
    handles = handles_of([axes])
    axes.legend(
        handles.values(), handles, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=len(handles)
    )


if __name__ == "__main__":
    main()
