"""The published files of targets: every fact that their README states of them, of what the importers make of them."""

import csv
from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr

from ntknas import load_benchmark, load_space
from ntknas.benchmarks import Target, all_sources
from ntknas.benchmarks.formats.latency_list import DEVICES
from ntknas.benchmarks.importing import import_files
from tests.benchmarks import target_files as files

TOLERANCE = 5e-4
CELLS = 15_625


@pytest.fixture(scope="module")
def targets(test_data):
    return test_data / "targets"


@pytest.fixture(scope="module")
def tables(targets, tmp_path_factory):
    """All five benchmarks, imported once."""
    folder = tmp_path_factory.mktemp("targets")
    for name, paths in files.NAMES.items():
        made = import_files([targets / path for path in paths], folder)
        assert made.benchmark == name
    return folder


@pytest.fixture(scope="module")
def load(tables):
    return lambda name: load_benchmark(name, folder=tables)


def tau(x, y):
    return kendalltau(x, y, nan_policy="omit").statistic


def mean(benchmark, dataset, name):
    return benchmark.table(Target(dataset, name, None)).mean


def runs(benchmark, dataset, name):
    return benchmark.table(Target(dataset, name, None)).runs[:, 0]


def test_every_file_is_recognised_by_its_own_benchmark_alone(targets):
    known = {targets / path: name for name, paths in files.NAMES.items() for path in paths if "." in path}
    known |= dict.fromkeys((targets / "transnas101_micro").iterdir(), "transnas-micro")
    for path, name in known.items():
        recognised = [source.name for source in all_sources().values() if source.official.recognises(path)]
        assert recognised == [name], path
    for path in (targets / "help_nb201" / "devices.csv", targets / "README.md", targets / "SHA256SUMS"):
        assert not any(source.official.recognises(path) for source in all_sources().values())


ATTACKED = {
    "fgsm": (0.8687, 0.5766, 0.5465, 0.6247, 0.6502, 0.6630, 0.6773, 0.6847, 0.6863, 0.6869, 0.0896),
    "pgd": (0.8706, 0.2624, 0.0882, 0.0926, 0.1118, 0.1370, 0.0896),
    "aa_apgd-ce": (0.8523, -0.0145, -0.1440, -0.1162, -0.1626, -0.3280, -0.2250),
    "aa_square": (0.9164, 0.7611, 0.4852, 0.2350, 0.1903, 0.1494, 0.0517),
}
RANGES = {
    "fgsm": [
        *((10.0, 90.8), (10.0, 77.3), (10.0, 69.2), (4.0, 64.3), (1.5, 62.0), (0.7, 59.7), (0.6, 57.9), (0.5, 55.8)),
        *((0.5, 53.4), (0.5, 50.5), (3.5, 15.3)),
    ],
    "pgd": [(10.0, 91.1), (10.0, 74.2), (9.6, 58.8), (0.2, 35.4), (0.0, 22.3), (0.0, 14.9), (0.0, 10.0)],
    "aa_apgd-ce": [(10.0, 90.5), (10.0, 70.4), (2.9, 54.0), (0.0, 28.0), (0.0, 18.0), (0.0, 10.6), (0.0, 10.0)],
    "aa_square": [(10.0, 93.1), (10.0, 85.3), (10.0, 73.6), (10.0, 52.0), (3.2, 36.8), (0.5, 25.2), (0.0, 10.0)],
}
MANY = ("0.1", "0.5", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "8.0", "255.0")
FEW = ("0.1", "0.5", "1.0", "2.0", "3.0", "4.0", "8.0")
ATTACKS = [
    (attack, size, known, RANGES[attack][place])
    for attack, values in ATTACKED.items()
    for place, (size, known) in enumerate(zip(MANY if len(values) > 7 else FEW, values, strict=True))
]


def attacked(attack, size):
    return f"{attack}@Linf_eps-{size}"


