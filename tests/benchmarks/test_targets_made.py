"""Files of targets in the published layouts, right and wrong: what is wrong is named, and nothing is half written."""

import copy
import gzip
import pickle
import zipfile

import numpy as np
import pytest

from ntknas import load_benchmark
from ntknas.benchmarks import Target, all_sources, table_path
from ntknas.benchmarks.importing import import_files
from ntknas.benchmarks.table_file import TableFile
from ntknas.core.errors import ChoiceError, DataError
from tests.benchmarks import made_targets as made
from tests.benchmarks.test_malicious import PAYLOADS, TRACE


@pytest.fixture(scope="module")
def records():
    return made.macro_records()


@pytest.fixture
def take(tmp_path):
    """Import files, of the first cells of nb201 alone where they are CSV files."""

    def take(*paths, few=False, **options):
        more = {"open_space": made.open_few} if few else {}
        return import_files(list(paths), tmp_path / "bench", **more, **options)

    return take


@pytest.fixture
def refuse(tmp_path, take):
    def refuse(path, message, **options):
        before = sorted((tmp_path / "bench").glob("*"))
        with pytest.raises(DataError, match=message) as caught:
            take(path, **options)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert sorted((tmp_path / "bench").glob("*")) == before

    return refuse


def test_a_robustness_table(tmp_path, take):
    rows = made.attacked_rows()
    imported = take(made.save_csv(tmp_path / "robustness_targets.csv", rows), few=True)
    assert (imported.benchmark, imported.cells, len(imported.targets)) == ("robustness-nb201", made.FEW, 33)
    benchmark = load_benchmark("robustness-nb201", folder=tmp_path / "bench")
    for row in rows[1:]:
        cell = made.FewCells().index(row[0])
        for name, value in zip(rows[0][1:], row[1:], strict=True):
            assert benchmark.accuracy(cell, name, dataset="cifar10") == float(value)
    table = benchmark.table(Target("cifar10", "pgd@Linf_eps-8.0", None))
    assert table.quantity.measured_on == "images under PGD, max-norm at most 8/255"
    assert table.distinct == len({made.FewCells().isomorphism_representative(cell) for cell in range(made.FEW)})
    TableFile(imported.path, imported.benchmark).verify()


def test_a_compressed_table(tmp_path, take):
    plain = made.save_csv(tmp_path / "robustness_targets.csv", made.attacked_rows())
    packed = tmp_path / "robustness_targets.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert take(packed, few=True).cells == made.FEW
    with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, plain.name)
    assert take(tmp_path / "t.zip", few=True, replace=True).benchmark == "robustness-nb201"


def test_a_folder_with_the_one_file(tmp_path, take, refuse):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "README.md").write_text("Accuracies under attack.\n")
    made.save_csv(downloads / "robustness_targets.csv", made.attacked_rows())
    assert take(downloads, few=True).benchmark == "robustness-nb201"
    made.save_csv(downloads / "once_more.csv", made.attacked_rows())
    refuse(downloads, "none of the official files", few=True)  # which of them is meant?


def test_hardware_of_three_data_sets_one_after_the_other(tmp_path, take):
    made.save_csv(tmp_path / "hw_cifar10.csv", made.hardware_rows())
    made.save_csv(tmp_path / "of-cifar100", made.hardware_rows(1.68256))
    first = take(tmp_path / "hw_cifar10.csv", few=True)
    assert first.missing == {Target("cifar10", "edgetpu_latency", None): 1}
    take(tmp_path / "of-cifar100", few=True)
    benchmark = load_benchmark("hw-nas-bench", folder=tmp_path / "bench")
    assert {target.dataset for target in benchmark.tables} == {"cifar10", "cifar100"}
    assert len(benchmark.main_targets()) == 20
    with pytest.raises(ChoiceError, match=r"no value of cell 3 for .* has -1 in its place\): it holds 25 of 26 cells"):
        benchmark.accuracy(3, "edgetpu_latency", dataset="cifar10")
    with pytest.raises(DataError, match="holds cifar10/edgegpu_.* already; to read it again, give `replace`"):
        take(tmp_path / "hw_cifar10.csv", few=True)
    take(tmp_path / "hw_cifar10.csv", few=True, replace=True)


