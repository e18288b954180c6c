"""Objects of the official packages as benchmarks: what the import of the same file makes, and they stay as they are."""

import copy
import json
import random
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from ntknas import correlate, load_benchmark
from ntknas.benchmarks import Target
from ntknas.benchmarks.formats import model_metrics, tfrecord
from ntknas.benchmarks.importing import import_file
from ntknas.core.errors import ChoiceError, DataError
from tests.benchmarks import official


def _nb201(content, **options):
    return pytest.importorskip("nas_201_api").NASBench201API(content, verbose=False, **options)


def _nats(folder, kind, **options):
    return pytest.importorskip("nats_bench").create(
        str(folder), kind, **({"fast_mode": True, "verbose": False} | options)
    )


def _nats_of_one_file(kind, space, cells, budgets):
    """The object that is not in fast mode: everything in memory."""
    texts = official._texts(space)
    infos = {
        index: {name: official.summary(index, texts[index], epochs) for epochs, name in budgets} for index in cells
    }
    content = {"meta_archs": texts, "arch2infos": infos, "evaluated_indexes": list(cells)}
    return pytest.importorskip("nats_bench").create(content, kind, verbose=False)


class NASBench:
    """``nasbench.api.NASBench``, as its source has it, without TensorFlow."""

    def __init__(self, dataset_file):
        self.fixed_statistics, self.computed_statistics, self.valid_epochs = {}, {}, set()
        for content in tfrecord.read_records(dataset_file):
            module_hash, epochs, raw_adjacency, raw_operations, raw_metrics = json.loads(content)
            metrics = model_metrics.decode(official.base64.b64decode(raw_metrics))
            size = int(np.sqrt(len(raw_adjacency)))
            if module_hash not in self.fixed_statistics:
                self.fixed_statistics[module_hash] = {
                    "module_adjacency": np.array([int(e) for e in raw_adjacency], dtype=np.int8).reshape(size, size),
                    "module_operations": raw_operations.split(","),
                    "trainable_parameters": metrics.trainable_parameters,
                }
                self.computed_statistics[module_hash] = {}
            self.valid_epochs.add(epochs)
            point = {}
            for moment, figures in (("halfway", metrics.evaluations[1]), ("final", metrics.evaluations[2])):
                point |= {f"{moment}_{name}": value for name, value in figures._asdict().items()}
                del point[f"{moment}_current_epoch"]
            self.computed_statistics[module_hash].setdefault(epochs, []).append(point)
        self.training_time_spent, self.total_epochs_spent = 0.0, 0

    def hash_iterator(self):
        return self.fixed_statistics.keys()

    def get_metrics_from_hash(self, module_hash):
        return (
            copy.deepcopy(self.fixed_statistics[module_hash]),
            copy.deepcopy(self.computed_statistics[module_hash]),
        )

    def query(self, model_spec, epochs=108, stop_halfway=False):
        raise AssertionError("it draws a run and counts what was spent")


def _are_alike(taken, imported):
    assert (taken.name, taken.space) == (imported.name, imported.space)
    assert list(taken.tables) == list(imported.tables)
    assert taken.main_targets() == imported.main_targets()
    for target in imported.tables:
        mine, theirs = taken.table(target), imported.table(target)
        assert (mine.seeds, mine.seeds_are_numbers) == (theirs.seeds, theirs.seeds_are_numbers)
        np.testing.assert_array_equal(mine.runs, theirs.runs)
        np.testing.assert_array_equal(mine.seconds, theirs.seconds)
    for dataset in {target.dataset for target in imported.tables}:
        mine, theirs = taken.costs(dataset), imported.costs(dataset)
        np.testing.assert_array_equal(mine.parameters, theirs.parameters)
        np.testing.assert_array_equal(mine.flops, theirs.flops)


def _imported(source, folder):
    return load_benchmark(import_file(source, folder).benchmark, folder=folder)


REAL = {
    "NAS-Bench-201-mini.pth": lambda path: _nb201(torch.load(path, weights_only=False)),  # trusted test data
    "NATS-tss-v1_0-3ffb9-simple": lambda path: _nats(path, "topology"),
    "NATS-sss-v1_0-50262-simple": lambda path: _nats(path, "size"),
    "nb101_mini.tfrecord": NASBench,
}


@pytest.mark.parametrize("name", list(REAL))
def test_an_object_of_the_official_file_is_its_import(test_data, tmp_path, name):
    path = test_data / "official" / name
    _are_alike(load_benchmark(api=REAL[name](path)), _imported(path, tmp_path))


