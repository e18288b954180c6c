"""Official files into tables: every figure, every seed; what is wrong is named and nothing is half written."""

import bz2
import math
import os
import pickle
import struct
import sys
import types
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from ntknas import load_benchmark, load_space
from ntknas.benchmarks import Target, all_sources, table_path
from ntknas.benchmarks.formats import model_metrics, nats_folder, tfrecord
from ntknas.benchmarks.importing import import_file
from ntknas.benchmarks.table_file import TableFile
from ntknas.core.errors import ChoiceError, DataError, NtknasError
from tests.benchmarks import official
from tests.core.test_children import plant

MINI = {
    "nb201": "NAS-Bench-201-mini.pth",
    "nats-tss": "NATS-tss-v1_0-3ffb9-simple",
    "nats-sss": "NATS-sss-v1_0-50262-simple",
}
CELLS = (0, 11, 284)


@pytest.fixture(scope="module")
def imported(test_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench_data")
    for name, file in MINI.items():
        assert import_file(test_data / "official" / file, folder).benchmark == name
    return folder


def _answers(api, index, dataset, epochs, seed):
    info = api.get_more_info(index, dataset, hp=epochs, is_random=seed)
    names = {
        "train-accuracy": "train",
        "valid-accuracy": "valid",
        "test-accuracy": "test",
        "valtest-accuracy": "valtest",
    }
    return {names[key]: value for key, value in info.items() if key in names}, info["train-all-time"]


def _is_what_the_api_says(api, benchmark, budgets):
    asked = 0
    for target in benchmark.tables:
        table, hp = benchmark.table(target), budgets[target.epochs]
        for cell in CELLS:
            for place, seed in enumerate(table.seeds):
                accuracies, seconds = _answers(api, cell, target.dataset, hp, seed)
                assert benchmark.accuracy(cell, target.split, target.epochs, seed, target.dataset) == pytest.approx(
                    accuracies[target.split], rel=1e-14
                )
                assert table.seconds[cell, place] == pytest.approx(seconds, rel=1e-12)
                asked += 1
            cost = api.get_cost_info(cell, target.dataset, hp=hp)
            costs = benchmark.costs(target.dataset)
            assert costs.parameters[cell] == pytest.approx(cost["params"] * 1e6)
            assert costs.flops[cell] == pytest.approx(cost["flops"] * 1e6)
    return asked


def test_nas_bench_201_against_its_official_package(test_data, imported):
    api_package = pytest.importorskip("nas_201_api")
    content = torch.load(test_data / "official" / MINI["nb201"], weights_only=False)  # trusted test data
    api = api_package.NASBench201API(content, verbose=False)
    assert _is_what_the_api_says(api, load_benchmark("nb201", folder=imported), {12: "12", 200: "200"}) > 100


@pytest.mark.parametrize(("name", "kind"), [("nats-tss", "topology"), ("nats-sss", "size")])
def test_nats_bench_against_its_official_package(test_data, imported, name, kind):
    package = pytest.importorskip("nats_bench")
    api = package.create(str(test_data / "official" / MINI[name]), kind, fast_mode=True, verbose=False)
    budgets = {1: "01", 12: "12", 90: "90", 200: "200"}
    assert _is_what_the_api_says(api, load_benchmark(name, folder=imported), budgets) > 100


@pytest.mark.parametrize("name", ["nb201", "nats-tss"])
def test_known_answers_of_architecture_0(imported, name):
    benchmark = load_benchmark(name, folder=imported)
    known = {"cifar10": 85.8633, "cifar100": 52.9133, "ImageNet16-120": 26.6333}
    for dataset, value in known.items():
        assert benchmark.accuracy(0, "test", 200, dataset=dataset) == pytest.approx(value, abs=5e-5)
    assert benchmark.accuracy(0, "test", 12, dataset="cifar10") == pytest.approx(69.55)


def test_both_cifar10_tables_stay_apart(imported):
    benchmark = load_benchmark("nb201", folder=imported)
    assert Target("cifar10-valid", "valid", 200) in benchmark.tables
    assert Target("cifar10", "valid", 200) not in benchmark.tables
    cifar10, valid = (benchmark.accuracy(0, "test", 200, dataset=name) for name in ("cifar10", "cifar10-valid"))
    assert cifar10 != valid
    assert benchmark.accuracy(0, "valid", dataset="cifar10") == benchmark.accuracy(0, "valid", dataset="cifar10-valid")
    with pytest.raises(ChoiceError, match=r"no valtest accuracies on cifar10 after .*cifar10/test\|train/200"):
        benchmark.accuracy(0, "valtest", 200, dataset="cifar10")


def test_the_imported_figures_are_the_embedded_ones(imported):
    embedded = load_benchmark("nb201", folder=None)
    benchmark = load_benchmark("nb201", folder=imported)
    for target in embedded.tables:
        for cell in CELLS:
            np.testing.assert_allclose(benchmark.table(target).runs[cell], embedded.table(target).runs[cell], atol=1e-9)


def test_what_is_missing_is_masked(imported):
    table = load_benchmark("nats-sss", folder=imported).table(Target("cifar10", "test", 90))
    assert table.runs.shape == (32_768, 1)
    assert np.flatnonzero(table.count).tolist() == list(CELLS)
    assert np.isnan(table.mean).sum() == 32_768 - 3
    with h5py.File(table_path("nats-sss", imported)) as file:
        assert np.flatnonzero(file["runs/cifar10/90/present"][:].any(axis=1)).tolist() == list(CELLS)
    with pytest.raises(ChoiceError, match=r"holds no run of cell 1 for cifar10/test/90: it holds 3 of 32,768 cells"):
        load_benchmark("nats-sss", "cifar10", imported).accuracy(1, "test", 90)


@pytest.mark.parametrize("legacy", [True, False])
def test_every_seed_budget_and_split_of_a_pth(tmp_path, legacy):
    source = official.save_pth(tmp_path / "nb.pth", official.nb201_content(), legacy=legacy)
    made = import_file(source, tmp_path / "bench")
    assert (made.benchmark, made.cells, made.size, made.runs) == ("nb201", 2, 15_625, 24)
    benchmark = load_benchmark("nb201", folder=tmp_path / "bench")
    assert benchmark.table(Target("cifar100", "valid", 200)).seeds == (777, 999)
    assert benchmark.table(Target("cifar100", "valid", 12)).seeds == (111,)
    splits = {target.split for target in benchmark.targets("cifar100")}
    assert splits == {"train", "valid", "test", "valtest"}
    values = {split: benchmark.accuracy(5, split, 200, 999, "cifar100") for split in splits}
    assert values == {"train": 46.99, "valtest": 45.0, "valid": 46.0, "test": 47.0}
    assert benchmark.table(Target("cifar100", "valid", 200)).seconds[5].tolist() == [400.0, 400.0]
    costs = benchmark.costs("cifar10")
    assert (costs.parameters[5], costs.flops[5]) == (129_306, 15_647_370)
    with pytest.raises(ChoiceError, match="has no runs of seed 888: expected 777, 999"):
        benchmark.accuracy(0, "test", 200, 888, "cifar10")
    TableFile(made.path, made.benchmark).verify()


def test_a_cell_without_a_seed_says_which_there_are(tmp_path):
    content = official.nb201_content()
    del content["arch2infos"][5]["full"]["all_results"]["cifar10", 999]
    import_file(official.save_pth(tmp_path / "nb.pth", content), tmp_path)
    benchmark = load_benchmark("nb201", "cifar10", tmp_path)
    assert benchmark.accuracy(5, "test", 200) == benchmark.accuracy(5, "test", 200, 777)
    with pytest.raises(ChoiceError, match="Cell 5 has no run of seed 999: nb201 holds those of 777"):
        benchmark.accuracy(5, "test", 200, 999)


def test_version_1_0_has_12_epochs_on_cifar10_valid_alone(tmp_path):
    content = official.nb201_content()
    for budgets in content["arch2infos"].values():
        results = budgets["less"]["all_results"]
        budgets["less"]["all_results"] = {key: value for key, value in results.items() if key[0] == "cifar10-valid"}
    import_file(official.save_pth(tmp_path / "nb.pth", content), tmp_path)
    held = {target.dataset for target in load_benchmark("nb201", folder=tmp_path).tables if target.epochs == 12}
    assert held == {"cifar10-valid"}


def _without(name, key):
    def change(content):
        record = content["arch2infos"][5]["full"]["all_results"]["cifar10", 777]
        if key is None:
            del record[name]
        else:
            record[name] = key(record[name]) if callable(key) else key

    return change


def _replaced(path, value):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


WRONG_CONTENT = {
    "no accuracies": (_without("eval_acc1es", None), "has no eval_acc1es: expected a dictionary"),
    "no last epoch": (_without("train_acc1es", {0: 1.0}), "no train_acc1es 199"),
    "a text for a number": (_without("params", "many"), "no params: expected a number from 0 on, got 'many'"),
    "beyond 100 %": (_without("eval_acc1es", {"ori-test@199": 101.0}), "expected a percentage, got 101.0"),
    "not a number": (_without("eval_acc1es", {"ori-test@199": math.nan}), "expected a number"),
    "not evaluated": (_without("eval_acc1es", {"ori-test@0": 10.0}), "not evaluated after its last epoch"),
    "epochs": (_without("epochs", 0), "no number of epochs: 0"),
    "a truth for epochs": (_without("epochs", True), "no number of epochs: True"),
    "a list for a name": (_without("name", ["cifar10"]), "unknown data set a list"),
    "an enormous number": (_without("params", 10**400), "no params: expected a number from 0 on, got a int"),
    "a large number": (_without("flop", 1e308), "no flop: expected a number"),
    "a negative number": (_without("flop", -1.0), "no flop: expected a number from 0 on, got -1.0"),
    "enormous times": (_without("train_times", dict.fromkeys(range(200), 1e308)), "no train_times 0"),
    "a seed beyond all": (_without("seed", "9" * 5000), "with the seed a str"),
    "a large seed": (_without("seed", 2**64), "with the seed 18446744073709551616"),
    "another data set": (_without("name", "cifar100"), "stands under"),
    "an unknown data set": (_without("name", "svhn"), "unknown data set 'svhn'"),
    "another seed": (_without("seed", "0888"), "stands under"),
    "a strange seed": (_without("seed", "x"), "with the seed 'x'"),
    "another architecture": (_replaced(["arch2infos", 5, "full", "arch_str"], "|none~0|"), "architecture 5 is '|none"),
    "another place": (_replaced(["arch2infos", 5, "full", "arch_index"], 6), "architecture 6 is"),
    "out of range": (_replaced(["arch2infos", 5, "full", "arch_index"], 10**6), "architecture 1000000 is"),
    "another list": (_replaced(["meta_archs"], ["a"]), "not that of NAS-Bench-201"),
    "no architectures": (_replaced(["arch2infos"], {}), "holds no architectures"),
    "half an architecture": (_replaced(["arch2infos", 5], {}), "architecture 5 has no results under full and less"),
}


@pytest.mark.parametrize("name", list(WRONG_CONTENT))
def test_wrong_content_of_a_pth(tmp_path, name):
    change, message = WRONG_CONTENT[name]
    content = official.nb201_content()
    change(content)
    _refused(tmp_path, official.save_pth(tmp_path / "nb.pth", content), message)


def _refused(tmp_path, source, message, **options):
    bench = tmp_path / "bench"
    with pytest.raises(DataError, match=message) as caught:
        import_file(source, bench, **options)
    assert str(source) in str(caught.value)
    assert len(str(caught.value)) < 1500
    assert not bench.exists() or not list(bench.iterdir())


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.9999])
def test_a_truncated_pth(tmp_path, legacy, share):
    source = official.save_pth(tmp_path / "nb.pth", official.nb201_content((0,)), legacy=legacy)
    whole = source.read_bytes()
    source.write_bytes(whole[: int(share * len(whole))])
    _refused(tmp_path, source, "damaged|cut off|none of the official files")