def _set(row, column, value):
    def change(rows):
        rows[row][column] = value

    return change


def _all(column, value):
    def change(rows):
        for row in rows[1:]:
            row[column] = value

    return change


def _drop_column(name):
    def change(rows):
        place = rows[0].index(name)
        for row in rows:
            del row[place]

    return change


def _tuple_of_pooling(rows):
    rows[2][0] = made.tuple_of(100)


WRONG_ROWS = {
    "missing": (lambda rows: rows.pop(5), "it has no row of 1 of 26 cells"),
    "several missing": (
        lambda rows: rows.__delitem__(slice(2, 12)),
        r"no row of 10 of 26 cells: (\d+, ){4}\d+ and 5 mo",
    ),
    "doubled": (lambda rows: rows.__setitem__(5, rows[6]), r"holds cell \d+ more than once, in line 6 and line 7"),
    "too many": (lambda rows: rows.append(rows[-1]), "more rows than there are cells, 26"),
    "unknown": (_tuple_of_pooling, "rows of 1 cells that such a table does not have: 100"),
    "no tuple": (_set(4, 0, "17"), r"line 5, column 'net': expected six numbers of operations .* got '17'"),
    "five operations": (_set(4, 0, "(1, 2, 3, 4, 0)"), "line 5, column 'net': expected six numbers"),
    "no operation": (_set(4, 0, "(1, 2, 3, 4, 0, 5)"), "line 5, column 'net': expected six numbers"),
    "a text": (_set(1, 3, "fast"), "line 2: expected a number in column '.*', got 'fast'"),
    "empty": (_set(1, 3, ""), "line 2: expected a number in column '.*', got ''"),
    "not a number": (_set(1, 3, "nan"), "line 2: expected a number"),
    "infinite": (_set(1, 3, "1e999"), "line 2: expected a number"),
    "enormous": (_set(1, 3, "1e200"), "line 2: expected a number"),
    "all equal": (_all(3, "7.5"), "column '.*' has one value, 7.5, in all 26 rows: it tells no cells apart"),
    "short row": (lambda rows: rows[3].pop(), "line 4: expected .* fields as in its header"),
    "no rows": (lambda rows: rows.__delitem__(slice(1, None)), "it holds no rows"),
    "column twice": (lambda rows: rows[0].__setitem__(3, rows[0][4]), "it has 2 columns named"),
}


@pytest.mark.parametrize("wrong", WRONG_ROWS)
@pytest.mark.parametrize("make", [made.attacked_rows, made.hardware_rows])
def test_wrong_rows(tmp_path, refuse, make, wrong):
    change, message = WRONG_ROWS[wrong]
    rows = make()
    change(rows)
    refuse(made.save_csv(tmp_path / "hw_cifar10.csv", rows), message, few=True)


def test_columns_that_are_missing(tmp_path, refuse):
    rows = made.attacked_rows()
    _drop_column("pgd@Linf_eps-3.0")(rows)
    refuse(made.save_csv(tmp_path / "a.csv", rows), r"no column 'pgd@Linf_eps-3.0': it has net, .* more", few=True)
    rows = made.hardware_rows()
    _drop_column("fpga_energy")(rows)
    refuse(made.save_csv(tmp_path / "b.csv", rows), "no column 'fpga_energy'", few=True)
    _drop_column("net")(rows)
    refuse(made.save_csv(tmp_path / "b.csv", rows), "none of the official files", few=True)


def test_values_that_cannot_be(tmp_path, refuse):
    path = tmp_path / "robustness_targets.csv"
    rows = made.attacked_rows()
    rows[1][1] = "100.5"
    refuse(made.save_csv(path, rows), "column 'val_accs' is no percentage: its values lie from .* to 100.5", few=True)
    rows = made.hardware_rows()
    rows[1][1] = "-1"
    refuse(
        made.save_csv(tmp_path / "hw_cifar10.csv", rows), "column 'edgegpu_latency' has a negative value, -1", few=True
    )


