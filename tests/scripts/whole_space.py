"""A made-up release of some hundred cells, and a committed sample beside it, for ``whole_space_page.py``."""

from functools import cache
from pathlib import Path

import numpy as np

import ntknas
from ntknas.core.score import Status
from ntknas.published.build import build, scores_of
from ntknas.published.collect import WaySource
from ntknas.scoring.cells import sample
from tests.correlation.stores import NB201, NETWORK, fill

SPACE = ntknas.load_space("nb201")
UNITS = {"frozen": "weights", "vilhess": "all", "baselines": "cell"}
FIELDS = {
    "frozen": NB201 | {"probe_shape": "64x3x32x32", "probe_source": "cifar10"},
    "vilhess": NB201 | {"output": "label", "batch_norm": "per-sample", "parameters": "all"},
    "baselines": NETWORK,
}
MEASURES = {"frozen": ("trace", "cond"), "vilhess": ("class_lambda_min",), "baselines": ("synflow", "naswot")}
SEEDS = {"frozen": (0, 1), "vilhess": (0,), "baselines": (0,)}
NOISE = np.random.default_rng(0).standard_normal((2, 15625))
ACCURACIES = ntknas.load_benchmark("nb201").table(ntknas.load_benchmark("nb201").main_targets("cifar10")[0]).mean
COMMITTED, SIZES, DRAWN = 120, (60,), 60
"""Cells of the committed sample, of samples of the same scores, and of further samples."""


def representative(cell, unit):
    """The first cell that is the same network, of unit ``cell`` the cell itself."""
    return cell if unit == "cell" else SPACE.representative(SPACE[cell], unit, "none")


@cache
def covered():
    """The cells of the samples, and more of the same draw, with the first cells of their networks."""
    drawn = {*sample(SPACE, 160, 1), *sample(SPACE, DRAWN, 2)}
    return sorted({representative(cell, unit) for cell in drawn for unit in UNITS.values()})


def score(way, measure, cell, seed):
    """Better for better cells; the condition number is the better the smaller; nothing where no path is."""
    if SPACE.is_disconnected(cell):
        return Status.DISCONNECTED
    place = 1 - np.exp((ACCURACIES[representative(cell, "weights")] - 95) / 20)
    own = {"trace": -1, "cond": 1, "class_lambda_min": -2, "synflow": 0.5, "naswot": -0.5}[measure]
    noise = NOISE[seed, representative(cell, UNITS[way])]
    return float(np.exp(own * place + 0.3 * noise * (1 + (way == "vilhess"))))


def stores(folder: Path, cells, ways=UNITS, one_a_network=True, **more):
    """Fill a store for each way, with one cell of each network or all that are given."""
    for way in ways:
        of_way = sorted({representative(cell, UNITS[way] if one_a_network else "cell") for cell in cells})
        recipe = "vilhess" if way == "vilhess" else "custom"
        options = {"fields": FIELDS[way] | more, "seeds": SEEDS[way], "recipe": recipe}
        fill(folder / f"{way}.h5", MEASURES[way], of_way, scores=lambda c, s, m, w=way: score(w, m, c, s), **options)


def no_way():
    """A way that nobody has scored."""
    return WaySource("coupled", "The way coupled", "weights", (0,), ("trace",), "ntknas score", scores_of([]), 7.5)


def release(folder: Path):
    """Build a release, with a way that is open."""
    cells = covered()
    stores(folder, cells)
    tables = {way: scores_of([folder / f"{way}.h5"]) for way in UNITS}
    sources = [
        WaySource(way, f"The way {way}", unit, SEEDS[way], MEASURES[way], "ntknas score", tables[way])
        for way, unit in UNITS.items()
    ]
    build(SPACE, [*sources, no_way()], "1.0.0", cells=cells).write(folder / "release", folder / "spectra")
    return folder / "release"
