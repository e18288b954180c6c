"""The interval of a correlation over all cells of NAS-Bench-101: standard error against bootstrap, in one run.

    python scripts/whole_space.py [--cells 423624] [--resamples 200] [--simulations 0]

Made-up scores and accuracies with ties (rounded to 0.01). For each coefficient: the time of the coefficient alone, of
the coefficient with its interval as ``ntknas correlate`` gives it, the bootstrap's time for 1,000 resamples (from those
that were made), and both standard errors; the bootstrap's own is known to 1/√(2·resamples).

With ``--simulations`` also, on the real accuracies of NAS-Bench-201 and the networks that its cells are: how often the
intervals hold the coefficient of all cells, in samples of networks (each draw a network of its own, with all its cells)
and of single cells.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from unittest import mock

import numpy as np
import pandas as pd

from ntknas import load_benchmark, load_space
from ntknas.benchmarks.table import Target
from ntknas.correlation import bootstrap
from ntknas.correlation.asymptotic import standard_error
from ntknas.correlation.bootstrap import draw_any, draw_resamples, estimate
from ntknas.correlation.coefficients import COEFFICIENTS, Array
from ntknas.correlation.drawn import Codes
from ntknas.spaces.populations import network_of

NETWORKS, CELLS = (600, 5044), (1001, 5000)
"""Sizes of samples that intervals are tried on."""
RESAMPLED = 2000
"""Up to so many networks or cells intervals are also made by resampling, which takes long."""


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=423_624)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--simulations", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.simulations:
        _print_coverage(arguments.simulations)
    else:
        _print_errors(arguments.cells, arguments.resamples)


def _print_errors(number: int, resamples: int) -> None:
    """Print times and standard errors of made-up cells."""
    x, y = _pairs(number)
    print(f"{number:,} cells, {resamples} resamples\n")
    print("| coefficient | value | alone (s) | with interval (s) | 1,000 resamples (s) | error | bootstrap's error |")
    print("|---|---|---|---|---|---|---|")
    for name in COEFFICIENTS:
        print(f"| {name} | {_row(name, x, y, resamples)} |", flush=True)


def _pairs(cells: int) -> tuple[Array, Array]:
    generator = np.random.default_rng(0)
    z = generator.standard_normal((2, cells))
    return np.round(z[0], 2), np.round(0.6 * z[0] + 0.8 * z[1], 2)


def _row(name: str, x: Array, y: Array, resamples: int) -> str:
    compute, generator = COEFFICIENTS[name], np.random.default_rng(1)
    start = time.perf_counter()
    value = compute(x, y)
    alone = time.perf_counter()
    estimate(name, x, y, draw_resamples(len(x), 1000, 0))
    whole = time.perf_counter()
    drawn = []
    for _ in range(resamples):
        rows = generator.integers(0, len(x), len(x))
        drawn.append(compute(x[rows], y[rows]))
    many = (time.perf_counter() - whole) / resamples * 1000
    error = standard_error(name, x, y)
    return f"{value:.4f} | {alone - start:.2f} | {whole - alone:.2f} | {many:.0f} | {error:.5f} | {np.std(drawn):.5f}"


def _print_coverage(simulations: int) -> None:
    """Print how often intervals hold the coefficient of all cells."""
    accuracies, codes = _accuracies("cifar10-valid"), _networks()
    scores = {
        "effective parameters": np.array([load_space("nb201").structure(c)[0] for c in load_space("nb201")], float),
        "accuracy on ImageNet16-120": _accuracies("ImageNet16-120"),
        "made up, one of each network": _made_up(accuracies, codes),
    }
    kinds = [(f"{size:,} networks", size, True) for size in NETWORKS] + [(f"{n:,} cells", n, False) for n in CELLS]
    print("| sample | score | τ-b ± 1.96 se | ρ | r | τ-b percentile | ρ | r bootstrap-t |")
    print("|---|---|---|---|---|---|---|---|")
    for text, size, by_network in kinds:
        for name, x in scores.items():
            held = _coverage(x, accuracies, codes if by_network else np.arange(len(codes)), size, simulations)
            print(f"| {text} | {name} | {' | '.join(held)} |", flush=True)


def _coverage(x: Array, y: Array, codes: Codes, size: int, simulations: int) -> list[str]:
    """Share of the intervals that hold the truth, in %: by standard errors, then by resamples."""
    members, rng = pd.Series(np.arange(len(codes))).groupby(codes).indices, np.random.default_rng(size)
    truth, held = {name: compute(x, y) for name, compute in COEFFICIENTS.items()}, defaultdict(list)
    for number in range(simulations):
        drawn = [members[network] for network in rng.integers(0, len(members), size)]
        cells, copies = np.concatenate(drawn), np.repeat(np.arange(size), [len(each) for each in drawn])
        for large in (0, 10**9) if size <= RESAMPLED else (0,):
            with mock.patch.object(bootstrap, "LARGE", large):
                draws = draw_any(len(cells), 200, number, copies if len(cells) > size else None)
                for name, value in truth.items():
                    ends = estimate(name, x[cells], y[cells], draws).interval
                    held[large, name].append(ends is not None and ends[0] <= value <= ends[1])
    keys = [(large, name) for large in (0, 10**9) for name in COEFFICIENTS]
    return [f"{100 * np.mean(held[key]):.0f}" if held[key] else "–" for key in keys]


def _accuracies(dataset: str) -> Array:
    return load_benchmark("nb201").table(Target(dataset, "valid", 200)).mean


def _networks() -> Codes:
    space = load_space("nb201")
    return pd.factorize(pd.Series(list(map(network_of(space), range(len(space))))))[0]


def _made_up(accuracies: Array, codes: Codes) -> Array:
    """A score that networks of good cells tend to have more of."""
    mean = pd.Series(accuracies).groupby(codes).transform("mean").rank(pct=True).to_numpy()
    return mean + np.random.default_rng(0).standard_normal(codes.max() + 1)[codes] / 3


if __name__ == "__main__":
    main()
