"""What one draw says of a proxy: agreement of runs in which each network has weights and images of its own.

    python scripts/referee/one_draw.py --image-data FOLDER --store docs/results/referee/one-draw.h5
        --shared docs/results/referee/scores.h5
        --proxies nb201_zc_proxies.csv [--proxy grasp] [--cells 80] [--runs 2]

NASLib sets its seed once and then goes from network to network, so that each of the published scores of
NAS-Bench-Suite-Zero is of weights and of a batch that no other has; ours (FILE of --shared) have one seed and one batch
for all. Here networks are scored as there: network i of run r with seed r + i · runs for weights and batch. What is
stored is not computed again. Prints Spearman's ρ between runs of each kind, and of each with the published scores, on
those cells of --shared that have two seeds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from page import number, table

from ntknas import load_space, load_store, score
from ntknas.benchmarks import read_accuracies
from ntknas.data import Request, make_probe
from ntknas.scoring import Recipe

SPACE = "nb201"
FIRST = 100
"""Seed of the first network; lower ones are those of the runs that share theirs."""


def main() -> None:
    """Score what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--proxies", type=Path, required=True)
    parser.add_argument("--proxy", default="grasp")
    parser.add_argument("--cells", type=int, default=80)
    parser.add_argument("--runs", type=int, default=2)
    arguments = parser.parse_args()
    shared = _shared(arguments.shared, arguments.proxy)
    cells = np.random.default_rng(0).permutation(shared.index)[: arguments.cells].tolist()
    own = _own(cells, arguments)
    published = read_accuracies(arguments.proxies, load_space(SPACE), arguments.proxy)
    columns = {f"one seed and batch, {seed}": shared.loc[cells, seed] for seed in shared}
    columns |= {f"of its own, run {run}": own[run] for run in own}
    agreement = pd.DataFrame({**columns, "published": published[cells]}).corr("spearman")
    lines = [[name, *(number(float(value), 3) for value in row)] for name, row in agreement.iterrows()]
    print(f"{len(cells)} cells\n\n{table(['weights and images', *agreement.columns], lines)}")


def _shared(store: Path, proxy: str) -> pd.DataFrame:
    """Return the scores of the first two seeds that all cells share, by cell and seed."""
    scores = load_store(store)
    of_recipe = scores["recipe"].astype(str).str.split("+").str[0] == "nb-suite-zero"
    rows = scores[(scores["measure"] == proxy) & of_recipe & (scores["status"] == "ok")]
    by_seed = rows.pivot_table(index="cell", columns="seed", values="value", observed=True)
    return by_seed.iloc[:, :2].dropna()


def _own(cells: list[int], arguments: argparse.Namespace) -> pd.DataFrame:
    """Score each cell with seeds and batches of its own, and return the scores by cell and run."""
    recipe, request = Recipe(measures=(arguments.proxy,)), Request(arguments.image_data, "train", 32, 10, 0)
    probe = make_probe("cifar10", 64, request, "random", "crop-flip", fresh=True)
    found: dict[int, dict[int, float]] = {run: {} for run in range(arguments.runs)}
    for number_, cell in enumerate(cells):
        seeds = [FIRST + run + number_ * arguments.runs for run in found]
        rows = score(SPACE, [cell], recipe=recipe, probe=probe, seeds=seeds, store=arguments.store).frame
        for run, value in zip(found, rows.set_index("seed")["value"].reindex(seeds), strict=True):
            found[run][cell] = float(value)
        print(f"\r{number_ + 1}/{len(cells)} networks", end="", file=sys.stderr)
    print(file=sys.stderr)
    return pd.DataFrame(found)


if __name__ == "__main__":
    main()