def test_cells_of_one_network_with_two_values(tmp_path, refuse):
    rows = made.attacked_rows()
    space = made.FewCells()
    copies = [cell.index for cell in space if space.isomorphism_representative(cell) != cell.index]
    row = next(row for row in rows[1:] if space.index(row[0]) == copies[0])
    column = rows[0].index("fgsm@Linf_eps-2.0")
    row[column] = "0.3"
    leader = space.isomorphism_representative(copies[0])
    message = rf"fgsm@Linf_eps-2.0: cells {leader} and {copies[0]} are one network .* and 0.3"
    refuse(made.save_csv(tmp_path / "robustness_targets.csv", rows), message, few=True)


def test_a_table_of_another_data_set_than_its_name_says(tmp_path, refuse, take):
    path = made.save_csv(tmp_path / "hw_cifar100.csv", made.hardware_rows())
    refuse(path, "its name says cifar100, and its eyeriss_latency is that of cifar10", few=True)
    made.save_csv(path, made.hardware_rows(2.0))
    refuse(
        path,
        r"of no data set of HW-NAS-Bench: the smallest eyeriss_latency is 2, expected 1.67954 \(cifar10\)",
        few=True,
    )
    refuse(path, "it is a file of hw-nas-bench, and nb201 was asked for", few=True, benchmark="nb201")


def test_files_of_two_benchmarks_at_once(tmp_path, take):
    paths = [
        made.save_csv(tmp_path / "hw_cifar10.csv", made.hardware_rows()),
        made.save_csv(tmp_path / "robustness_targets.csv", made.attacked_rows()),
    ]
    with pytest.raises(DataError, match="files of hw-nas-bench and robustness-nb201"):
        take(*paths, few=True)
    assert not (tmp_path / "bench").exists()


def test_text_that_is_damaged(tmp_path, refuse):
    path = made.save_csv(tmp_path / "robustness_targets.csv", made.attacked_rows())
    whole = path.read_bytes()
    path.write_bytes(whole[:-300])
    refuse(path, "fields as in its header|no row of", few=True)
    path.write_bytes(whole.replace(b"(", b"\xff", 1))
    refuse(path, "no text in UTF-8", few=True)
    packed = tmp_path / "robustness_targets.csv.gz"
    packed.write_bytes(gzip.compress(whole)[:-200])
    refuse(packed, "damaged or cut off|its beginning is damaged", few=True)
    path.write_bytes(b"net,val_accs,pgd@Linf_eps-1.0" + b"," * (1 << 17))
    refuse(path, "none of the official files|columns", few=True)


def test_a_header_without_an_end_is_not_read_to_the_end(tmp_path):
    bomb = tmp_path / "bomb.csv.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        for _ in range(64):
            file.write(b"net," * (1 << 18))
    assert not any(source.official.recognises(bomb) for source in all_sources().values())


@pytest.mark.parametrize("device", ["raspi4", "pixel2"])
def test_latencies(tmp_path, take, device):
    content = [*map(int, made.latencies(device))] if device == "pixel2" else made.latencies(device)
    imported = take(made.save_pt(tmp_path / f"{device}.pt", content))
    assert (imported.benchmark, imported.cells) == ("help-nb201", 15_625)
    table = load_benchmark("help-nb201", folder=tmp_path / "bench").table(Target("cifar10", device, None))
    np.testing.assert_array_equal(table.runs[:, 0], content)
    assert (table.quantity.name, table.quantity.unit, table.quantity.sign) == ("latency", "ms", -1)


def _changed(place, value):
    content = made.latencies()
    content[place] = value
    return content