@pytest.mark.parametrize(("attack", "size", "known", "span"), ATTACKS, ids=lambda value: str(value))
def test_attacks(test_data, targets, load, attack, size, known, span):
    benchmark, name = load("robustness-nb201"), attacked(attack, size)
    _, columns = files.csv_table(targets / "robustness_nb201" / "robustness_targets.csv")
    table = benchmark.table(Target("cifar10", name, None))
    np.testing.assert_array_equal(table.runs[:, 0], columns[name])
    assert (table.mean.min(), table.mean.max()) == span
    assert tau(table.mean, files.clean_accuracy(test_data)) == pytest.approx(known, abs=TOLERANCE)
    tenths = 10 * table.runs[:, 0]
    assert np.abs(tenths - np.round(tenths)).max() < 1e-9
    assert (table.quantity.name, table.quantity.unit, table.quantity.higher_is_better) == ("accuracy", "%", True)
    assert f"at most {float(size):g}/255" in table.quantity.measured_on
    assert table.distinct == 6_466
    np.testing.assert_array_equal(table.measurements, files.isomorphism_classes())


def test_clean_accuracy_of_the_robustness_table(test_data, targets, load):
    benchmark = load("robustness-nb201")
    assert len(benchmark.tables) == 33
    table = benchmark.table(Target("cifar10", "val_accs", None))
    cells, columns = files.csv_table(targets / "robustness_nb201" / "robustness_targets.csv")
    assert sorted(cells.tolist()) == list(range(CELLS)) != cells.tolist()
    np.testing.assert_array_equal(table.runs[:, 0], columns["val_accs"])
    assert (table.mean.min(), table.mean.max(), int(table.mean.argmax())) == (10.0, 91.57, 1459)
    assert tau(table.mean, files.clean_accuracy(test_data)) == pytest.approx(0.8824, abs=TOLERANCE)
    assert pearsonr(table.mean, files.validation("cifar10")).statistic == pytest.approx(0.9993, abs=5e-5)
    np.testing.assert_array_equal(table.mean == 10, files.disconnected())
    assert files.disconnected().sum() == 341
    assert table.measurements is None


def test_disconnected_cells_and_the_value_of_the_originals_readme(load):
    benchmark = load("robustness-nb201")
    for target in benchmark.tables:
        assert (benchmark.table(target).mean[files.disconnected()] == 10).all()
    assert benchmark.accuracy(13_433, "pgd@Linf_eps-1.0", dataset="cifar10") == 33.6


def test_larger_attacks_hurt_more_but_those_of_one_step(load):
    benchmark = load("robustness-nb201")

    def rises(attack, small, large):
        small, large = (mean(benchmark, "cifar10", attacked(attack, size)) for size in (small, large))
        return int((large > small).sum())

    for attack in ("pgd", "aa_apgd-ce", "aa_square"):
        assert [rises(attack, a, b) for a, b in pairwise(FEW)] == [0] * 6
    fgsm = {(a, b): rises("fgsm", a, b) for a, b in pairwise(MANY)}
    assert [fgsm[pair] for pair in list(fgsm)[:5]] == [0] * 5
    assert (fgsm["4.0", "5.0"], fgsm["8.0", "255.0"]) == (90, 5_267)


def test_cells_of_one_attacked_network_have_their_own_clean_accuracies(test_data):
    classes = files.isomorphism_classes()
    sizes = np.unique(classes, return_counts=True)[1]
    assert (len(sizes), sorted(sizes.tolist())[-4:]) == (6_466, [250, 275, 275, 275])
    clean = files.clean_accuracy(test_data)
    low, high = np.full(CELLS, np.inf), np.full(CELLS, -np.inf)
    np.minimum.at(low, classes, clean)
    np.maximum.at(high, classes, clean)
    assert (high - low).max() == pytest.approx(6.85, abs=5e-3)


def test_the_attacked_network_may_have_other_convolutions():
    space = load_space("nb201")
    live = np.array([_live_convolutions(str(cell)) for cell in space])
    assert (live != live[files.isomorphism_classes()]).any(axis=1).sum() == 530


def _live_convolutions(text):
    """Numbers of 3×3 and 1×1 convolutions on paths from the input to the output."""
    operations = files.operations_of(text)
    edges = [edge for edge, operation in operations.items() if operation != "none"]
    paths = [
        set(path)
        for length in (1, 2, 3)
        for path in product(edges, repeat=length)
        if path[0][0] == 0 and path[-1][1] == 3 and all(a[1] == b[0] for a, b in pairwise(path))
    ]
    live = [operations[edge] for edge in set().union(*paths)]
    return live.count("nor_conv_3x3"), live.count("nor_conv_1x1")