@pytest.mark.parametrize("kind", ["size", "topology"])
def test_nats_bench_in_memory_in_files_and_half_loaded(tmp_path, kind):
    space, cells = {"size": "nats-sss", "topology": "nb201"}[kind], (0, 3, 77)
    budgets = ((1, "01"), (12, "12"), (90, "90"))
    folder = official.save_nats(tmp_path / "NATS", space, cells, budgets)
    imported = _imported(folder, tmp_path)
    assert imported.name == {"size": "nats-sss", "topology": "nats-tss"}[kind]
    _are_alike(load_benchmark(api=_nats_of_one_file(kind, space, cells, budgets)), imported)
    lazy = _nats(folder, kind)
    _are_alike(load_benchmark(api=lazy), imported)
    assert not lazy.arch2infos_dict
    assert not lazy.evaluated_indexes
    lazy.query_meta_info_by_index(3, "90")
    _are_alike(load_benchmark(api=lazy), imported)
    assert list(lazy.arch2infos_dict) == [3]


def test_every_seed_budget_and_split_of_nas_bench_201(tmp_path):
    content = official.nb201_content((0, 5, 9))
    del content["arch2infos"][5]["full"]["all_results"]["cifar10", 999]
    for (_, seed), record in content["arch2infos"][9]["full"]["all_results"].items():
        record["flop"] = float(seed)  # as in the official files, in which some runs' costs are wrong
    content["arch2infos"][9]["less"]["all_results"]["cifar100", 111]["params"] = np.float32(0.5)
    imported = _imported(official.save_pth(tmp_path / "nb.pth", content), tmp_path)
    taken = load_benchmark(api=_nb201(content), dataset="cifar10")
    _are_alike(taken, imported)
    assert taken.table(Target("cifar10", "test", 200)).count[[0, 5, 6, 9]].tolist() == [2, 1, 0, 2]
    with pytest.raises(ChoiceError, match="Cell 5 has no run of seed 999: nb201 holds those of 777"):
        taken.accuracy(5, "test", 200, 999)
    with pytest.raises(ChoiceError, match=r"holds no run of cell 6 .*: it holds 3 of 15,625 cells"):
        taken.accuracy(6, "test", 200)
    with pytest.raises(ChoiceError, match="nb201 has no networks for 'svhn': it has those for ImageNet16-120, cifar10"):
        taken.costs("svhn")
    assert taken.source == "an object of nas_201_api.api_201.NASBench201API, 3 of 15,625 cells"


def test_every_run_and_budget_of_nas_bench_101(tmp_path):
    cells = [(7, 108), (0, 108), (7, 108), (400_000, 4), (7, 4), (7, 108)]
    records = [official.nb101_record(i, e, 0.5 + 0.01 * n) for n, (i, e) in enumerate(cells)]
    source = official.save_tfrecord(tmp_path / "nb.tfrecord", records)
    api = NASBench(source)
    before = copy.deepcopy(vars(api))
    taken = load_benchmark(api=api, dataset="cifar10")
    _are_alike(taken, _imported(source, tmp_path))
    assert taken.accuracy(7, "halfway-valid", 108, 2) == pytest.approx(100 * (0.55 - 0.2))
    assert str(vars(api)) == str(before)
    assert taken.source == f"an object of {__name__}.NASBench, 3 of 423,624 cells"


def test_an_object_prints_draws_and_counts_nothing(tmp_path, capsys):
    folder = official.save_nats(tmp_path / "NATS", "nb201")
    objects = [_nats(folder, "tss", verbose=True), _nb201(official.nb201_content())]
    for api in objects:
        api.verbose = True
    capsys.readouterr()
    before = random.getstate()
    first, again = ([load_benchmark(api=api) for api in objects] for _ in range(2))
    assert random.getstate() == before
    assert capsys.readouterr() == ("", "")
    assert [api.used_time for api in objects] == [0, 0]
    for one, other in zip(first, again, strict=True):
        _are_alike(one, other)


