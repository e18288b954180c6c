"""``ntknas correlate --target all``: one table of measures and targets, legible on narrow terminals."""

import csv
import io
import json
import re

import pytest
from rich.cells import cell_len

import ntknas as package
from ntknas.cli.overview_table import Group, OverviewTable
from tests.benchmarks import made_targets as made
from tests.cli.typed import ntknas
from tests.correlation.stores import fill

CELLS = range(100, 160)
HARDWARE = "hw-nas-bench:cifar10/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store with two measures, and a folder with the hardware table of made-up numbers."""
    folder = tmp_path_factory.mktemp("all")
    fill(folder / "scores.h5", ("trace", "cond"), CELLS)
    made.save_csv(folder / "hw_cifar10.csv", made.hardware_rows(size=15_625))
    return folder


@pytest.fixture
def run(capsys, folder, monkeypatch):
    monkeypatch.chdir(folder)
    if not (folder / "tables" / "hw-nas-bench.h5").exists():
        assert ntknas(capsys, "bench", "import", "hw_cifar10.csv", "--bench-data", "tables")[0] == 0
    return lambda *arguments: ntknas(capsys, "correlate", "--bench-data", "tables", *arguments)


@pytest.fixture
def overview(run):
    def overview(*arguments):
        code, out, err = run("--target", "all", *arguments)
        assert code == 0, err
        return out

    return overview


def test_all_targets_in_one_table(overview, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = overview()
    assert max(map(cell_len, out.splitlines())) <= 80
    assert out.startswith("Kendall τ-b with 13 targets; population all (every cell): 60 cells in")
    assert "┌ strongest count" in out
    assert "\nnb201: accuracy (%)\n  ImageNet16-120 valid/200 " in out
    assert "latency (ms) ↓" in " ".join(out.split())
    assert "↓: lower is better" in out
    heads = [line.split("┌ ")[1] for line in out.splitlines() if "┌" in line]
    assert {"trace", "cond", "effective_parameters", "live_layers"} <= set(heads)


def test_the_numbers_are_those_of_single_targets(overview, run):
    data = json.loads(overview("--json"))
    assert [row["kendall"]["low"] for row in data["rows"]] == [None] * len(data["rows"])
    name = f"{HARDWARE}raspi4_latency"
    single = json.loads(run("--target", name, "--json", "--resamples", 0)[1])
    many = {row["measure"]: row["kendall"]["value"] for row in data["rows"] if row["target"] == name}
    assert many == {row["measure"]: row["kendall"]["value"] for row in single["rows"]}
    assert data["targets"][name]["quantity"] == single["targets"][name]["quantity"]
    assert not data["targets"][name]["quantity"]["higher_is_better"]
    out = overview("--measures", "cond")
    (line,) = (line for line in out.splitlines() if line.startswith("  raspi4_latency ms ↓"))
    assert f"{many['cond']:.2f}" in line.split()


def test_csv_is_long(overview):
    rows = list(csv.DictReader(io.StringIO(overview("--csv"))))
    measures = {row["measure"] for row in rows}
    assert len(rows) == 13 * len(measures)
    units = {row["target"]: row["unit"] for row in rows}
    assert units[f"{HARDWARE}edgegpu_energy"] == "mJ"
    (row,) = (r for r in rows if (r["target"], r["measure"]) == ("nb201:cifar100/valid/200", "trace"))
    scores = package.load_store("scores.h5")
    result = package.correlate(scores, package.load_benchmark("nb201", dataset="cifar100"), resamples=0)
    (expected,) = (r for r in result.rows if (r.target, r.measure) == ("cifar100/valid/200", "trace"))
    assert float(row["spearman"]) == expected.spearman.value
    assert float(row["partial"]) == expected.partial_kendall


def test_other_statistics_and_intervals(overview):
    partial = overview("--statistic", "partial")
    assert partial.startswith("partial τ-b with 13 targets")
    assert "strongest count" not in partial
    assert "partial τ: given effective_parameters and live_layers." in partial
    some = overview("--statistic", "spearman", "--intervals", "--resamples", 200, "--measures", "trace")
    assert re.search(r"  cifar100 valid/200 .*-?0\.\d\d \[-?0\.\d\d, -?0\.\d\d\]", some)
    assert "The intervals are over" in some


def test_the_targets_of_one_benchmark_or_data_set(overview):
    out = overview("--bench", "hw-nas-bench")
    assert out.startswith("Kendall τ-b with 10 targets")
    assert "\ncifar10: " in out
    assert overview("--dataset", "cifar100").startswith("Kendall τ-b with 1 target;")


def test_a_picture(overview, folder):
    overview("--plots", "pictures")
    assert (folder / "pictures" / "targets-kendall.png").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--target", "all", "--target", "cifar100/valid/200"], "--target all stands alone"),
        (["--target", "all", "--compare"], "--compare tests measures on single targets"),
        (["--target", "all", "--sort", "regret"], "--sort regret is of single targets"),
        (["--target", "all", "--statistic", "kendal"], "'kendall'"),
        (["--statistic", "kendall"], "--statistic is of the table of all targets: --target all"),
        (["--intervals"], "--intervals is of the table of all targets"),
        (["--target", "all", "--dataset", "mnist"], "No benchmark of nb201 has targets on mnist"),
    ],
)
def test_options_that_do_not_go_together(run, arguments, message):
    code, out, err = run(*arguments)
    assert code in (1, 2)
    assert message in err
    assert not out


def test_a_single_target_says_what_it_is(run):
    code, out, err = run("--target", f"{HARDWARE}edgetpu_latency", "--resamples", 0)
    assert code == 0
    assert re.search(r"latency \(ms\) on .*, lower is better; a positive τ says", out)
    assert "no noise figures: they need repeated measurements" in out
    assert "in the target's unit" in out
    assert "accuracy" not in out
    header = next(line for line in out.splitlines() if line.startswith("measure"))
    assert "nDCG" not in header


TABLE = OverviewTable(
    ["first", "a_long_name", "b", "another_long_name", "c"],
    [
        Group("one", {"x": ["1.00", "0.10", "–", "0.30", "-0.40"], "y": ["0.50", "0.60", "0.70", "0.80", "0.90"]}),
        Group("", {"z" * 60: ["0.00"] * 5}),
    ],
    first=1,
)


@pytest.mark.parametrize("width", [50, 60, 80, 200])
def test_every_number_stands_under_its_name(width):
    lines = list(TABLE.render(width))
    assert max(map(cell_len, lines)) <= width
    found = {}
    heads: dict[int, str] = {}
    for line in lines:
        if "┌" in line:
            heads = heads if "│" in line else {}
            heads[line.index("┌")] = line.split("┌ ")[1]
        elif line.startswith("  x"):
            for match in re.finditer(r"\S+", line[3:]):
                found[heads[max(place for place in heads if place <= match.start() + 3)]] = match[0]
    assert found == dict(zip(TABLE.columns, TABLE.groups[0].rows["x"], strict=True))
    assert TABLE.fits(width) == (sum("┌ first" in line for line in lines) == 1)
    assert any(line.startswith("  zzz") for line in lines)


def test_a_table_without_columns_has_its_names():
    assert list(OverviewTable([], [Group("g", {"x": []})]).render(80)) == ["g", "  x"]