HARDWARE = {
    "edgegpu_latency": (
        "ms",
        (("0.5014", "5.312", "11.69"), 0.3094),
        (("0.5059", "5.329", "11.46"), 0.3199),
        (("0.534", "5.305", "11.53"), 0.3180),
    ),
    "edgegpu_energy": (
        "mJ",
        (("2.059", "23.95", "48.78"), 0.3392),
        (("2.045", "24.03", "43.55"), 0.3456),
        (("2.186", "22.77", "44.13"), 0.3334),
    ),
    "raspi4_latency": (
        "ms",
        (("0.01128", "25.68", "98.89"), 0.4853),
        (("0.01522", "25.48", "96.71"), 0.4589),
        (("0.01151", "5.621", "17.93"), 0.3887),
    ),
    "edgetpu_latency": (
        "ms",
        (("0.3465", "1.125", "2.238"), 0.0221),
        (("0.3549", "1.152", "2.587"), 0.0132),
        (("0.3581", "0.8582", "1.663"), 0.0647),
    ),
    "pixel3_latency": (
        "ms",
        (("0.003277", "10.68", "36.77"), 0.4404),
        (("0.008753", "11.76", "43.88"), 0.4174),
        (("0.005289", "3.263", "12.63"), 0.3975),
    ),
    "eyeriss_latency": (
        "ms",
        (("1.68", "5.12", "10.53"), 0.1647),
        (("1.683", "5.123", "10.53"), 0.1475),
        (("0.423", "1.283", "2.635"), 0.1182),
    ),
    "eyeriss_energy": (
        "mJ",
        (("0.347", "1.032", "2.226"), 0.2403),
        (("0.3471", "1.032", "2.226"), 0.2185),
        (("0.08941", "0.2649", "0.5697"), 0.1845),
    ),
    "eyeriss_arithmetic_intensity": (
        "",
        (("0.9764", "14.07", "27.61"), 0.4870),
        (("0.9759", "14.03", "27.58"), 0.4556),
        (("0.2956", "4.481", "8.329"), 0.4600),
    ),
    "fpga_latency": (
        "ms",
        (("1.133", "3.725", "8.679"), 0.4808),
        (("1.133", "3.725", "8.679"), 0.4635),
        (("0.2843", "0.9696", "3.456"), 0.4519),
    ),
    "fpga_energy": (
        "mJ",
        (("7.931", "26.07", "60.75"), 0.4808),
        (("7.931", "26.07", "60.75"), 0.4635),
        (("1.99", "6.787", "24.19"), 0.4519),
    ),
}
"""Unit; smallest, median and largest value as printed, and τ, of each data set; those of Eyeriss without its noise."""


def hardware(targets, dataset):
    return files.csv_table(targets / "hw_nas_bench" / f"hw_{dataset}.csv")


def reference(test_data, dataset):
    return files.clean_accuracy(test_data) if dataset == "cifar10" else files.validation(dataset)


@pytest.mark.parametrize("dataset", files.DATASETS)
@pytest.mark.parametrize("name", HARDWARE)
def test_hardware(test_data, targets, load, dataset, name):
    cells, columns = hardware(targets, dataset)
    assert cells.tolist() == list(range(CELLS))
    unit, *facts = HARDWARE[name]
    printed, known = facts[files.DATASETS.index(dataset)]
    table = load("hw-nas-bench").table(Target(dataset, name, None))
    values = table.mean[np.isfinite(table.mean)]
    assert tuple(f"{value:.4g}" for value in (values.min(), np.median(values), values.max())) == printed
    assert tau(table.mean, reference(test_data, dataset)) == pytest.approx(known, abs=TOLERANCE)
    expected = np.where(columns[name] == -1, np.nan, columns[name]) if name == "edgetpu_latency" else columns[name]
    np.testing.assert_array_equal(table.runs[:, 0], expected)
    assert (table.quantity.unit, table.quantity.higher_is_better) == (unit, "intensity" in name)
    assert ("estimated by a model" in table.quantity.measured_on) == name.startswith(("eyeriss", "fpga"))