def test_a_zip_with_a_changed_byte(tmp_path):
    source = official.save_pth(tmp_path / "nb.pth", official.nb201_content((0,)), legacy=False)
    content = bytearray(source.read_bytes())
    place = content.index(struct.pack(">d", 40.0))
    content[place + 7] ^= 1
    source.write_bytes(bytes(content))
    _refused(tmp_path, source, "damaged or cut off .*CRC")


def test_a_pth_with_tensors(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "a.pth")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    for name in ("a.pth", "b.pth"):
        _refused(tmp_path, tmp_path / name, "torch._utils._rebuild_tensor_v2|instruction")


def test_other_files(tmp_path):
    for name, content in {"a.pth": b"hello", "b.pth": b"", "c.pth": b"PK\x03\x04", "d": b"\x00" * 100}.items():
        (tmp_path / name).write_bytes(content)
        _refused(tmp_path, tmp_path / name, "none of the official files|damaged or cut off")
    (tmp_path / "folder").mkdir()
    _refused(tmp_path, tmp_path / "folder", "none of the official files")
    _refused(tmp_path, tmp_path / "nothing.pth", "No such file")
    torch.save({"a": 1}, tmp_path / "e.pth")
    _refused(tmp_path, tmp_path / "e.pth", "holds no NAS-Bench-201")


