"""What the seed of the weights does to a correlation: one seed for all cells, and a seed for each network.

    python scripts/seeds.py --image-data FOLDER [--store seeds.h5] [--out docs/results]

Scores 100 NAS-Bench-201 cells with three seeds under two BatchNorm policies, once with seeds that all cells share and once
with ``--independent-seeds``, and writes seeds.md. FOLDER holds cifar-10-batches-py. An interrupted run goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from ntknas import correlate, load_benchmark, load_store
from ntknas.correlation import Estimate, Row

POLICIES = ("frozen", "eval")
MEASURES = ("mean", "trace", "cond", "lga")
SEEDS = (0, 1, 2)
SCORE = (
    "score --cells 100 --cells-seed 0 --probe-size 32 --channels 8 --cells-per-stage 1 --seeds 3 --measures "
    f"{','.join(MEASURES)}"
).split()


def main() -> None:
    """Score, correlate, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--store", type=Path, default=Path("seeds.h5"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    for policy, own in product(POLICIES, ([], ["--independent-seeds"])):
        where = ["--image-data", str(arguments.image_data), "--store", str(arguments.store)]
        command = [*SCORE, "--batch-norm", policy, *own, *where]
        subprocess.run([sys.executable, "-m", "ntknas", *command], check=True)
    scores = load_store(arguments.store)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "seeds.md").write_text(_page(scores), encoding="utf-8")


def _rows(scores: pd.DataFrame) -> dict[tuple[str, str, bool], Row]:
    """The rows of the measures, by policy, measure and whether each network has a seed of its own."""
    benchmark = load_benchmark("nb201", dataset="cifar10-valid", folder=None)
    result = correlate(scores, benchmark)
    rows = [row for row in result.rows if not row.is_baseline]
    settings = result.settings
    return {
        (
            settings[row.setting].batch_norm,
            row.measure,
            settings[row.setting].network.has_independent_seeds,
        ): row
        for row in rows
    }


def _page(scores: pd.DataFrame) -> str:
    one_seed = [_rows(scores[scores["seed"] == seed]) for seed in SEEDS]
    all_seeds = _rows(scores)
    lines, spreads = [], {False: [], True: []}
    for policy, measure, own in product(POLICIES, MEASURES, (False, True)):
        key = (policy, measure, own)
        taus = [rows[key].kendall.value for rows in one_seed]
        spreads[own].append(float(np.std(taus, ddof=1)))
        single, average = one_seed[0][key].kendall, all_seeds[key].kendall
        lines.append(
            f"| {policy} `{measure}` | {'each network its own' if own else 'shared'} | "
            f"{' / '.join(f'{tau:.2f}' for tau in taus)} | {spreads[own][-1]:.3f} | {_interval(single)} | "
            f"{average.value:.2f} {_interval(average)} |"
        )
    shared, own = (float(np.sqrt(np.mean(np.square(spreads[kind])))) for kind in (False, True))
    return f"""# What the seed of the weights does to a correlation

Made by `python scripts/seeds.py`: {len(all_seeds)} ways of scoring {scores["cell"].nunique()} random NAS-Bench-201 cells
(`--cells-seed 0`; 8 channels, one cell per stage), 32 CIFAR-10 images, against `cifar10-valid/valid/200`. With a shared seed
all networks have the same stem, reductions and head; with `--independent-seeds` each network starts from a seed of its own.

| kernel and measure | seeds | τ of seeds 0 / 1 / 2 | their standard deviation | interval of seed 0 | τ of the average, interval |
|---|---|---|---|---|---|
{chr(10).join(lines)}

The standard deviation of τ over seeds (root mean square over the {len(lines) // 2} rows) is {shared:.3f} where seeds are shared and
{own:.3f} where each network has its own. The interval of one shared seed is over cells alone and does not have that
deviation in it, however many cells there are; that of one seed for each network has, and shrinks with the number of
cells. {_farthest(one_seed)}
The interval of the average of shared seeds is over cells and initialisations
([statistics.md](../statistics.md#cells-and-initialisations)): with three seeds it is wide, which is what three
seeds can say.
"""


def _farthest(one_seed: list[dict[tuple[str, str, bool], Row]]) -> str:
    """Say which measure a shared seed moves most, and what it does with seeds of the networks' own."""

    def taus(policy: str, measure: str, *, own: bool) -> list[float]:
        return [rows[policy, measure, own].kendall.value for rows in one_seed]

    policy, measure = max(product(POLICIES, MEASURES), key=lambda key: float(np.ptp(taus(*key, own=False))))
    shared, own = (taus(policy, measure, own=kind) for kind in (False, True))
    return (
        f"Farthest goes `{measure}` under `{policy}`: τ from {min(shared):.2f} to {max(shared):.2f} with the shared seed, on "
        f"the same cells,\nand from {min(own):.2f} to {max(own):.2f} where networks do not share it."
    )


def _interval(tau: Estimate) -> str:
    return "–" if tau.interval is None else f"[{tau.low:.2f}, {tau.high:.2f}]"


if __name__ == "__main__":
    main()