def test_what_was_not_measured_on_the_edge_tpu(test_data, targets, load):
    benchmark = load("hw-nas-bench")
    missing = [np.isnan(mean(benchmark, dataset, "edgetpu_latency")) for dataset in files.DATASETS]
    assert [int(column.sum()) for column in missing] == [4_699] * 3
    assert (missing[0] == missing[1]).all()
    assert (missing[0] == missing[2]).all()
    assert missing[0][files.disconnected()].all()
    table = benchmark.table(Target("cifar10", "edgetpu_latency", None))
    assert (table.quantity.missing, int((table.count > 0).sum()), table.distinct) == ("-1", 10_926, 10_926)
    taken = hardware(targets, "cifar10")[1]["edgetpu_latency"]
    assert tau(taken, files.clean_accuracy(test_data)) == pytest.approx(0.1237, abs=TOLERANCE)


MODELS = {
    ("fpga_latency", "cifar10"): (1.13296, 1.2576, 0.5152, 0.4096),
    ("fpga_latency", "cifar100"): (1.13296, 1.2576, 0.5152, 0.4096),
    ("eyeriss_latency", "cifar10"): (1.67954, 1.47456, 0.24576, 1.47456),
    ("eyeriss_latency", "cifar100"): (1.68256, 1.47456, 0.24576, 1.47456),
    ("eyeriss_latency", "ImageNet16-120"): (0.42304, 0.36864, 0.06144, 0.36864),
}
"""Constant, and what each 3×3 convolution, 1×1 convolution and pooling adds."""


@pytest.mark.parametrize(("name", "dataset"), MODELS)
def test_models_are_linear_in_the_numbers_of_operations(load, name, dataset):
    constant, *slopes = MODELS[name, dataset]
    expected = constant + files.counts() @ np.array(slopes)
    np.testing.assert_allclose(runs(load("hw-nas-bench"), dataset, name), expected, rtol=0, atol=2e-14)


@pytest.mark.parametrize("dataset", files.DATASETS)
def test_estimates_depend_on_the_numbers_of_operations_alone(load, dataset):
    benchmark = load("hw-nas-bench")
    groups = files.counts() @ np.array([100, 10, 1])
    for name in (name for name in HARDWARE if name.startswith(("eyeriss", "fpga"))):
        values = runs(benchmark, dataset, name)
        for group in np.unique(groups):
            assert np.ptp(values[groups == group]) <= 4e-15
        counts = np.unique(mean(benchmark, dataset, name))
        assert len(counts) == {"eyeriss_latency": 27}.get(name, 82 if "fpga" in name and "120" in dataset else 84)
    energy, latency = (runs(benchmark, dataset, f"fpga_{name}") for name in ("energy", "latency"))
    np.testing.assert_allclose(energy, 7 * latency, rtol=1e-15)


def test_false_distinctions_are_the_files_and_not_ours(test_data, load):
    benchmark = load("hw-nas-bench")
    for dataset, distinct, known in zip(files.DATASETS, (38, 34, 42), (0.1638, 0.1471, 0.1175), strict=True):
        values = runs(benchmark, dataset, "eyeriss_latency")
        assert len(np.unique(values)) == distinct
        assert len(np.unique(mean(benchmark, dataset, "eyeriss_latency"))) == 27
        assert tau(values, reference(test_data, dataset)) == pytest.approx(known, abs=TOLERANCE)


@pytest.mark.parametrize("dataset", files.DATASETS)
def test_disconnected_cells_are_fast(load, dataset):
    benchmark, none = load("hw-nas-bench"), files.disconnected()
    gpu = mean(benchmark, dataset, "edgegpu_latency")
    assert gpu[none].max() < gpu[~none].min()
    if dataset == "cifar10":
        assert gpu[none].max() == pytest.approx(0.9915, abs=5e-5)
        assert gpu[~none].min() == pytest.approx(1.4274, abs=1e-4)
    for name in ("raspi4_latency", "pixel3_latency"):
        assert none[mean(benchmark, dataset, name) < 0.1].all()


LATENCIES = {
    "raspi4": (10.481976820010459, 0.4853),
    "titan_rtx_32": (5.326504707336426, 0.4921),
    "pixel2": (9, 0.4683),
}