def test_what_has_to_be_given_in_another_way(tmp_path):
    folder = official.save_nats(tmp_path / "NATS-sss")
    (tmp_path / "NATS-tss-v1_0-3ffb9-simple.tar").write_bytes(b"x")
    (tmp_path / "it's.tar.gz").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.pth")
    _refused(
        tmp_path, tmp_path / "NATS-tss-v1_0-3ffb9-simple.tar", "unpack it first, tar xf .*simple.tar, and give the"
    )
    _refused(tmp_path, tmp_path / "it's.tar.gz", "it is an archive: unpack it first, tar xf '")
    _refused(tmp_path, folder / "000003.pickle.pbz2", f"give the folder that holds it and all others, {folder}")
    _refused(tmp_path, folder / "meta.pickle.pbz2", f"give the folder that holds it and all others, {folder}")
    _refused(tmp_path, tmp_path, f"it only holds a folder of NATS-Bench: give that, {folder}")
    _refused(tmp_path, tmp_path / "pipe.pth", "it is no regular file")
    _refused(tmp_path, Path("/dev/zero"), "it is no regular file")


def test_a_pipe_among_the_files_of_a_folder_is_not_waited_for(tmp_path):
    folder = official.save_nats(tmp_path / "sss")
    (folder / "000003.pickle.pbz2").unlink()
    os.mkfifo(folder / "000003.pickle.pbz2")
    _refused(tmp_path, folder, "000003.pickle.pbz2: .*it is a named pipe")