def test_scores_are_correlated_with_an_object():
    cells = range(3, 23)
    content = official.nb201_content(cells)
    api = _nb201(content)
    scores = pd.Series(np.random.default_rng(0).random(30), pd.RangeIndex(30, name="cell"), name="mine")
    result = correlate(scores, load_benchmark(api=api, dataset="ImageNet16-120"), resamples=0)
    expected = {"ImageNet16-120/valid/200": "x-valid", "ImageNet16-120/test/200": "x-test"}
    assert {row.target for row in result.rows} == set(expected)
    for row in result.rows:
        key = f"{expected[row.target]}@199"
        runs = [content["arch2infos"][cell]["full"]["all_results"]["ImageNet16-120", 777] for cell in cells]
        accuracies = [run["eval_acc1es"][key] for run in runs]
        assert row.n == 20
        assert row.kendall.value == pytest.approx(stats.kendalltau(scores[list(cells)], accuracies).statistic)
        assert (result.targets[row.target].cells_scored, result.targets[row.target].cells_with_accuracy) == (30, 20)


def test_a_subclass_and_a_copy_inside_another_package_are_taken():
    package = pytest.importorskip("nas_201_api")
    derived = type("Mine", (package.NASBench201API,), {})(official.nb201_content(), verbose=False)
    assert load_benchmark(api=derived).name == "nb201"
    copied = type("NASBench201API", (), {"__module__": "lib.nas_201_api.api_201"})()
    vars(copied).update(vars(derived))
    _are_alike(load_benchmark(api=copied), load_benchmark(api=derived))


TAKEN = r"`api` takes a NASBench201API .*, a NATStopology or NATSsize .*, or a nasbench.api.NASBench"
OTHERS = {
    "nothing known": (object(), r"an object of builtins.object\."),
    "a dictionary": ({"meta_archs": []}, r"an object of builtins.dict\."),
    "a text": ("NATS-tss-v1_0-3ffb9-simple", "the text 'NATS-tss.*ntknas bench import"),
    "the same name elsewhere": (type("NATSsize", (), {"__module__": "mine"})(), r"an object of mine.NATSsize\."),
    "a class": (NASBench, "the class .*NASBench; make an object of it"),
    "another class": (dict, r"the class builtins.dict\."),
}


@pytest.mark.parametrize("name", list(OTHERS))
def test_what_is_no_official_object(name):
    api, message = OTHERS[name]
    with pytest.raises(ChoiceError, match=f"{TAKEN}.*: got {message}"):
        load_benchmark(api=api)


def test_neither_a_name_nor_an_object_or_two_that_do_not_fit():
    with pytest.raises(ChoiceError, match="Name a benchmark, or give an object .* as `api`"):
        load_benchmark()
    api = _nb201(official.nb201_content())
    assert load_benchmark("nb201", api=api).name == "nb201"
    with pytest.raises(ChoiceError, match="nats-tss was asked for, and `api` is an object of nb201"):
        load_benchmark("nats-tss", api=api)
    with pytest.raises(
        ChoiceError, match="nb201 holds no accuracies on 'svhn': it holds those on ImageNet16-120, cifar10"
    ):
        load_benchmark(api=api, dataset="svhn")


def test_objects_without_data(tmp_path):
    nothing = official.nb201_content(()) | {"arch2infos": {}}
    with pytest.raises(DataError, match="NASBench201API was not taken: it holds no architectures. Expected"):
        load_benchmark(api=_nb201(nothing))
    older = _nb201(nothing)
    del older.arch2infos_dict
    with pytest.raises(DataError, match="no results by architecture .*: nas-bench-201 has them from 2.0 on"):
        load_benchmark(api=older)
    folder = official.save_nats(tmp_path / "NATS")
    with pytest.raises(DataError, match="NATStopology was not taken: its list .* is not that of nats-tss"):
        load_benchmark(api=_nats(folder, "tss"))
    api = _nats(folder, "sss")
    for file in folder.glob("0*"):
        file.unlink()
    with pytest.raises(DataError, match="it holds no files such as 000000"):
        load_benchmark(api=api)
    shutil.rmtree(folder)
    with pytest.raises(DataError, match=f"it is in fast mode and its folder is not there: {folder}"):
        load_benchmark(api=api)


def _changed(name, value):
    def change(infos):
        setattr(infos[5]["200"].all_results["cifar10", 777], name, value)

    return change


def _replaced(key, value):
    def change(infos):
        infos[key] = value

    return change


