"""NAS-Bench-Suite-Zero's scores: the facts of the published files, and files that are wrong."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from ntknas import load_benchmark
from ntknas.benchmarks import Target, read_accuracies
from ntknas.benchmarks.benchmark_scores import scores_of
from ntknas.benchmarks.formats.proxy_table import PROXIES
from ntknas.benchmarks.importing import import_files
from ntknas.core.errors import ChoiceError, DataError
from ntknas.spaces import load_space
from tests.benchmarks import made_targets as made

SPACE = load_space("nb201")
EMPTY = 1651
FAILED = ("epe_nas", "jacov", "nwot", "zen")
FACTS = {  # scores, CIFAR-10: smallest, largest, distinct, τ with test accuracy; ImageNet16-120: …, τ with validation
    "epe_nas": (9444, 264.78, 2399.3, 9444, 0.5781, 2.0521, 59.241, 0.2170),
    "fisher": (9445, 3.7584e-05, 2052.9, 9445, 0.4005, 3.6684e-05, 3546.4, 0.3463),
    "flops": (9445, 7.9439, 222.86, 84, None, 1.9938, 55.723, None),
    "grad_norm": (9445, 0, 3174.3, 9442, 0.4410, 0, 3682, 0.3919),
    "grasp": (9445, -63968, 2.4272e06, 9444, 0.3776, -1.2571e06, 8.5036e05, 0.3600),
    "jacov": (9444, -1.7775e05, -64.952, 9444, 0.6150, -5.2042e05, -68.565, 0.6031),
    "l2_norm": (9445, 27.676, 334.49, 8991, 0.5513, 32.21, 338.64, 0.5333),
    "nwot": (9444, 587.69, 832.3, 9444, 0.6243, 486.29, 742.51, 0.6028),
    "params": (9445, 0.073306, 1.5315, 28, None, 0.080456, 1.5387, None),
    "plain": (9445, -0.23549, 0.69294, 9444, -0.2341, -0.62436, 0.70373, -0.2340),
    "snip": (9445, 0, 4643.9, 9444, 0.4428, 0, 5102.6, 0.3913),
    "synflow": (9445, 0, 114.83, 9316, 0.5812, 0, 113.33, 0.5245),
    "zen": (9444, 7.873, 276.13, 9441, 0.1097, 6.5946, 277.14, 0.0876),
}


@pytest.fixture(scope="module")
def scores(test_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    imported = import_files([test_data / "targets" / "nb_suite_zero"], folder)
    assert (imported.cells, len(imported.targets)) == (9445, 26)
    return load_benchmark("nb-suite-zero", folder=folder)


@pytest.fixture(scope="module")
def accuracies(test_data):
    """Clean test accuracy on CIFAR-10, and validation accuracy on ImageNet16-120, by cell."""
    clean = read_accuracies(test_data / "nb201_cifar10.csv.gz", SPACE, "cifar10_test200")
    validation = load_benchmark("nb201", folder=None).table(Target("ImageNet16-120", "valid", 200)).mean
    return clean.reindex(range(len(SPACE))).to_numpy(), validation


def values(benchmark, dataset, name):
    return benchmark.table(Target(dataset, name, None)).mean


def near(expected):
    """Equal in the five digits that are stated."""
    return pytest.approx(expected, rel=5e-5)


@pytest.mark.parametrize("name", list(FACTS))
def test_the_facts_of_every_proxy(scores, name, accuracies):
    count, low, high, distinct, tau, low_imagenet, high_imagenet, tau_imagenet = FACTS[name]
    held = values(scores, "cifar10", name)
    known = np.isfinite(held)
    assert known.sum() == count == np.isfinite(values(scores, "ImageNet16-120", name)).sum()
    assert (np.nanmin(held), np.nanmax(held)) == (near(low), near(high))
    assert len(np.unique(held[known])) == distinct
    held_imagenet = values(scores, "ImageNet16-120", name)
    assert (np.nanmin(held_imagenet), np.nanmax(held_imagenet)) == (near(low_imagenet), near(high_imagenet))
    if tau is None:
        return
    clean, validation = accuracies
    assert kendalltau(held[known], clean[known]).statistic == pytest.approx(tau, abs=5e-4)
    assert kendalltau(held_imagenet[known], validation[known]).statistic == pytest.approx(tau_imagenet, abs=5e-4)


def test_its_cells_are_those_without_a_dead_operation(scores):
    held = np.flatnonzero(np.isfinite(values(scores, "cifar10", "synflow")))
    assert held.tolist() == [cell.index for cell in SPACE if not SPACE.has_dead_operation(cell)]
    assert EMPTY in held


def test_failures_are_missing_and_zeros_are_zeros(scores):
    for dataset in ("cifar10", "ImageNet16-120"):
        for name in FAILED:
            assert np.isnan(values(scores, dataset, name)[EMPTY])
            assert scores.quantity(Target(dataset, name, None)).missing == "-1e+08"
        assert [values(scores, dataset, n)[EMPTY] for n in ("grad_norm", "grasp", "plain", "snip", "synflow")] == [
            0
        ] * 5


def test_parameters_and_operations_follow_from_the_operations(scores):
    kinds = ("nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
    counts = np.array([[str(cell).count(kind) for kind in kinds] for cell in SPACE]).T
    n3, n1, np_ = counts
    known = np.isfinite(values(scores, "cifar10", "params"))
    for dataset, base, more in (
        ("cifar10", 0.073306, (7.943872, 35.81952, 4.36224, 1.29024)),
        ("ImageNet16-120", 0.080456, (1.993792, 8.95488, 1.09056, 0.32256)),
    ):
        runs = {name: scores.table(Target(dataset, name, None)).runs[known, 0] for name in ("params", "flops")}
        assert runs["params"] == pytest.approx((base + 0.24304 * n3 + 0.028 * n1)[known], abs=1e-14)
        flops = more[0] + more[1] * n3 + more[2] * n1 + more[3] * np_
        assert runs["flops"] == pytest.approx(flops[known], abs=3e-13)


def test_they_are_scores_and_no_targets(scores):
    assert scores.main_targets() == []
    frame = scores_of(scores, "cifar10", ["synflow", "zen"])
    assert list(frame) == ["synflow", "zen"]
    assert (len(frame), frame.attrs["lower_is_better"]) == (9445, [])
    assert set(frame.attrs["not_taken"]) == set(PROXIES) - {"synflow", "zen"}
    with pytest.raises(ChoiceError, match="nb-suite-zero has no scores on cifar100: it holds ImageNet16-120/"):
        scores_of(scores, "cifar100")
    with pytest.raises(ChoiceError, match="has none of the scores ntk on cifar10: it has "):
        scores_of(scores, "cifar10", ["ntk"])


def rows(smallest=0.073306):
    """Rows of a table of proxies of the first cells of nb201, header first."""
    cells = [cell for cell in made.FewCells() if not SPACE.has_dead_operation(cell)]
    drawn = np.random.default_rng(0).random((len(cells), len(PROXIES)))
    drawn[:, PROXIES.index("params")] = smallest + np.arange(len(cells))
    drawn[2, PROXIES.index("zen")] = -1e8
    return [["net", *PROXIES], *([made.tuple_of(cell.index), *map(repr, row)]
                                 for cell, row in zip(cells, drawn.tolist(), strict=True))]  # fmt: skip


@pytest.fixture
def take(tmp_path):
    def take(table, name="nb201_zc_proxies.csv", **options):
        path = made.save_csv(tmp_path / name, table)
        return import_files([path], tmp_path / "bench", open_space=made.open_few, **options)

    return take


def test_a_small_table(tmp_path, take):
    table = rows()
    imported = take(table)
    assert imported.cells == len(table) - 1 == len([c for c in made.FewCells() if not SPACE.has_dead_operation(c)])
    assert imported.missing[Target("cifar10", "zen", None)] == imported.size - imported.cells + 1
    benchmark = load_benchmark("nb-suite-zero", folder=tmp_path / "bench")
    for row in table[1:]:
        cell = SPACE.index(row[0])
        assert benchmark.table(Target("cifar10", "jacov", None)).mean[cell] == float(row[1 + PROXIES.index("jacov")])


def changed(table, row, column, text):
    table[row][column] = text
    return table


WRONG = {
    "another data set than the name says": (lambda: rows(0.080456), "its name says cifar10|was not imported: its name"),
    "no data set": (lambda: rows(0.5), "it is of no data set of these scores: the smallest of params is 0.5"),
    "a row missing": (lambda: rows()[:-1], "it has no row of 1 of"),
    "a row twice": (lambda: [*rows(), rows()[1]], "it holds cell .* more than once"),
    "a cell with a dead operation": (lambda: [*rows(), [made.tuple_of(3), *["0.5"] * len(PROXIES)]],
                                     "it has rows of 1 cells that such a table does not have: 3"),
    "an index for a tuple": (lambda: changed(rows(), 1, 0, "0"), "line 2, column 'net': expected six numbers"),
    "no number": (lambda: changed(rows(), 3, 4, "high"), "line 4: expected a number in column"),
    "an empty entry": (lambda: changed(rows(), 3, 4, ""), "line 4: expected a number in column"),
    "a column missing": (lambda: [row[:-1] for row in rows()], f"it has no column '{PROXIES[-1]}'"),
    "a short row": (lambda: [*rows()[:-1], rows()[-1][:-1]], "expected 14 fields as in its header, got 13"),
    "equal values": (lambda: [rows()[0], *(changed([list(r)], 0, 1, "1")[0] for r in rows()[1:])],
                     "column 'epe_nas' has one value, 1"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_files_that_are_wrong(tmp_path, take, what):
    table, message = WRONG[what]
    name = "nb201_cifar10_zc_proxies.csv" if "name says" in what else "nb201_zc_proxies.csv"
    with pytest.raises(DataError, match=message):
        take(table(), name)
    assert not (tmp_path / "bench").exists()