def test_a_file_of_another_benchmark(tmp_path):
    source = official.save_pth(tmp_path / "nb.pth", official.nb201_content((0,)))
    _refused(tmp_path, source, "a file of nb201, and nb101 was asked for", benchmark="nb101")


def test_a_table_is_replaced_only_when_asked(tmp_path):
    source = official.save_pth(tmp_path / "nb.pth", official.nb201_content((0,)))
    made = import_file(source, tmp_path / "bench")
    before = made.path.read_bytes()
    with pytest.raises(DataError, match="is there already; .*`replace`"):
        import_file(source, tmp_path / "bench")
    assert made.path.read_bytes() == before
    official.save_pth(source, official.nb201_content((0, 3)))
    assert import_file(source, tmp_path / "bench", replace=True).cells == 2
    source.write_bytes(source.read_bytes()[:-500])
    with pytest.raises(DataError):
        import_file(source, tmp_path / "bench", replace=True)
    TableFile(made.path, made.benchmark).verify()
    assert [path.name for path in (tmp_path / "bench").iterdir()] == ["nb201.h5"]


def test_a_nats_folder(tmp_path):
    folder = official.save_nats(tmp_path / "sss")
    made = import_file(folder, tmp_path / "bench")
    assert (made.benchmark, made.cells, made.runs) == ("nats-sss", 2, 24)
    benchmark = load_benchmark("nats-sss", folder=tmp_path / "bench")
    assert sorted({target.epochs for target in benchmark.tables}) == [1, 12, 90]
    assert benchmark.accuracy(3, "test", 90, 777, "cifar10-valid") == 44.0


