"""The interval of a correlation over all cells of NAS-Bench-101: standard error against bootstrap, in one run.

    python scripts/whole_space.py [--cells 423624] [--resamples 200]

Made-up scores and accuracies with ties (rounded to 0.01). For each coefficient: the time of the coefficient alone, of
the coefficient with its interval as ``ntknas correlate`` gives it, the bootstrap's time for 1,000 resamples (from those
that were made), and both standard errors; the bootstrap's own is known to 1/√(2·resamples).
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from ntknas.correlation.asymptotic import standard_error
from ntknas.correlation.bootstrap import draw_resamples, estimate
from ntknas.correlation.coefficients import COEFFICIENTS, Array


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=423_624)
    parser.add_argument("--resamples", type=int, default=200)
    arguments = parser.parse_args()
    x, y = _pairs(arguments.cells)
    print(f"{arguments.cells:,} cells, {arguments.resamples} resamples\n")
    print("| coefficient | value | alone (s) | with interval (s) | 1,000 resamples (s) | error | bootstrap's error |")
    print("|---|---|---|---|---|---|---|")
    for name in COEFFICIENTS:
        print(f"| {name} | {_row(name, x, y, arguments.resamples)} |", flush=True)


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


if __name__ == "__main__":
    main()
