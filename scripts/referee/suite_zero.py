"""The proxies of NAS-Bench-Suite-Zero beside ours on the same cells, by rank agreement.

    python scripts/referee/suite_zero.py --store FILE.h5 --proxies nb201_zc_proxies.csv [--out docs/results]

FILE holds scores of recipe ``nb-suite-zero``, of two seeds where noise is to be told, and of ``zen``
(scripts/referee/ways.py); the CSV file holds the published scores, one column per proxy and one that names the cell.
Fills the table of suite-zero.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from page import filled, number, table
from scipy import stats

from ntknas import load_space, load_store
from ntknas.benchmarks import read_accuracies
from ntknas.correlation.counts import Counts, NetworkSize
from ntknas.measures import sign_of

OURS = {
    "epe_nas": "epe_nas",
    "fisher": "fisher",
    "flops": "flops",
    "grad_norm": "grad_norm",
    "grasp": "grasp",
    "jacov": "jacob_cov",
    "l2_norm": "l2_norm",
    "nwot": "naswot",
    "params": "parameters",
    "plain": "plain",
    "snip": "snip",
    "synflow": "synflow",
    "zen": "zen",
}
"""Our name of each published proxy."""
FAILED = -1e8
"""What the published file has where there is no score."""
COUNTS = ("flops", "parameters")


def main() -> None:
    """Compare, fill the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--proxies", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    scores = load_store(arguments.store)
    lines = table(_HEAD, [_line(name, scores, arguments.proxies) for name in OURS])
    page = arguments.out / "suite-zero.md"
    page.write_text(filled(page.read_text(encoding="utf-8"), "proxies", lines), encoding="utf-8")


_HEAD = ("proxy", "ours", "cells", "ρ with the published", "τ", "ρ between two seeds of ours")


def _line(name: str, scores: pd.DataFrame, file: Path) -> list[str]:
    published = read_accuracies(file, load_space("nb201"), name)
    published = published[published != FAILED]
    by_seed = _ours(OURS[name], scores, published.index)
    if by_seed.empty:
        return [name, OURS[name], "0", *(number(None) for _ in range(3))]
    first = by_seed[by_seed.columns.min()].dropna()
    cells = first.index.intersection(published.index)
    pair = first[cells].to_numpy(np.float64), published[cells].to_numpy(np.float64)
    between = by_seed.dropna()
    noise = stats.spearmanr(*between.to_numpy().T[:2]).statistic if by_seed.shape[1] > 1 and len(between) > 2 else None
    figures = stats.spearmanr(*pair).statistic, stats.kendalltau(*pair).statistic
    return [name, OURS[name], str(len(cells)), *(number(float(f), 3) for f in figures), number(noise, 3)]


def _ours(name: str, scores: pd.DataFrame, cells: pd.Index) -> pd.DataFrame:
    """Return our scores, signed, by cell and seed."""
    if name in COUNTS:
        scored = scores[scores["measure"] == "l2_norm"]["cell"].unique()
        space = load_space("nb201")
        shared = [int(cell) for cell in scored if cell in cells]
        counts = Counts(NetworkSize.official(space, "cifar10"), space)
        return pd.DataFrame({0: pd.Series(counts.of(name, shared), shared)})
    recipe = "custom" if name == "zen" else "nb-suite-zero"
    of_recipe = scores["recipe"].astype(str).str.split("+").str[0] == recipe
    rows = scores[(scores["measure"] == name) & of_recipe & (scores["status"] == "ok")]
    return sign_of(name) * rows.pivot_table(index="cell", columns="seed", values="value", observed=True)


if __name__ == "__main__":
    main()
