"""Small releases that tests share: a few tiny networks of NAS-Bench-201 on eight images of digits."""

from functools import cache
from pathlib import Path

import ntknas
from ntknas.core.choices import Choices
from ntknas.data import Request
from ntknas.published.build import build, scores_of
from ntknas.published.collect import WaySource
from ntknas.scoring import NetworkOptions, Recipe

SPACE = ntknas.load_space("nb201")
SMALL = NetworkOptions(channels=2, cells_per_stage=1)
IMAGES = 8
PROBE = ntknas.make_probe("digits", IMAGES, Request(image_size=8))
CELLS = (0, 1, 5, 17, 24, 8216, 12000)
LIKE = 12
"""Cells of one network that are covered."""
UNITS = {"frozen": "weights", "vilhess": "all", "baselines": "cell"}
KERNEL = ("trace", "cond", "lga")
BASELINES = ("naswot", "synflow")
SPECTRUM = tuple(f"eigenvalue_{number}" for number in range(1, IMAGES + 1))


def recipe(*measures, **choices):
    """A way of measuring tiny networks."""
    return Recipe("tiny", Choices(**choices), SMALL, measures)


def source(name, unit, seeds, measures, table, **more):
    """A way with its scores."""
    return WaySource(name, f"The way {name}", unit, tuple(seeds), measures, f"ntknas score # {name}", table, **more)


@cache
def covered():
    """Cells that a small release covers: those of ``CELLS``, of a disconnected network, and some of their like."""
    disconnected = next(cell.index for cell in SPACE if SPACE.is_disconnected(cell))
    networks = {representative(cell, "weights") for cell in (*CELLS, disconnected)}
    alike = {network: [] for network in networks}
    for cell in range(len(SPACE)):
        if representative(cell, "weights") in networks:
            alike[representative(cell, "weights")].append(cell)
    return tuple(sorted(cell for cells in alike.values() for cell in cells[:LIKE]))


def representative(cell, unit):
    """The first cell that is the same network, of unit ``cell`` the cell itself."""
    return cell if unit == "cell" else SPACE.representative(SPACE[cell], unit, "none")


def scored(unit):
    """One cell for each network that a small release covers, as the long runs score them."""
    return sorted({representative(cell, unit) for cell in covered()})


def score_stores(folder: Path):
    """Score two kernels with their spectra, and two baselines: a store for each way."""
    ways = {
        "frozen": ("weights", 2, recipe(*KERNEL, *SPECTRUM, output="sum", parameters="weights")),
        "vilhess": ("all", 1, recipe(*KERNEL, *SPECTRUM, output="label", parameters="all")),
        "baselines": ("weights", 1, recipe(*BASELINES)),
    }
    for name, (unit, seeds, what) in ways.items():
        ntknas.score(SPACE, scored(unit), recipe=what, probe=PROBE, seeds=seeds, store=folder / f"{name}.h5")


def sources(folder: Path):
    """The ways of these stores; nobody has scored the second seed of one of them."""
    tables = {name: scores_of([folder / f"{name}.h5"]) for name in UNITS}
    return [
        source("frozen", "weights", (0, 1), (*KERNEL, *SPECTRUM), tables["frozen"]),
        source("vilhess", "all", (0, 1), (*KERNEL, *SPECTRUM), tables["vilhess"]),
        source("baselines", "cell", (0,), BASELINES, tables["baselines"]),
    ]


def built(folder: Path, version="1.0.0", **more):
    """A small release of these stores."""
    return build(SPACE, sources(folder), version, cells=covered(), **more)
