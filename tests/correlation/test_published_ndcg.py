"""nDCG of counts on NAS-Bench-201's cells, as published and recomputed (tie-averaged)."""

import pandas as pd
import pytest

import ntknas
from ntknas.correlation.counts import Counts, NetworkSize
from ntknas.correlation.retrieval import ndcg
from ntknas.spaces.populations import members


@pytest.fixture(scope="module")
def accuracies(test_data):
    return pd.read_csv(test_data / "nb201_cifar10.csv.gz", index_col="index")["cifar10_test200"]


@pytest.fixture(scope="module")
def counts():
    space = ntknas.load_space("nb201")
    return Counts(NetworkSize.official(space), space)


@pytest.mark.parametrize(
    ("population", "count", "published"),
    [
        ("reachable", "flops", 0.743),
        ("reachable", "trainable_layers", 0.675),
        ("all", "flops", 0.729),
        ("all", "trainable_layers", 0.645),
        ("all", "effective_parameters", 0.731),
    ],
)
def test_ndcg_of_counts(accuracies, counts, population, count, published):
    cells = members(ntknas.load_space("nb201"), population)
    assert ndcg(counts.of(count, cells), accuracies.loc[cells].to_numpy(), 1000) == pytest.approx(published, abs=0.0005)
