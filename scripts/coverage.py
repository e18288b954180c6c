"""How often the 95 % intervals of ``ntknas correlate`` hold the truth, by simulation.

    python scripts/coverage.py [--simulations 2000] [--out docs/results] [--jobs 2]

Samples of cells are drawn from populations whose coefficients are known (made-up ones, and the 15,625 real cells of the
embedded NAS-Bench-201 table, drawn with replacement), each sample gets its intervals from the functions that the tool
uses, and the share of intervals that hold the population's coefficient is counted. Writes coverage.md.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np

from ntknas import load_benchmark, load_space
from ntknas.benchmarks.table import Target
from ntknas.correlation.bootstrap import draw_resamples, estimate, estimate_of_top
from ntknas.correlation.ceiling import ceiling
from ntknas.correlation.coefficients import COEFFICIENTS, Array
from ntknas.correlation.compare import compare
from ntknas.correlation.estimate import TOP_SHARES, Estimate
from ntknas.correlation.noise import seed_agreement, seed_agreement_interval
from ntknas.correlation.seeds import with_seeds

SIZES = (20, 50, 100, 300)
TOPS = {"τ top 10 %": 0.10, "τ top 25 %": 0.25}
NAMES = {"kendall": "τ-b", "spearman": "ρ", "pearson": "r"}
POPULATION = 400_000
RESAMPLES = 500
Sampler = Callable[[np.random.Generator, int], tuple[Array, Array]]
Count = dict[str, list[bool]]


def _normal(rho: float, transform: Callable[[Array], Array] = lambda x: x, digits: int | None = None) -> Sampler:
    """Normal pairs with correlation ρ; scores transformed, accuracies rounded."""

    def draw(generator: np.random.Generator, cells: int) -> tuple[Array, Array]:
        z = generator.standard_normal((2, cells))
        y = rho * z[0] + math.sqrt(1 - rho**2) * z[1]
        return transform(z[0]), y if digits is None else np.round(y, digits)

    return draw


def _nasbench201(score: str) -> Sampler:
    """Real cells, accuracies on CIFAR-10 with FLOPs (27 values among 15,625 cells) or accuracies on ImageNet16-120."""
    accuracies, other = (_accuracies(dataset) for dataset in ("cifar10-valid", "ImageNet16-120"))
    space = load_space("nb201")
    scores = np.array([space.flops(cell) for cell in space], dtype=float) if score == "flops" else other

    def draw(generator: np.random.Generator, cells: int) -> tuple[Array, Array]:
        rows = generator.integers(0, len(accuracies), cells)
        return scores[rows], accuracies[rows]

    return draw


def _accuracies(dataset: str) -> Array:
    return load_benchmark("nb201").table(Target(dataset, "valid", 200)).mean


POPULATIONS: dict[str, Callable[[], Sampler]] = {
    "normal, ρ = 0": lambda: _normal(0.0),
    "normal, ρ = 0.5": lambda: _normal(0.5),
    "normal, ρ = 0.9": lambda: _normal(0.9),
    "tied: scores of 5 values, accuracies to 0.1, ρ = 0.5": lambda: _normal(
        0.5, lambda x: np.clip(np.round(x), -2, 2), 1
    ),
    "one cell in five with one score, ρ = 0.7": lambda: _normal(0.7, lambda x: np.maximum(x, -0.84)),
    "NAS-Bench-201, FLOPs with CIFAR-10": lambda: _nasbench201("flops"),
    "NAS-Bench-201, ImageNet16-120 with CIFAR-10": lambda: _nasbench201("accuracy"),
    "skewed: log-normal scores, ρ = 0.5": lambda: _normal(0.5, np.exp),
}


def main() -> None:
    """Simulate and write the page."""
    arguments = _parse()
    cases = [(name, cells, arguments.simulations) for name in POPULATIONS for cells in SIZES]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        rows = list(pool.map(_coefficients, *zip(*cases, strict=True)))
        others = [
            pool.submit(job, arguments.simulations) for job in (_differences, _noise, _initialisations, _many_cells)
        ]
        found = [*rows, *(each.result() for each in others)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "coverage.md").write_text(_page(cases, found, arguments.simulations), encoding="utf-8")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def _coefficients(name: str, cells: int, simulations: int) -> Count:
    """Intervals of the coefficients and of τ among the best, of one population and sample size."""
    sampler = POPULATIONS[name]()
    truth = _truth(sampler)
    generator = np.random.default_rng(cells)
    held: Count = defaultdict(list)
    for number in range(simulations):
        x, y = sampler(generator, cells)
        drawn = draw_resamples(cells, RESAMPLES, number)
        for key, text in NAMES.items():
            _count(held[text], estimate(key, x, y, drawn), truth[text])
        for text, share in TOPS.items():
            _count(held[text], estimate_of_top(x, y, share, RESAMPLES, number), truth[text])
    return held


def _truth(sampler: Sampler) -> dict[str, float]:
    """Coefficients of a very large sample."""
    x, y = sampler(np.random.default_rng(0), POPULATION)
    found = {text: COEFFICIENTS[key](x, y) for key, text in NAMES.items()}
    for text, share in TOPS.items():
        top = y >= np.sort(y)[-math.ceil(share * len(y))]
        found[text] = COEFFICIENTS["kendall"](x[top], y[top])
    return found


def _count(held: list[bool], found: Estimate, truth: float) -> None:
    if found.low is not None and found.high is not None:
        held.append(found.low <= truth <= found.high)


def _differences(simulations: int) -> Count:
    """The paired interval of τ's difference; how often Holm's p-values find no difference among five equal measures."""
    held: Count = defaultdict(list)
    generator = np.random.default_rng(1)
    better, worse = _measures(np.random.default_rng(0), POPULATION, (0.7, 0.5))[1]
    accuracies = _measures(np.random.default_rng(0), POPULATION, (0.7, 0.5))[0]
    truth = COEFFICIENTS["kendall"](better, accuracies) - COEFFICIENTS["kendall"](worse, accuracies)
    for number in range(simulations):
        y, scores = _measures(generator, 100, (0.7, 0.5))
        (got,) = compare({"a": scores[0], "b": scores[1]}, y, RESAMPLES, number)
        sign = 1 if got.first == "a" else -1
        held["difference of two τ-b, 100 cells"].append(got.low <= sign * truth <= got.high)
    for number in range(simulations // 2):
        y, scores = _measures(generator, 100, (0.5,) * 5)
        tests = compare({str(place): x for place, x in enumerate(scores)}, y, RESAMPLES, number)
        held["no false difference among five equal measures (Holm), 100 cells"].append(
            min(t.p_holm for t in tests) > 0.05
        )
    return held


def _measures(generator: np.random.Generator, cells: int, rhos: tuple[float, ...]) -> tuple[Array, list[Array]]:
    """Accuracies, and scores that share half of their noise."""
    y, shared = generator.standard_normal((2, cells))
    noise = [math.sqrt(0.5) * (shared + generator.standard_normal(cells)) for _ in rhos]
    return y, [rho * y + math.sqrt(1 - rho**2) * e for rho, e in zip(rhos, noise, strict=True)]


def _noise(simulations: int) -> Count:
    """Seed agreement and the ceiling, where the true accuracies are known: three noisy runs of 200 cells.

    Of uneven noise, which falls with the accuracy, the ceiling in a table of 1,000 cells, also among the best.
    """
    held: Count = defaultdict(list)
    generator = np.random.default_rng(2)
    true = seed_agreement(_runs(generator.standard_normal(POPULATION), generator))
    assert true is not None
    for number in range(simulations // 4):
        accuracies = generator.standard_normal(200)
        runs = _runs(accuracies, generator)
        interval, top = seed_agreement_interval(runs, number), ceiling(runs, number)
        assert interval is not None
        assert top is not None
        for key, text in NAMES.items():
            held[f"seed agreement {text}, 200 cells"].append(interval[key]["low"] <= true[key] <= interval[key]["high"])
            reached = COEFFICIENTS[key](accuracies, runs.mean(axis=1))
            _count(held[f"ceiling {text}, 200 cells"], top[key], reached)
    for number in range(simulations // 4):
        _uneven_noise(held, generator, number)
    return held


def _uneven_noise(held: Count, generator: np.random.Generator, number: int) -> None:
    """The ceiling of a table like CIFAR-10's: most cells close to the best, noise from one point down to 0.2."""
    accuracies = 92 - np.exp(0.9 * generator.standard_normal(1000) + 1.2)
    deviation = 0.2 + 0.8 * np.clip((90 - accuracies) / 15, 0, 1)
    runs = accuracies[:, None] + deviation[:, None] * generator.standard_normal((1000, 3))
    limits, table = ceiling(runs, number), runs.mean(axis=1)
    assert limits is not None
    for key, share in {"kendall": 1.0, **TOP_SHARES}.items():
        top = table >= np.sort(table)[-math.ceil(share * len(table))]
        reached = COEFFICIENTS["kendall"](accuracies[top], table[top])
        _count(held[f"ceiling τ-b of uneven noise{_among(share)}, 1,000 cells"], limits[key], reached)