WRONG_RESULTS = {
    "beyond 100 %": (_changed("eval_acc1es", {"ori-test@199": 101.0}), "architecture 5: .*percentage, got 101.0"),
    "a truth for a number": (
        _changed("flop", True),
        "architecture 5: .*no flop: expected a number from 0 on, got True",
    ),
    "not a number": (_changed("params", np.float64("nan")), "architecture 5: .*no params: expected a number"),
    "another seed": (_changed("seed", "0888"), "architecture 5: .*stands under"),
    "no results": (_replaced(5, None), "architecture 5: expected results by epoch budget, got None"),
    "no budgets": (_replaced(5, {}), "architecture 5: expected a dictionary by epoch budget"),
    "a number for results": (_replaced(5, {"12": 1}), "architecture 5: expected an object of results, got 1"),
    "out of range": (_replaced(20_000, {}), "there is no architecture 20000"),
}


@pytest.mark.parametrize("name", list(WRONG_RESULTS))
def test_results_that_are_not_what_they_should_be(name):
    change, message = WRONG_RESULTS[name]
    api = _nb201(official.nb201_content())
    change(api.arch2infos_dict)
    with pytest.raises(DataError, match=f"The object of nas_201_api.api_201.NASBench201API was not taken: {message}"):
        load_benchmark(api=api)


def test_another_architecture_under_an_index():
    api = _nb201(official.nb201_content())
    api.arch2infos_dict[6] = api.arch2infos_dict.pop(5)
    with pytest.raises(DataError, match="architecture 6: it holds architecture"):
        load_benchmark(api=api)


HASH = "00005c142e6f48ac74fdcf73e3439874"
WRONG_METRICS = {
    "another matrix": (
        ("fixed_statistics", HASH, "module_adjacency"),
        np.zeros((7, 7), int),
        "is not that of its matrix",
    ),
    "no matrix": (("fixed_statistics", HASH, "module_adjacency"), [[0, 1], [0]], "module_adjacency is no matrix"),
    "no edges": (("fixed_statistics", HASH, "module_adjacency"), [[0, 2], [0, 0]], "no matrix of zeros and ones"),
    "no operations": (("fixed_statistics", HASH, "module_operations"), None, "no list of names: None"),
    "no parameters": (("fixed_statistics", HASH, "trainable_parameters"), "many", "no number: 'many'"),
    "nothing fixed": (("fixed_statistics", HASH), None, "expected a dictionary of its matrix"),
    "no runs": (("computed_statistics", HASH), [], "expected a dictionary of its runs"),
    "no list of runs": (("computed_statistics", HASH, 108), {}, "expected a list of runs"),
    "no figures": (
        ("computed_statistics", HASH, 108, 0),
        0.9,
        "expected a dictionary of figures for each run, got 0.9",
    ),
    "a text": (("computed_statistics", HASH, 108, 0, "final_test_accuracy"), "0.9", "no final_test_accuracy: .* '0.9'"),
    "no share": (("computed_statistics", HASH, 108, 0, "final_test_accuracy"), 92.1, "from 0 to 1, got 92.1"),
}


@pytest.mark.parametrize("name", list(WRONG_METRICS))
def test_metrics_that_are_not_what_they_should_be(tmp_path, name):
    path, value, message = WRONG_METRICS[name]
    api = NASBench(official.save_tfrecord(tmp_path / "nb.tfrecord", [official.nb101_record(0)]))
    place = vars(api)
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(DataError, match=f"The object of .*NASBench was not taken: cell '{HASH}': .*{message}"):
        load_benchmark(api=api)


def test_a_nas_bench_101_without_cells_or_with_an_answer_of_another_shape(tmp_path):
    api = NASBench(official.save_tfrecord(tmp_path / "nb.tfrecord", [official.nb101_record(0)]))
    api.get_metrics_from_hash = lambda module_hash: {}
    with pytest.raises(DataError, match="expected get_metrics_from_hash to return two dictionaries"):
        load_benchmark(api=api)
    api.fixed_statistics = {}
    with pytest.raises(DataError, match="NASBench was not taken: it holds no runs"):
        load_benchmark(api=api)


def test_no_official_package_is_imported():
    code = (
        "import sys, ntknas\n"
        "Kind = type('NATSsize', (), {'__module__': 'nats_bench.api_size', 'meta_archs': []})\n"
        "for api in (object(), Kind()):\n"
        "    try:\n"
        "        ntknas.load_benchmark(api=api)\n"
        "    except ntknas.NtknasError as error:\n"
        "        print(type(error).__name__)\n"
        "print({'torch', 'nas_201_api', 'nats_bench', 'nasbench', 'tensorflow'} & set(sys.modules))\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split("\n") == ["ChoiceError", "DataError", "set()", ""]
