"""What others published of searches, found again."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import ntknas
from ntknas.benchmarks.table import AccuracyTable
from ntknas.search import Objective, Problem, search
from ntknas.search.objective import Level

SPACE = ntknas.load_space("nb201")


def test_local_search_finds_the_best_cell_of_cifar100_after_some_127_trainings():
    """White, Nolen and Savani (2021): 127 on average, with the mean of the runs."""
    objective = Objective.of(ntknas.load_benchmark("nb201", "cifar100", folder=None), "cifar100")
    mean = dataclasses.replace(objective, levels=(Level("mean", objective.reported[:, None]),))
    traces = search(Problem(SPACE, mean, 1000), ["local-search"], seeds=200).traces["local-search"]
    needed = [int(np.argmax(trace.found >= mean.best - 1e-9)) + 1 for trace in traces]
    assert all(trace.found[-1] >= mean.best - 1e-9 for trace in traces)
    assert 105 < np.mean(needed) < 140


def test_the_best_of_random_cells_by_test_accuracy(test_data):
    accuracies = pd.read_csv(test_data / "nb201_cifar10.csv.gz")["cifar10_test200"].to_numpy()[:, None]
    table = AccuracyTable(accuracies, (0,))
    problem = Problem(SPACE, Objective.of_tables(table, table, ("test", "test")), 100)
    result = search(problem, ["random"], seeds=400)
    medians = [float(np.median(result.found("random", budget))) for budget in (10, 50, 100)]
    assert medians == pytest.approx([93.1, 93.7, 93.9], abs=0.1)