def test_many_files_are_read_by_processes(tmp_path, monkeypatch):
    folder = official.save_nats(tmp_path / "sss", cells=range(6), budgets=((1, "01"),))
    alone = import_file(folder, tmp_path / "a").path
    monkeypatch.setattr(nats_folder, "_MIN_FOR_PROCESSES", 2)
    together = import_file(folder, tmp_path / "b").path
    target = Target("cifar100", "test", 1)
    np.testing.assert_array_equal(
        TableFile(alone, "nats-sss").read(target).runs, TableFile(together, "nats-sss").read(target).runs
    )
    (folder / "000004.pickle.pbz2").write_bytes(b"BZh9 damaged")
    _refused(tmp_path, folder, "000004.pickle.pbz2: damaged or cut off")


def test_an_import_runs_nothing_of_the_working_folder(tmp_path, monkeypatch):
    """Neither in this process nor in those that it starts to read many files."""
    work = tmp_path / "work"
    work.mkdir()
    marker = plant(work)
    folder = official.save_nats(tmp_path / "sss", cells=range(4), budgets=((1, "01"),))
    monkeypatch.chdir(work)
    monkeypatch.setattr(nats_folder, "_MIN_FOR_PROCESSES", 2)
    assert import_file(folder, tmp_path / "bench").cells == 4
    assert not marker.exists()


def test_wrong_nats_folders(tmp_path):
    folder = official.save_nats(tmp_path / "sss")
    file = folder / "000003.pickle.pbz2"
    good = file.read_bytes()
    wrong = {
        "damaged or cut off": good[:-20],
        "damaged or cut off ": good[: len(good) // 2],
        "not '8:8:8:8:32'": (folder / "000000.pickle.pbz2").read_bytes(),
        "expected a dictionary by epoch budget, got list": bz2.compress(pickle.dumps([1])),
        "no summary of an architecture under '90'": bz2.compress(pickle.dumps({"90": {}})),
    }
    for message, content in wrong.items():
        file.write_bytes(content)
        _refused(tmp_path, folder, f"000003.pickle.pbz2: .*{message.strip()}")
    file.write_bytes(good)
    official.save_pbz2(folder / "meta.pickle.pbz2", {"meta_archs": ["a"]})
    _refused(tmp_path, folder, "neither NATS-Bench's tss nor sss")
    (folder / "meta.pickle.pbz2").unlink()
    _refused(tmp_path, folder, "none of the official files")


def test_a_nats_folder_with_weights_or_without_files(tmp_path):
    folder = official.save_nats(tmp_path / "sss")
    file = folder / "000003.pickle.pbz2"
    file.write_bytes(bz2.compress(pickle.dumps({"90": torch.zeros(2)})))
    _refused(tmp_path, folder, "torch.*take the folder that ends in -simple")
    for path in folder.glob("0*"):
        path.unlink()
    _refused(tmp_path, folder, "holds no files such as 000000")
    official.save_pbz2(folder / "040000.pickle.pbz2", {})
    _refused(tmp_path, folder, "040000.pickle.pbz2: there are only 32768")


RECORDS = [(index, epochs) for index in (7, 0, 400_000) for epochs in (4, 108) for _ in range(3)]


def test_every_run_and_budget_of_a_tfrecord(tmp_path):
    records = [official.nb101_record(i, e, 0.5 + 0.01 * n) for n, (i, e) in enumerate(RECORDS)]
    made = import_file(official.save_tfrecord(tmp_path / "nb.tfrecord", records), tmp_path / "bench")
    assert (made.benchmark, made.cells, made.runs) == ("nb101", 3, 18)
    benchmark = load_benchmark("nb101", folder=tmp_path / "bench")
    splits = ["halfway-test", "halfway-train", "halfway-valid", "test", "train", "valid"]
    assert sorted({target.split for target in benchmark.tables}) == splits
    for number, (index, epochs) in enumerate(RECORDS):
        value = 0.5 + 0.01 * number
        got = benchmark.accuracy(index, "test", epochs, number % 3, "cifar10")
        assert got == pytest.approx(100 * (value - 0.02))
        assert benchmark.accuracy(index, "halfway-valid", epochs, number % 3, "cifar10") == pytest.approx(
            100 * (value - 0.2)
        )
    table = benchmark.table(Target("cifar10", "test", 108))
    assert table.seeds == (0, 1, 2)
    assert table.seeds_are_numbers
    assert table.seconds[7].tolist() == [1600.0] * 3
    costs = benchmark.costs("cifar10")
    assert costs.parameters[400_000] == 401_000
    assert np.isnan(costs.flops).all()


def test_the_official_record(test_data, tmp_path):
    made = import_file(test_data / "official" / "nb101_mini.tfrecord", tmp_path)
    assert (made.cells, made.runs) == (1, 3)
    benchmark = load_benchmark("nb101", "cifar10", tmp_path)
    assert benchmark.accuracy(0, "test", 108) == pytest.approx(92.11)
    assert benchmark.costs("cifar10").parameters[0] == load_space("nb101").parameters(0) == 8_555_530


def test_records_are_framed_as_in_the_official_file(test_data):
    path = test_data / "official" / "nb101_mini.tfrecord"
    assert b"".join(map(tfrecord.framed, tfrecord.read_records(path))) == path.read_bytes()


@pytest.mark.parametrize("module", ["crc32c", "google.protobuf.descriptor_pb2"])
def test_without_the_packages_of_the_extra(tmp_path, monkeypatch, module):
    source = official.save_tfrecord(tmp_path / "nb.tfrecord", [official.nb101_record(5)])
    model_metrics._message_class.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NtknasError, match=rf"module {module} is not installed: pip install 'ntknas\[nb101\]'"):
        import_file(source, tmp_path / "bench")
    made = import_file(official.save_pth(tmp_path / "nb.pth", official.nb201_content((0,))), tmp_path / "bench")
    assert made.benchmark == "nb201"


