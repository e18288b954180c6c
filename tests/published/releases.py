"""Small releases that tests share: a few tiny networks of NAS-Bench-201 on eight images of digits."""

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
"""Some that are networks of their own, and beside them the cells that are the same networks."""
KERNEL = ("trace", "cond", "lga")
SPECTRUM = tuple(f"eigenvalue_{number}" for number in range(1, IMAGES + 1))


def recipe(*measures, **choices):
    """A way of measuring tiny networks."""
    return Recipe("tiny", Choices(**choices), SMALL, measures)


def source(name, store, unit, seeds, measures, **more):
    """A way whose scores lie in a store."""
    return WaySource(
        name, f"The way {name}", unit, tuple(seeds), measures, f"ntknas score # {name}", scores_of([store]), **more
    )


def covered():
    """Cells that a small release covers: those of ``CELLS``, and of a disconnected network, with their like."""
    disconnected = next(cell.index for cell in SPACE if SPACE.is_disconnected(cell))
    networks = {SPACE.representative(SPACE[cell], "weights", "none") for cell in (*CELLS, disconnected)}
    return [cell.index for cell in SPACE if SPACE.representative(cell, "weights", "none") in networks]


def score_stores(folder: Path, cells=None, seeds=2):
    """Score one cell for each network: two kernels with their spectra, and a baseline."""
    cells = covered() if cells is None else cells
    by_unit = {
        unit: sorted({SPACE.representative(SPACE[cell], unit, "none") for cell in cells}) for unit in ("weights", "all")
    }
    ntknas.score(
        SPACE,
        by_unit["weights"],
        recipe=recipe(*KERNEL, *SPECTRUM, output="sum", parameters="weights"),
        probe=PROBE,
        seeds=seeds,
        store=folder / "frozen.h5",
    )
    ntknas.score(
        SPACE,
        by_unit["all"],
        recipe=recipe(*KERNEL, *SPECTRUM, output="label", parameters="all"),
        probe=PROBE,
        seeds=1,
        store=folder / "vilhess.h5",
    )
    ntknas.score(
        SPACE,
        by_unit["weights"],
        recipe=recipe("synflow", "naswot"),
        probe=PROBE,
        seeds=1,
        store=folder / "baselines.h5",
    )


def sources(folder: Path):
    """The ways of these stores."""
    return [
        source("frozen", folder / "frozen.h5", "weights", (0, 1), (*KERNEL, *SPECTRUM)),
        source("vilhess", folder / "vilhess.h5", "all", (0, 1), (*KERNEL, *SPECTRUM)),
        source("baselines", folder / "baselines.h5", "cell", (0,), ("synflow", "naswot")),
    ]


def built(folder: Path, version="1.0.0"):
    """A small release of these stores."""
    return build(SPACE, sources(folder), version, cells=covered())
