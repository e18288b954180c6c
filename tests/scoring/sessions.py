"""Small sessions that the tests of scoring share: NAS-Bench-201 with two channels, a handful of tiny images."""

import pandas as pd

import ntknas
from ntknas.core.choices import Choices
from ntknas.data import Request
from ntknas.scoring import KernelDone, NetworkOptions, Recipe

SPACE = ntknas.load_space("nb201")
SMALL = NetworkOptions(channels=2, cells_per_stage=1)
TINY = Request(image_size=8)
PROBE = ntknas.make_probe("digits", 8, TINY)
KEY = ["cell", "seed", "measure"]
DISCONNECTED = next(cell.index for cell in SPACE if SPACE.is_disconnected(cell))


def recipe(*measures, network=SMALL, name="custom", **choices):
    """A recipe of a small network."""
    return Recipe(name, Choices(**choices), network, measures or ("trace", "cond", "lga"))


def score(path, cells, what=None, *, space=SPACE, probe=PROBE, **options):
    """Score and return the whole result."""
    return ntknas.score(space, cells, recipe=what or recipe(), probe=probe, store=path, **options)


def computed(*arguments, **options):
    """Score and return the number of kernels that were computed."""
    return score(*arguments, **options).summary.kernels_computed


def by_key(result, key=KEY):
    """The scores of a result by cell, seed and measure."""
    return result.frame.set_index(key).sort_index()


def statuses(result):
    """Status by cell and measure."""
    return result.frame.set_index(["cell", "measure"])["status"].astype(str).to_dict()


def same(first, second, rtol=1e-6):
    """Compare values and statuses of two results."""
    one, other = by_key(first), by_key(second)
    pd.testing.assert_series_equal(one["value"], other["value"], rtol=rtol)
    assert one["status"].astype(str).equals(other["status"].astype(str))


def kernels_of(events):
    """The finished kernels among events."""
    return [event for event in events if isinstance(event, KernelDone)]
