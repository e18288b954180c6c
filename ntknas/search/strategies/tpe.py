"""Tree-structured Parzen estimators, Optuna's: cells are drawn where good ones are denser than the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ntknas.core.extras import require
from ntknas.search.problem import Search
from ntknas.search.strategy import Proposals, Training, strategy
from ntknas.search.trace import PATIENCE
from ntknas.spaces.neighbourhood import Positional

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

STARTUP = 10
"""Cells that are trained before the first estimate, Optuna's own default."""
OPTUNA = ("optuna", "search")
"""The module, and the extra that installs it."""
_SEEDS = 2**32
"""Seeds that Optuna takes."""


def estimate(search: Search, first: Sequence[int] | NDArray[np.int64]) -> Proposals:
    """Train some cells, then for ever those that the estimator draws, of which every one it draws again weighs more.

    A position of a cell is a categorical parameter. What cannot be trained is drawn again.

    Args:
        search: The search.
        first: The cells before the first estimate.

    Yields:
        What to train.
    """
    space = search.problem.space
    assert isinstance(space, Positional)
    study = _study(search)
    choices = _choices(space)
    trial_of = require("optuna.trial", "search").create_trial
    search.announce(first)
    for cell in map(int, first):
        value = yield Training(cell)
        parameters = dict(zip(choices, space.positions(space[cell]), strict=True))
        study.add_trial(trial_of(params=parameters, distributions=choices, value=_finite(value)))
    drawn_in_vain = 0
    while drawn_in_vain < PATIENCE:
        trial = study.ask(choices)
        cell = space.at_positions([int(trial.params[name]) for name in choices])
        if search.problem.is_trainable(cell):
            study.tell(trial, _finite((yield Training(cell))))
            drawn_in_vain = 0
        else:
            study.tell(trial, state=require("optuna.trial", "search").TrialState.FAIL)
            drawn_in_vain += 1


def _study(search: Search) -> optuna.Study:
    """Return an empty study in memory, whose draws the search decides; Optuna reports every trial otherwise."""
    package = require(*OPTUNA)
    package.logging.set_verbosity(package.logging.WARNING)
    sampler = package.samplers.TPESampler(n_startup_trials=0, seed=int(search.generator.integers(_SEEDS)))
    study: optuna.Study = package.create_study(direction="maximize", sampler=sampler)
    return study


def _choices(space: Positional) -> dict[str, BaseDistribution]:
    """Return the choices at each position; by number, since two may have one name."""
    categorical = require("optuna.distributions", "search").CategoricalDistribution
    return {str(place): categorical(tuple(range(len(names)))) for place, names in enumerate(space.choices)}


def _finite(value: float) -> float:
    """Return a value that Optuna takes: a cell without a score is as bad as can be."""
    return max(value, float(np.finfo(np.float64).min))


@strategy(
    "tpe",
    text=f"cells drawn by a tree-structured Parzen estimator, after {STARTUP} random ones",
    source="Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011; Optuna",
    needs_positions=True,
    requires=OPTUNA,
)
def tpe(search: Search) -> Proposals:
    """Begin with the first cells of the random order."""
    yield from estimate(search, search.order[:STARTUP])


STRATEGY = tpe