@pytest.mark.parametrize("device", LATENCIES)
def test_latencies_of_help(test_data, targets, load, device):
    first, known = LATENCIES[device]
    content = files.latencies(targets / "help_nb201" / f"{device}.pt")
    table = load("help-nb201").table(Target("cifar10", device, None))
    assert content[0] == first
    np.testing.assert_array_equal(table.runs[:, 0], content)
    assert tau(table.mean, files.clean_accuracy(test_data)) == pytest.approx(known, abs=TOLERANCE)
    assert (table.quantity.name, table.quantity.unit, table.quantity.higher_is_better) == ("latency", "ms", False)
    assert table.quantity.measured_on == DEVICES[device].hardware
    assert {type(value) for value in content} == {int if device == "pixel2" else float}


def test_devices_of_help_among_one_another(targets, load):
    benchmark = load("help-nb201")
    raspi, titan, pixel = (runs(benchmark, "cifar10", name) for name in LATENCIES)
    np.testing.assert_array_equal(raspi, hardware(targets, "cifar10")[1]["raspi4_latency"])
    known = {(0, 1): 0.4779, (0, 2): 0.6165, (1, 2): 0.6384}
    columns = (raspi, titan, pixel)
    assert {pair: round(tau(columns[pair[0]], columns[pair[1]]), 4) for pair in known} == known
    assert (pixel.min(), pixel.max(), len(np.unique(pixel))) == (4, 51, 42)