WRONG_RECORDS = {
    "a hash of another cell": ({"hash": "00005c142e6f48ac74fdcf73e3439874"}, "is not that of its matrix"),
    "another matrix": ({"matrix": "0" * 49}, "is not that of its matrix"),
    "not a matrix": ({"matrix": "01"}, "a matrix of as many rows"),
    "another operation": ({"operations": "input,conv5x5,output", "matrix": "010001000"}, "operations are input"),
    "no base64": ({"metrics": "!"}, "no record of NAS-Bench-101"),
    "no message": ({"metrics": "gICA"}, "metrics are damaged"),
    "a text for epochs": ({"epochs": "108"}, "expected hash, epochs"),
    "other epochs": ({"epochs": 36}, "after 36 epochs"),
    "no epochs": ({"epochs": -108, "rows": [(0.0, 0, 0, 0, 0)] * 2 + [(-108.0, 1, 0, 0, 0)]}, "after -108 epochs"),
    "epochs without end": ({"rows": [(0.0, 0, 0, 0, 0)] * 2 + [(math.inf, 1, 0, 0, 0)]}, "after 108 epochs"),
    "epochs that are none": ({"rows": [(0.0, 0, 0, 0, 0)] * 2 + [(math.nan, 1, 0, 0, 0)]}, "after 108 epochs"),
    "impossible accuracy": (
        {"rows": [(0.0, 0, 0, 0, 0), (54.0, 1, 0, 0, 0), (108.0, 1, 2, 0, 0)]},
        "from 0 to 1, got 2",
    ),
    "no number": (
        {"rows": [(0.0, 0, 0, 0, 0), (54.0, 1, 0, 0, 0), (108.0, 1, math.nan, 0, 0)]},
        "from 0 to 1, got nan",
    ),
    "too few evaluations": ({"rows": [(108.0, 1, 0.5, 0.5, 0.5)]}, "expected evaluations"),
}


@pytest.mark.parametrize("name", list(WRONG_RECORDS))
def test_wrong_records(tmp_path, name):
    changes, message = WRONG_RECORDS[name]
    records = [official.nb101_record(5), official.nb101_record(6, **changes)]
    _refused(tmp_path, official.save_tfrecord(tmp_path / "nb.tfrecord", records), f"record 1: .*{message}")


def test_a_cell_with_more_runs_than_published(tmp_path):
    source = official.save_tfrecord(tmp_path / "nb.tfrecord", [official.nb101_record(5)] * 4)
    _refused(tmp_path, source, "record 3: its cell has more than 3 runs of 108 epochs")