def _among(share: float) -> str:
    return "" if share == 1 else f", top {share:.0%}"


def _initialisations(simulations: int) -> Count:
    """Intervals over cells and initialisations, and over cells alone, where a seed moves all cells together."""
    held: Count = defaultdict(list)
    generator = np.random.default_rng(4)
    for moved, seeds in product((0.0, 0.15, 0.4), (2, 3, 5)):
        averages = [_seeds(generator, 2000, seeds, moved) for _ in range(400)]
        truth = float(np.mean([COEFFICIENTS["kendall"](scores.mean(axis=0), y) for y, scores in averages]))
        for number in range(simulations // 4):
            y, scores = _seeds(generator, 200, seeds, moved)
            without = [COEFFICIENTS["kendall"](np.delete(scores, s, axis=0).mean(axis=0), y) for s in range(seeds)]
            alone = estimate("kendall", scores.mean(axis=0), y, draw_resamples(200, 200, number))
            name = f"{seeds} seeds that move cells by {moved:g}, 200 cells"
            _count(held[f"τ-b over cells alone, {name}"], alone, truth)
            _count(held[f"τ-b over cells and initialisations, {name}"], with_seeds(alone, without), truth)
    return held


def _seeds(generator: np.random.Generator, cells: int, seeds: int, moved: float) -> tuple[Array, Array]:
    """Accuracies, and scores, seeds × cells; a seed weighs the accuracy and another quality for all cells alike."""
    y, noise = generator.standard_normal((2, cells))
    other = 0.5 * y + math.sqrt(0.75) * noise
    on_accuracy, on_other = moved * generator.standard_normal((2, seeds, 1))
    return y, (0.5 + on_accuracy) * y + on_other * other + generator.standard_normal((seeds, cells))


def _runs(accuracies: Array, generator: np.random.Generator) -> Array:
    return accuracies[:, None] + 0.5 * generator.standard_normal((len(accuracies), 3))


def _many_cells(simulations: int) -> Count:
    """Beyond 20,000 cells, where standard errors take the place of resamples."""
    held: Count = defaultdict(list)
    generator = np.random.default_rng(3)
    sampler = _normal(0.5, lambda x: np.round(x, 1), 1)
    truth = _truth(sampler)
    for _ in range(simulations // 4):
        x, y = sampler(generator, 20_001)
        for key, text in NAMES.items():
            found = estimate(key, x, y, draw_resamples(len(x), RESAMPLES, 0))
            _count(held[f"standard error of {text}, 20,001 cells, tied"], found, truth[text])
    return held


def _page(cases: list[tuple[str, int, int]], found: list[Count], simulations: int) -> str:
    columns = [*NAMES.values(), *TOPS]
    table = "\n".join(
        f"| {name} | {cells} | " + " | ".join(_share(held.get(column, [])) for column in columns) + " |"
        for (name, cells, _), held in zip(cases, found, strict=False)
    )
    others = "\n".join(
        f"| {name} | {len(held)} | {_share(held)} |" for count in found[len(cases) :] for name, held in count.items()
    )
    return f"""# How often the 95 % intervals hold the truth

Made by `python scripts/coverage.py --simulations {simulations}`. Share (in %) of simulated samples of cells whose
interval, from the functions that `ntknas correlate` uses, holds the population's coefficient; {RESAMPLES} resamples.
{simulations:,} samples per row: the figures themselves are known to ± {196 * math.sqrt(0.0475 / simulations):.1f}.
– where there is no interval: fewer than ten cells in the top, or r of fewer than 300 cells.

| population | cells | {" | ".join(columns)} |
|{"---|" * (2 + len(columns))}
{table}

| interval | samples | held |
|---|---|---|
{others}

{_verdict(cases, found, simulations)}
"""


def _share(held: list[bool]) -> str:
    return f"{100 * np.mean(held):.1f}" if held else "–"


def _verdict(cases: list[tuple[str, int, int]], found: list[Count], simulations: int) -> str:
    """What lies outside of 93 to 97 %."""
    shares = [
        (column, f"{name}, {cells} cells", 100 * float(np.mean(values)))
        for (name, cells, _), held in zip(cases, found, strict=False)
        for column, values in held.items()
        if values
    ]
    slack = 196 * math.sqrt(0.0475 / simulations)
    inside = sum(93 <= share <= 97 for _, _, share in shares)
    outside = [
        f"- {column}: {case}: {share:.1f} %" for column, case, share in shares if not 93 - slack <= share <= 97 + slack
    ]
    return (
        f"**Between 93 and 97 %:** {inside} of {len(shares)} figures of the first table. Outside by more than the "
        f"{slack:.1f} that the simulation itself may be off:\n\n" + ("\n".join(outside) or "none.")
    )


if __name__ == "__main__":
    main()
