"""What carries the best score of docs/results/layer-kernels.md, the mean entropy of layers' kernels on noise.

    python scripts/layers/ablation.py --stores FOLDER [--cells 300] [--workers 2] [--out docs/results]

The same formula of other matrices, on some of the cells that confirmed: of kernels with diagonals of ones, of random
positive semidefinite ones of the layers' sizes, summed in place of averaged, and of the whole kernel. Writes
layer-kernels-ablation.csv (every value) and fills the table of the page. What it computes for the score itself has to
be what FOLDER holds, else it stops.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scores import cells_of
from torch import Tensor

from ntknas import load_benchmark, load_space, load_store, make_probe
from ntknas.benchmarks.table import Target
from ntknas.core.choices import Choices
from ntknas.correlation import Correlation, Row, correlate
from ntknas.measures.layer_kernels import live_layers
from ntknas.measures.matrices import entropy, unit_diagonal
from ntknas.scoring.inspection import inspect_cell
from ntknas.scoring.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parents[1] / "referee"))
from page import filled, interval, number, table

TARGET = "cifar10-valid/valid/200"
SCORE = "layers_mean_entropy"
CHOICES = Choices(output="features", batch_norm="per-sample", parameters="weights")
WORDS = {
    "mean": "(1/L) Σ_l H(K_l): the score",
    "sum": "Σ_l H(K_l): with depth",
    "mean_cosine": "(1/L) Σ_l H(C_l): diagonals of ones",
    "mean_random": "(1/L) Σ_l H(X_l X_lᵀ): random matrices of the layers' sizes",
    "sum_random": "Σ_l H(X_l X_lᵀ): the same, with depth",
    "whole": "H(K): the whole kernel, in which layers weigh what they add to the trace",
    "live_layers": "L: the count of live layers",
}
TOLERANCE = 1e-4


def main() -> None:
    """Compute, check, correlate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    cells = np.random.default_rng(0).permutation(cells_of("nb201", "confirm"))[: arguments.cells].tolist()
    with ProcessPoolExecutor(arguments.workers) as pool:
        rows = list(pool.map(variants, cells, chunksize=4))
    frame = pd.DataFrame(rows, index=pd.Index(cells, name="cell"))
    _check(frame, arguments.stores)
    frame.to_csv(arguments.out / "layer-kernels-ablation.csv", float_format="%.6g")
    accuracies = load_benchmark("nb201").table(Target.parse(TARGET)).mean
    answer = correlate(frame, accuracies, space="nb201")
    page = arguments.out / "layer-kernels.md"
    page.write_text(filled(page.read_text(encoding="utf-8"), "ablation", _table(answer)), encoding="utf-8")


def variants(cell: int) -> dict[str, float]:
    """Return the score of a cell, and what the formula gives for other matrices."""
    torch.set_num_threads(1)
    space, probe = load_space("nb201"), make_probe("noise", 64)
    recipe = Recipe(choices=CHOICES, measures=("trace",))
    device = torch.device("cpu")
    found = inspect_cell(
        space, cell, recipe=recipe, probe=probe, dataset="cifar10", seed=0, device=device, by_layer=True
    ).kernel
    assert found is not None
    live = live_layers(found)
    matrices = [layer.kernel.matrix.double() for layer in live]
    generator = torch.Generator().manual_seed(cell)
    random = [_random(found.size, layer.columns, generator) for layer in live]
    own, cosine, drawn = (
        [_entropy(matrix) for matrix in each] for each in (matrices, map(unit_diagonal, matrices), random)
    )
    means = {"mean": own, "mean_cosine": cosine, "mean_random": drawn}
    return {
        **{name: float(np.mean(values)) for name, values in means.items()},
        "sum": sum(own),
        "sum_random": sum(drawn),
        "whole": _entropy(found.matrix.double()),
    }


def _entropy(matrix: Tensor) -> float:
    return float(entropy(torch.linalg.eigvalsh(matrix)))


def _random(size: int, columns: int, generator: torch.Generator) -> Tensor:
    factor = torch.randn(size, columns, dtype=torch.float64, generator=generator)
    return factor @ factor.T


def _check(frame: pd.DataFrame, stores: Path) -> None:
    """Compare what was computed for the score with what is stored."""
    stored = load_store(stores / "confirm-nb201.h5")
    noise = [name for name, setting in stored.attrs["settings"].items() if setting["probe_source"] == "noise"]
    own = stored[(stored["measure"] == SCORE) & stored["setting"].isin(noise)].set_index("cell")["value"]
    worst = float((frame["mean"] / own.reindex(frame.index) - 1).abs().max())
    if not worst <= TOLERANCE:
        sys.exit(f"The score is not what is stored: expected a relative difference of {TOLERANCE:g}, got {worst:g}.")


def _table(answer: Correlation) -> str:
    """Return every variant, the largest τ first."""
    rows = [row for row in answer.rows if row.measure in WORDS]
    lines = [_line(row) for row in sorted(rows, key=lambda row: -(row.kendall.value or -2))]
    return table(("formula", "cells", "τ [95 %]", "partial τ [95 %]", "τ top 25 %"), lines)


def _line(row: Row) -> list[str]:
    figures = [interval(row.kendall), interval(row.partial), number(row.kendall_top25.value)]
    return [WORDS[row.measure], str(row.n), *figures]


if __name__ == "__main__":
    main()