WRONG_LISTS = {
    "short": (made.latencies()[:-1], "it has 15,624 latencies, expected one for each of 15,625 cells"),
    "long": ([*made.latencies(), 1.0], "it has 15,626 latencies"),
    "empty": ([], "it has 0 latencies"),
    "text": (_changed(7, "9"), "position 7: expected a latency in ms, got '9'"),
    "truth": (_changed(7, True), "position 7: expected a latency in ms, got True"),
    "nothing": (_changed(7, None), "position 7: expected a latency in ms, got None"),
    "negative": (_changed(7, -1.0), "position 7: expected a latency in ms, got -1.0"),
    "no number": (_changed(7, float("nan")), "position 7: expected a latency in ms, got nan"),
    "infinite": (_changed(7, float("inf")), "position 7: expected a latency in ms, got inf"),
    "enormous": (_changed(7, 10**400), "position 7: expected a latency in ms, got a number of"),
    "list": (_changed(7, [1.0]), "position 7: expected a latency in ms, got a list"),
    "all equal": ([5.0] * 15_625, "its list has one value, 5, in all 15,625 rows"),
    "another device": (
        made.latencies("fpga"),
        "its name says raspi4, and its latencies lie from 1.13296 to 8.67856 ms",
    ),
}


@pytest.mark.parametrize("wrong", WRONG_LISTS)
def test_wrong_lists(tmp_path, refuse, wrong):
    content, message = WRONG_LISTS[wrong]
    refuse(made.save_pt(tmp_path / "raspi4.pt", content), message)


def test_a_device_that_is_none(tmp_path, refuse):
    path = made.save_pt(tmp_path / "raspi5.pt", made.latencies())
    refuse(path, r"its name is no device of HELP, .* expected 1080ti_1, .*titanxp_32, and .pt")


def test_archives_of_other_things(tmp_path, refuse):
    path = tmp_path / "raspi4.pt"
    made.save_pt(path, made.latencies())
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    refuse(path, "damaged or cut off|none of the official files")
    changed = bytearray(whole)
    changed[5000] ^= 1
    path.write_bytes(bytes(changed))
    refuse(path, "damaged or cut off")
    refuse(made.save_pt(path, made.latencies(), zipfile.ZIP_DEFLATED), "data.pkl is compressed|none of the official")
    refuse(made.save_pt(path, pickle.dumps((1.0, 2.0), 2)), "damaged or cut off|holds no NAS-Bench-201|expected a list")
    refuse(made.save_pt(path, made.latencies() * 20), "none of the official files")
    refuse(made.save_pt(path, pickle.dumps(made.latencies(), 2) + b"more"), "something follows its end")


@pytest.mark.parametrize("name", PAYLOADS)
def test_pickles_that_mean_harm(tmp_path, monkeypatch, refuse, name):
    monkeypatch.chdir(tmp_path)
    refuse(made.save_pt(tmp_path / "raspi4.pt", b"\x80\x02](" + PAYLOADS[name]), "was not imported: ")
    assert not (tmp_path / TRACE).exists()


def test_tasks_of_transnas(tmp_path, take):
    paths = [made.save_json(tmp_path / f"micro_{task}.json", made.transnas_entries(task)) for task in made.TASKS]
    imported = take(*paths)
    assert (imported.benchmark, imported.cells, imported.size) == ("transnas-micro", 4_096, 15_625)
    benchmark = load_benchmark("transnas-micro", folder=tmp_path / "bench")
    shown = {f"{task}/{known.metric}" for task, known in made.TASKS.items()}
    assert {str(target) for target in benchmark.main_targets()} == shown
    cell = made.NB201().index("|skip_connect~0|+|nor_conv_1x1~0|none~1|+|nor_conv_3x3~0|skip_connect~1|none~2|")
    entry = dict(made.transnas_entries("jigsaw"))["64-41414-1_20_310"]
    assert benchmark.accuracy(cell, dataset="jigsaw") == entry
    with pytest.raises(ChoiceError, match="no value of cell 0 for jigsaw/top1: it holds 4,096 of 15,625 cells"):
        benchmark.accuracy(0, dataset="jigsaw")


