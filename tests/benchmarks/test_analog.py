"""AnalogNAS-Bench's pickle: small ones made in its layout, wrong ones, and the published file where it is there."""

import importlib.util
import pickle
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr

from ntknas import load_benchmark
from ntknas.benchmarks import Target, read_accuracies
from ntknas.benchmarks.formats.analog_records import ACCURACIES, DRIFTS
from ntknas.benchmarks.importing import import_files
from ntknas.core.errors import DataError
from ntknas.spaces import load_space
from tests.benchmarks import made_targets as made

SPACE = load_space("nb201")
NAMES = (*ACCURACIES, *DRIFTS)


class Architecture:
    """Stands for the package's class of this name."""

    def __init__(self, **values):
        self.__dict__.update(values)


class DriftMeasurement(Architecture):
    """Stands for the package's class of this name."""


class Other:
    """A class that no such file has."""


@pytest.fixture
def dump(monkeypatch, tmp_path):
    """Pickle what the package would."""
    module = ModuleType("analognasbench.data")
    for kind in (Architecture, DriftMeasurement, Other):
        monkeypatch.setattr(kind, "__module__", module.__name__)
        setattr(module, kind.__name__, kind)
    monkeypatch.setitem(sys.modules, "analognasbench", ModuleType("analognasbench"))
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def dump(content, protocol=4):
        path = tmp_path / "data.anb"
        path.write_bytes(pickle.dumps(content, protocol))
        return path

    return dump


def records():
    """Architectures of the first cells of nb201, as the package keeps them."""
    figures = np.random.default_rng(0).integers(80_000, 930_000, (made.FEW, len(NAMES))) / 10_000
    made_of = {}
    for cell, row in enumerate(figures.tolist()):
        key = tuple(int(digit) for digit in made.tuple_of(cell).strip("()").split(","))
        values = dict(zip(NAMES, row, strict=True))
        drifts = {name: DriftMeasurement(value=values[name], uncertainty=0.25) for name in DRIFTS}
        made_of[key] = Architecture(architecture=key, **{**values, **drifts})
    return dict(sorted(made_of.items()))


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_small_file(tmp_path, dump, protocol):
    content = records()
    imported = import_files([dump(content, protocol)], tmp_path / "bench", open_space=made.open_few)
    assert (imported.benchmark, imported.cells, len(imported.targets)) == ("analog-nb201", made.FEW, 13)
    benchmark = load_benchmark("analog-nb201", folder=tmp_path / "bench")
    for key, record in content.items():
        cell = SPACE.index(str(key))
        assert benchmark.accuracy(cell, "analog_accuracy", dataset="cifar10") == record.analog_accuracy
        assert benchmark.accuracy(cell, "baseline_drift_60", dataset="cifar10") == record.baseline_drift_60.value


def with_one(change):
    """Records of which the first is changed."""

    def make():
        content = records()
        change(content, next(iter(content)))
        return content

    return make


def _set(name, value):
    return with_one(lambda content, key: content[key].__dict__.update({name: value}))


WRONG = {
    "a cell missing": (with_one(lambda content, key: content.pop(key)), "it has no row of 1 of 26 cells"),
    "another's name": (_set("architecture", (0, 0, 0, 0, 0, 0)), "stands under another's name"),
    "a number missing": (with_one(lambda content, key: content[key].__dict__.pop("ptq_accuracy")),
                         "ptq_accuracy of .*: expected a percentage, got None"),
    "no percentage": (_set("qat_accuracy", 101.0), "qat_accuracy of .*: expected a percentage, got 101"),
    "NaN": (_set("qat_accuracy", float("nan")), "qat_accuracy of .*: expected a percentage, got nan"),
    "a text": (_set("qat_accuracy", "high"), "expected a percentage, got 'high'"),
    "a drift that is none": (_set("analog_drift_60", 3.0), "analog_drift_60 of .* is no DriftMeasurement"),
    "a class that is none of it": (_set("analog_drift_60", Other()), "asks for analognasbench.data.Other"),
    "an operation that is none": (lambda: {(0, 0, 0, 0, 0, 5): Architecture()}, "expected tuples of six operations"),
    "a number as key": (lambda: {3: Architecture()}, "expected tuples of six operations, got '3'"),
    "a list": (lambda: [Architecture(architecture=1)], "expected a dictionary of architectures, got a list"),
    "no record": (with_one(lambda content, key: content.update({key: 1})), "is no Architecture but 1"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(WRONG))
def test_files_that_are_wrong(tmp_path, dump, what):
    content, message = WRONG[what]
    with pytest.raises(DataError, match=message):
        import_files([dump(content())], tmp_path / "bench", open_space=made.open_few)
    assert not (tmp_path / "bench").exists()


@pytest.mark.parametrize("end", [100, 2_000, -1])
def test_a_file_that_is_cut_off(tmp_path, dump, end):
    path = dump(records())
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match="it is damaged or cut off"):
        import_files([path], tmp_path / "bench", open_space=made.open_few)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The published file, if the package is installed; nothing of it is imported."""
    found = importlib.util.find_spec("analognasbench")
    path = Path(found.origin).parent / "data.anb" if found is not None else None
    if path is None or not path.exists():
        pytest.skip("analog-nasbench is not installed")
    folder = tmp_path_factory.mktemp("analog")
    import_files([path], folder)
    return load_benchmark("analog-nb201", folder=folder)


RANGES = {"baseline": (10, 94.066), "analog": (9.805, 91.326), "noisy": (8.472, 88.352)}
TAU = {
    "baseline_accuracy": 0.9258,
    "ptq_accuracy": 0.9131,
    "qat_accuracy": 0.8435,
    "noisy_accuracy": 0.3402,
    "analog_accuracy": 0.6520,
    "baseline_drift_60": 0.4019,
    "analog_drift_60": 0.6743,
    "baseline_drift_2592000": 0.2888,
    "analog_drift_2592000": 0.6478,
}


def test_the_facts_of_the_published_file(published, test_data):
    clean = read_accuracies(test_data / "nb201_cifar10.csv.gz", SPACE, "cifar10_test200").sort_index().to_numpy()
    values = {target.split: published.table(target).mean for target in published.tables}
    assert set(values) == set(NAMES)
    assert all(np.isfinite(column).all() for column in values.values())
    for way, limits in RANGES.items():
        held = values[f"{way}_accuracy"]
        assert (held.min(), held.max()) == pytest.approx(limits, abs=5e-4)
    for name, tau in TAU.items():
        assert kendalltau(values[name], clean).statistic == pytest.approx(tau, abs=5e-4)
    baseline = values["baseline_accuracy"]
    assert pearsonr(baseline, clean).statistic == pytest.approx(0.99936, abs=5e-6)
    chance = np.flatnonzero(published.table(Target("cifar10", "baseline_accuracy", None)).runs[:, 0] == 10.0)
    assert chance.tolist() == [cell.index for cell in SPACE if SPACE.is_disconnected(cell)]