def test_the_devices_that_are_known_are_those_of_help(targets):
    with (targets / "help_nb201" / "devices.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["device"]: row for row in csv.DictReader(file)}
    assert DEVICES.keys() == listed.keys()
    assert len(DEVICES) == 27
    for name, device in DEVICES.items():
        row = listed[name]
        assert (device.fastest, device.slowest) == (float(row["min_ms"]), float(row["max_ms"]))
        if row["batch_size"]:
            assert device.hardware == f"{row['hardware']}, batch size {row['batch_size']}"
        elif "model" in row["hardware"]:
            assert device.hardware.endswith("estimated by a model")
        else:
            assert device.hardware == row["hardware"]


TRANSNAS = {
    "autoencoder": ("ssim", "", (0.043263, "1_33_000"), (0.577231, "1_20_310"), 2961, 0.3276),
    "class_object": ("top1", "%", (23.447453, "0_20_002"), (46.317677, "3_03_122"), 1309, 1.0),
    "class_scene": ("top1", "%", (7.484076, "0_00_022"), (54.936306, "3_32_132"), 1257, 0.6440),
    "jigsaw": ("top1", "%", (0.114451, "0_00_022"), (95.372215, "3_30_132"), 1773, 0.6442),
    "normal": ("ssim", "", (0.306031, "0_12_020"), (0.596219, "3_31_332"), 2960, 0.5942),
    "room_layout": ("negative_loss", "", (-1.094197, "0_00_023"), (-0.593782, "3_11_131"), 2940, 0.6306),
    "segmentsemantic": ("miou", "%", (5.405751, "0_00_000"), (26.270681, "3_33_213"), 2908, 0.5082),
}


def transnas(targets, task):
    return files.json_content(targets / "transnas101_micro" / f"micro_{task}.json")


@pytest.mark.parametrize("task", TRANSNAS)
def test_tasks_of_transnas(targets, load, task):
    metric, unit, low, high, distinct, known = TRANSNAS[task]
    benchmark, rows = load("transnas-micro"), transnas(targets, task)
    table = benchmark.table(Target(task, metric, None))
    assert (table.quantity.unit, table.quantity.higher_is_better) == (unit, True)
    assert "skeleton 64-41414" in table.quantity.measured_on
    assert "another network" in table.quantity.measured_on
    names = [name for name, _ in rows]
    assert names == [f"64-41414-{a}_{b}{c}_{d}{e}{f}" for a, b, c, d, e, f in product("0123", repeat=6)]
    cells = [files.cell_of_name(name) for name in names]
    np.testing.assert_array_equal(table.runs[cells, 0], [value for _, value in rows])
    assert int((table.count > 0).sum()) == 4_096 == len(set(cells))
    for (value, name), cell in ((low, int(np.nanargmin(table.mean))), (high, int(np.nanargmax(table.mean)))):
        assert table.mean[cell] == pytest.approx(value, abs=1e-6)
        assert benchmark.accuracy(files.cell_of_name(f"64-41414-{name}"), metric, dataset=task) == table.mean[cell]
    assert len(np.unique(table.mean[cells])) == distinct
    assert tau(table.mean, mean(benchmark, "class_object", "top1")) == pytest.approx(known, abs=TOLERANCE)


def test_cells_of_transnas_are_those_without_pooling(load):
    measured = np.isfinite(mean(load("transnas-micro"), "class_scene", "top1"))
    np.testing.assert_array_equal(measured, files.counts()[:, 2] == 0)


def test_cells_of_transnas_without_a_path(load):
    benchmark, none = load("transnas-micro"), files.disconnected()
    measured = files.counts()[:, 2] == 0
    assert (none & measured).sum() == 169
    for task, metric, value in (
        ("class_object", "top1", 26.547571182250977),
        ("segmentsemantic", "miou", 5.405751387652229),
    ):
        np.testing.assert_array_equal(mean(benchmark, task, metric) == value, none & measured)
    space = load_space("nb201")
    assert sum(not space.has_dead_operation(cell) for cell in np.flatnonzero(measured).tolist()) == 2_128
    assert np.nanmax(mean(benchmark, "room_layout", "negative_loss")) < 0


def test_some_cells_of_transnas_were_trained_once_for_several(targets):
    values = [[value for _, value in transnas(targets, task)] for task in TRANSNAS]
    assert len(set(zip(*values, strict=True))) == 2_994


def macro(targets):
    return files.json_content(targets / "nas_bench_macro" / "nas-bench-macro_cifar10.json")


def test_runs_of_nas_bench_macro(targets, load):
    benchmark, content = load("nb-macro"), macro(targets)
    table = benchmark.table(Target("cifar10", "test", None))
    cells = [int(key, 3) for key in content]
    assert sorted(cells) == list(range(6_561)) != cells
    np.testing.assert_array_equal(table.runs[cells], [record["test_acc"] for record in content.values()])
    np.testing.assert_allclose(
        table.runs[cells].mean(axis=1), [record["mean_acc"] for record in content.values()], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(
        table.runs[cells].std(axis=1), [record["std"] for record in content.values()], rtol=0, atol=1e-12
    )
    space = load_space("nb-macro")
    for key, value in {"00000000": 45.363, "22212220": 93.127}.items():
        assert table.mean[space.index(key)] == pytest.approx(value, abs=5e-4)
    assert (round(table.mean.min(), 3), round(table.mean.max(), 3)) == (45.363, 93.127)
    taus = [round(tau(table.runs[:, a], table.runs[:, b]), 3) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert sorted(taus) == [0.88, 0.882, 0.882]
    assert table.runs.std(axis=1).mean() == pytest.approx(0.151, abs=5e-4)
    assert table.seeds_are_numbers
    assert table.quantity.higher_is_better


def test_costs_of_nas_bench_macro(targets, load):
    costs, space = load("nb-macro").costs("cifar10"), load_space("nb-macro")
    for held, counted, span in (
        (costs.parameters, space.parameters, (387_882, 2_932_586)),
        (costs.flops, space.flops, (7_713_280, 105_660_928)),
    ):
        np.testing.assert_array_equal(held, [counted(cell) for cell in space])
        assert (held.min(), held.max()) == span
    cell = space.index("11111221")
    assert (costs.parameters[cell], costs.flops[cell]) == (2_181_386, 65_012_224)


def test_copies_of_nas_bench_macro(targets, load):
    content = macro(targets)
    table = load("nb-macro").table(Target("cifar10", "test", None))
    assert table.distinct == 3_969

    def moved(stage):
        return stage[0] + stage[1:].replace("0", "").ljust(len(stage) - 1, "0")

    classes = {}
    for key, record in content.items():
        last = "".join(map(moved, (key[:2], key[2:5], key[5:])))
        assert record == content[last]
        classes.setdefault(last, set()).add(int(table.measurements[int(key, 3)]))
    assert len(classes) == 3_969
    assert all(len(numbers) == 1 for numbers in classes.values())
