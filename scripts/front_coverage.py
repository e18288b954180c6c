"""How often the intervals of ``ntknas pareto`` hold the mean over samples of as many cells (docs/pareto.md).

Run: python scripts/front_coverage.py FOLDER  (of imported tables, with hw-nas-bench)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ntknas.benchmarks import Target, load_benchmark
from ntknas.correlation.choice import Choice
from ntknas.correlation.judge import Judge
from ntknas.correlation.plane import Plane
from ntknas.correlation.scored import Scored
from ntknas.correlation.stand_in import StandIn
from ntknas.correlation.targets import Accuracies, as_accuracies
from ntknas.correlation.trade_off import TradeOff
from ntknas.spaces import load_space

CELLS, SAMPLES, MEAN_OF, RESAMPLES = 100, 60, 150, 200
FIGURES = ("reached", "reached_ranks")


def row(
    targets: Sequence[Accuracies], cells: np.ndarray, score: pd.Series, stand: pd.Series, choice: Choice, resamples: int
) -> TradeOff:
    """What a score and a stand-in reach on some cells, each of which is drawn alone."""
    index = pd.Index(np.sort(cells))
    item = Scored("score", "", "", pd.DataFrame({"value": score[index], "status": "ok"}), 1, 0.0)
    judge = Judge(Plane.of(targets, index, None), choice, resamples, 0)
    return judge.row(item, StandIn("stand-in", stand[index]))[0]


def main(folder: str) -> None:
    """Print for each way of choosing the mean, and how often intervals hold it."""
    random, space = np.random.default_rng(1), load_space("nb201")
    accuracy = load_benchmark("nb201", folder=None).table(Target.parse("cifar10-valid/valid/200"))
    latency = load_benchmark("hw-nas-bench", folder=folder).table(Target.parse("cifar10/edgegpu_latency"))
    targets = as_accuracies({"accuracy": accuracy, "latency": latency})
    flops = pd.Series([float(space.flops(space[cell])) for cell in range(len(space))])
    noisy = targets[0].means + random.normal(0, 4, len(space))
    ways = [
        ("noisy", noisy, "latency", targets[1].means),
        ("noisy", noisy, "flops", -flops),
        ("flops", flops, "latency", targets[1].means),
    ]
    for name, score, of, stand in ways:
        for choice in (Choice(), Choice(budget=20)):
            draws = [random.choice(len(space), CELLS, replace=False) for _ in range(MEAN_OF + SAMPLES)]
            means = [row(targets, cells, score, stand, choice, 0) for cells in draws[:MEAN_OF]]
            found = [row(targets, cells, score, stand, choice, RESAMPLES) for cells in draws[MEAN_OF:]]
            for figure in FIGURES:
                mean = np.mean([getattr(each, figure).value for each in means])
                ends = [getattr(each, figure).interval for each in found]
                held = np.mean([low <= mean <= high for low, high in ends])
                print(f"{name}, {of}, budget {choice.budget}: {figure} {mean:.3f}, held in {held:.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