def _entry(place, value):
    def change(entries):
        entries[place] = value

    return change


WRONG_ENTRIES = {
    "missing": (lambda entries: entries.pop(9), "no row of 1 of 4,096 cells"),
    "doubled": (lambda entries: entries.__setitem__(9, entries[8]), "more than once, in entry 8 and entry 9"),
    "too many": (lambda entries: entries.append(entries[0]), "it has 4,097 entries"),
    "another skeleton": (_entry(9, ["64-1342-0_00_021", 1.0]), "entry 9: expected a name such as 64-41414-1_33_000"),
    "no cell": (_entry(9, ["64-41414-0_00_041", 1.0]), "entry 9, column 'name'"),
    "no pair": (_entry(9, ["64-41414-0_00_021"]), "entry 9: expected a pair of a name and a number, got"),
    "a text": (_entry(9, ["64-41414-0_00_021", "7.9"]), "entry 9: expected a pair of a name and a number, got .*'7.9'"),
    "a truth": (_entry(9, ["64-41414-0_00_021", True]), "entry 9: expected a pair"),
    "a number": (_entry(9, 7), "entry 9: expected a pair of a name and a number, got 7"),
    "enormous": (_entry(9, ["64-41414-0_00_021", 1e300]), "entry 9: expected a number in column 'value', got 1e"),
    "beyond": (
        _entry(9, ["64-41414-0_00_021", 99.0]),
        "its name says class_scene, and its values lie from 7.48408 to 99",
    ),
}


@pytest.mark.parametrize("wrong", WRONG_ENTRIES)
def test_wrong_entries(tmp_path, refuse, wrong):
    change, message = WRONG_ENTRIES[wrong]
    entries = made.transnas_entries()
    change(entries)
    refuse(made.save_json(tmp_path / "micro_class_scene.json", entries), message)


def test_a_task_that_is_none_or_another(tmp_path, refuse):
    path = made.save_json(tmp_path / "micro_class_scenes.json", made.transnas_entries())
    refuse(path, "its name is no task, .* expected micro_autoencoder.json, ")
    path = made.save_json(tmp_path / "micro_jigsaw.json", made.transnas_entries())
    refuse(path, "its name says jigsaw, and its values lie from 7.48408 to 54.9363: expected 0.114451 to 95.3722")
    entries = [[name, 5.0] for name, _ in made.transnas_entries()]
    refuse(
        made.save_json(tmp_path / "micro_jigsaw.json", entries), "column 'value' has one value, 5, in all 4,096 rows"
    )


START = '[["64-41414-0_00_000", 1.0], '


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (START, "it is no JSON, damaged or cut off"),
        (START + "[" * 100_000, "it is no JSON, damaged or cut off"),
        (START + '["64-41414-0_00_001", NaN]]', "it holds NaN, which is no number"),
        (START + '["64-41414-0_00_001", -Infinity]]', "it holds -Infinity, which is no number"),
        (START + '["64-41414-0_00_001", ' + "9" * 5000 + "]]", "it is no JSON, damaged or cut off"),
        (START + '{"a": 1, "a": 2}]', "it holds 'a' twice"),
        (START + '["\udc80", 1]]', "no text in UTF-8"),
        (START + " " * (1 << 22) + "]", "Cannot read .*4 MiB"),
    ],
    ids=["cut off", "deep", "nan", "infinite", "digits", "twice", "bytes", "large"],
)
def test_json_that_is_none(tmp_path, refuse, text, message):
    path = tmp_path / "micro_jigsaw.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    refuse(path, message)


def test_records_of_nas_bench_macro(tmp_path, take, records):
    imported = take(made.save_json(tmp_path / "macro.json", records))
    assert (imported.benchmark, imported.cells, imported.runs) == ("nb-macro", 6_561, 19_683)
    benchmark = load_benchmark("nb-macro", "cifar10", tmp_path / "bench")
    for key in ("00000000", "21012210"):
        cell = int(key, 3)
        assert [benchmark.accuracy(cell, seed=run) for run in (0, 1, 2)] == records[key]["test_acc"]
        assert benchmark.costs("cifar10").parameters[cell] == records[key]["params"]
        assert benchmark.costs("cifar10").flops[cell] == records[key]["flops"]
    assert benchmark.table(Target("cifar10", "test", None)).distinct == 3_969
    with pytest.raises(ChoiceError, match="no parameters and FLOPs on cifar100"):
        benchmark.costs("cifar100")


