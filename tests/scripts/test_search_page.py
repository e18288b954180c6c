"""The page of searches: the first cell by every seed's scores, against the released numbers themselves."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.benchmarks import Target
from ntknas.search import KnownScore

SCRIPTS = Path(__file__).parents[2] / "scripts"
TARGETS = ("cifar10-valid/valid/200", "cifar100/valid/200", "ImageNet16-120/valid/200")


@pytest.fixture(scope="module")
def page():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("search_page")


def _rows(text):
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]]
    return {(score, seeds): list(map(float, figures)) for score, seeds, *figures in lines}


def test_the_first_cell_is_that_of_the_released_scores(page):
    found = _rows(page.by_seed("published:nb201", "recommended", ["cond", "effective_rank"]))
    benchmark = ntknas.load_benchmark("nb201")
    accuracies = [pd.Series(benchmark.table(Target.parse(target)).mean) for target in TARGETS]
    scores = ntknas.load_scores("nb201", way="recommended", seed=0)
    parameters = ntknas.published.Release.open("nb201").cells.counts["effective_parameters"]
    ranks = scores["effective_rank"].rank() + parameters[scores["effective_rank"].notna()].rank()
    rankings = {"effective_rank": scores["effective_rank"], "cond": -scores["cond"]}
    rankings["rank(effective_rank) + rank(effective_parameters)"] = ranks
    for name, ranking in rankings.items():
        firsts = ranking.index[ranking == ranking.max()]
        expected = [y[firsts].mean() for y in accuracies]
        assert found[name, "seed 0"] == pytest.approx(expected, abs=0.006), name
    firsts = parameters.index[parameters == parameters.max()]
    assert found["effective_parameters", "–"] == pytest.approx([y[firsts].mean() for y in accuracies], abs=0.006)


def test_seeds_stand_alone_and_together(page):
    seeds = ntknas.published.Release.open("nb201").way("recommended").seeds
    names = [f"seed {seed}" for seed in seeds] + (["all together"] if len(seeds) > 1 else [])
    found = _rows(page.by_seed("published:nb201", "recommended", ["cond"]))
    assert [seeds for score, seeds in found if score == "cond"] == names


def test_level_cells_count_by_their_mean_and_cells_without_a_score_not_at_all(page):
    objective = page._objective("cifar10")
    values = np.full(15_625, np.nan)
    values[[3, 8, 11]] = 2.0, 2.0, 1.0
    expected = objective.reported[[3, 8]].mean()
    assert page.first(KnownScore("mine", values, 0.0), objective) == pytest.approx(expected)