def test_changed_and_truncated_tfrecords(tmp_path):
    source = official.save_tfrecord(tmp_path / "nb.tfrecord", [official.nb101_record(5)] * 2)
    whole = source.read_bytes()
    half = len(whole) // 2
    for place in (half - 100, half + 20):
        source.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        _refused(tmp_path, source, f"record {int(place > half)}: wrong checksum")
    source.write_bytes(whole[:half] + b"\xff" + whole[half + 1 :])
    _refused(tmp_path, source, "record 1: its length has a wrong checksum")
    for cut, message in {half + 5: "cut off in its header", len(whole) - 3: "cut off", half + 30: "cut off"}.items():
        source.write_bytes(whole[:cut])
        _refused(tmp_path, source, f"record 1: .*{message}")
    length = struct.pack("<Q", 1 << 60)
    source.write_bytes(length + tfrecord.masked_checksum(length) + b"x" * 100)
    _refused(tmp_path, source, "record 0: .*too long")


def test_a_benchmark_that_is_not_there(tmp_path):
    for name in ("nb101", "nats-tss", "nats-sss", "hw-nas-bench", "transnas-micro", "nb-macro"):
        with pytest.raises(DataError, match=f"{name} is not there yet: expected .*{name}.h5.*ntknas bench import"):
            load_benchmark(name, folder=tmp_path)
    assert load_benchmark("nb201", folder=tmp_path).source == "embedded"
    with pytest.raises(ChoiceError, match="publishes no parameters"):
        load_benchmark("nb201", folder=tmp_path).costs("cifar10")
    spaces = {load_space(known.space).name for known in all_sources().values()}
    assert spaces == {"nb101", "nb201", "nats-sss", "nb-macro"}


def test_an_import_that_cannot_be_written(tmp_path):
    source = official.save_pth(tmp_path / "nb.pth", official.nb201_content((0,)))
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"Cannot write .*nb201.h5"):
        import_file(source, tmp_path / "file" / "bench")


def test_progress_counts_everything(tmp_path):
    source = official.save_pth(tmp_path / "nb.pth", official.nb201_content((0,)))
    seen = types.SimpleNamespace(total=0, unit="", done=0)

    def start(total, unit):
        seen.total, seen.unit = total, unit

        def advance(count):
            seen.done += count

        return advance

    import_file(source, tmp_path / "bench", start=start)
    assert (seen.unit, seen.done) == ("bytes", seen.total)


def test_a_type_that_a_number_is_too_short_for(tmp_path):
    folder = official.save_nats(tmp_path / "sss")
    scalar = pickle.dumps(np.float64(1.5), 2)
    cut = scalar.replace(b"\x00\x00\x00\x00\x00\x00", b"", 1)
    (folder / "000003.pickle.pbz2").write_bytes(bz2.compress(cut))
    _refused(tmp_path, folder, "000003.pickle.pbz2: damaged or cut off")


def test_a_nats_file_that_lacks_its_last_bytes_or_goes_on(tmp_path):
    folder = official.save_nats(tmp_path / "sss")
    file = folder / "000003.pickle.pbz2"
    whole = file.read_bytes()
    for content in (whole[:-4], whole + b"more", bz2.compress(bz2.decompress(whole) + b"more")):
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"000003.pickle.pbz2: "):
            import_file(folder, tmp_path / "bench")


@pytest.mark.parametrize("kind", ["two", "compressed", "name"])
def test_zip_archives_that_torch_did_not_write(tmp_path, kind):
    source = tmp_path / "nb.pth"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED if kind == "compressed" else zipfile.ZIP_STORED) as archive:
        for name in ("a/data.pkl", "b/data.pkl")[: 2 if kind == "two" else 1]:
            archive.writestr(name, b"\x80\x02" + b"}" * 1000 + b".")
    if kind == "name":
        content = bytearray(source.read_bytes())
        content[content.rindex(b"a/data.pkl")] = 0xFF
        content[content.rindex(b"PK\x01\x02") + 9] |= 8  # the name is in UTF-8, it says
        source.write_bytes(bytes(content))
    messages = {"two": "it has 2 files data.pkl", "compressed": "data.pkl is compressed", "name": "damaged or cut off"}
    _refused(tmp_path, source, messages[kind])


def test_tables_under_another_name(tmp_path):
    made = import_file(official.save_nats(tmp_path / "sss"), tmp_path)
    made.path.rename(tmp_path / "nb201.h5")
    with pytest.raises(DataError, match="is the table of nats-sss, and nb201 was asked for"):
        load_benchmark("nb201", folder=tmp_path)