def _field(name, value):
    def change(records):
        records["00120211"][name] = value

    return change


def _copy(name, value):
    """Change the record of a key whose network has two keys."""

    def change(records):
        records["00000020"] |= {name: value}

    return change


def _without_field(records):
    del records["00120211"]["std"]


WRONG_RECORDS = {
    "missing": (lambda records: records.pop("00120211"), "no row of 1 of 6,561 cells: 427"),
    "unknown": (lambda records: records.update({"00120213": records["00120211"]}), "Not a key .*'00120213'"),
    "short key": (lambda records: records.update({"120211": records["00120211"]}), "Not a key .*'120211'"),
    "no record": (lambda records: records.update({"00120211": 7}), "00120211: expected a record with test_acc"),
    "a field less": (
        _without_field,
        "00120211: expected a record with test_acc, .*, got one with 'test_acc', 'mean_acc'",
    ),
    "two runs": (_field("test_acc", [50.0, 51.0]), "00120211: expected 3 accuracies under 'test_acc', got a list of 2"),
    "no runs": (_field("test_acc", 50.0), "00120211: expected 3 accuracies under 'test_acc', got 50.0"),
    "a text": (
        _field("test_acc", [50.0, 51.0, "x"]),
        "00120211: expected a number from 0 to 100 under 'test_acc', got 'x'",
    ),
    "beyond 100": (
        _field("test_acc", [50.0, 51.0, 101.0]),
        "expected a number from 0 to 100 under 'test_acc', got 101.0",
    ),
    "another mean": (_field("mean_acc", 50.0), "00120211: mean_acc is 50.0, and its runs have 5"),
    "another deviation": (_field("std", 0.5), "00120211: std is 0.5, and its runs have 0.6"),
    "no parameters": (_field("params", 0), "00120211: expected a number from 1 to .* under 'params', got 0"),
    "a truth": (_field("flops", True), "00120211: expected a number from 1 to .* under 'flops', got True"),
    "another copy": (
        _copy("params", 7),
        r"params: cells 2 and 6 are one network that was measured once, and have .* 7",
    ),
}


@pytest.mark.parametrize("wrong", WRONG_RECORDS)
def test_wrong_records(tmp_path, refuse, records, wrong):
    change, message = WRONG_RECORDS[wrong]
    changed = copy.deepcopy(records)
    change(changed)
    refuse(made.save_json(tmp_path / "macro.json", changed), message)


def test_runs_that_are_all_equal(tmp_path, refuse, records):
    changed = {key: record | {"test_acc": [5.0] * 3, "mean_acc": 5.0, "std": 0.0} for key, record in records.items()}
    refuse(made.save_json(tmp_path / "macro.json", changed), "run 0 has one value, 5, in all 6,561 rows")


def test_a_key_twice(tmp_path, refuse, records):
    path = made.save_json(tmp_path / "macro.json", records)
    path.write_text(path.read_text().replace('"00000001"', '"00000002"'))
    refuse(path, "it holds '00000002' twice")


def test_nothing_of_a_table_that_is_there_is_lost(tmp_path, take, records):
    path = made.save_json(tmp_path / "macro.json", records)
    imported = take(path)
    before = imported.path.read_bytes()
    records["00120211"]["mean_acc"], kept = 1.0, records["00120211"]["mean_acc"]
    made.save_json(path, records)
    records["00120211"]["mean_acc"] = kept
    with pytest.raises(DataError, match="mean_acc is 1.0"):
        take(path, replace=True)
    assert table_path("nb-macro", tmp_path / "bench").read_bytes() == before
