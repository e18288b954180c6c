"""The page of targets, made of a small made-up release: what it calls best is the largest of all that it lists."""

import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import ntknas
from ntknas.benchmarks import OwnTable, import_own
from ntknas.benchmarks.quantity import Quantity
from ntknas.scoring.cells import sample
from tests.scripts import whole_space as made

ROOT = Path(__file__).parents[2]
TARGET = "nb201:cifar100/valid/200"
OWN = "mine:cifar10/latency"
LATENCY = Quantity("latency", "ms", higher_is_better=False)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("targets_page")
    release = made.release(folder)
    stores, bench_data, out = (folder / name for name in ("committed", "bench_data", "out"))
    for path in (stores, bench_data, out):
        path.mkdir()
    made.stores(stores, sample(made.SPACE, made.COMMITTED, 1), ["frozen"], False)
    table = folder / "mine.csv"
    table.write_text("index,latency\n" + "".join(f"{cell},{cell * 7 % 1013}\n" for cell in range(len(made.SPACE))))
    shutil.copyfile(ROOT / "docs" / "results" / "targets.md", out / "targets.md")
    import_own([table], OwnTable("mine", "nb201", quantity=LATENCY), bench_data)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        import targets_page

        options = ["--release", f"published:{release}", "--sample", stores / "frozen.h5", "--bench-data", bench_data]
        patch.setattr(sys, "argv", ["targets_page.py", *map(str, [*options, "--out", out])])
        targets_page.main()
    return out


def _between(text, name):
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)[1]


def test_targets_of_all_benchmarks_are_there(out):
    frame = pd.read_csv(out / "targets.csv")
    assert {TARGET, OWN} < set(frame["target"])
    assert len(set(frame["target"])) == 4
    assert f"| {OWN} | latency (ms) | lower |" in _between((out / "targets.md").read_text(), "targets")


@pytest.mark.parametrize("target", [TARGET, OWN])
def test_the_best_is_the_largest(out, target):
    frame = pd.read_csv(out / "targets.csv")
    line = next(
        line
        for line in _between((out / "targets.md").read_text(), "best").splitlines()
        if line.startswith(f"| {target} ")
    )
    _, _, count, measure, beyond, _ = (part.strip() for part in line.split("|"))
    counts = frame["measure"].isin(ntknas.spaces.structure.COUNTS)
    of_target = (frame["target"] == target) & ~frame["measure"].isin(("flops", "effective_flops"))
    for text, rows, column in (
        (count, frame[of_target & counts], "kendall"),
        (measure, frame[of_target & ~counts], "kendall"),
        (beyond, frame[of_target & ~counts], "partial"),
    ):
        largest = rows.loc[rows[column].abs().idxmax()]
        assert text.startswith(f"{largest['measure']} {largest[column]:.2f} [")


def test_a_lower_target_is_better(out):
    frame = pd.read_csv(out / "targets.csv").set_index(["target", "measure"])
    row = frame.loc[OWN, "parameters"]
    cells = made.covered()
    parameters = [made.SPACE.parameters(cell) for cell in cells if not made.SPACE.is_disconnected(cell)]
    latency = [-(cell * 7 % 1013) for cell in cells if not made.SPACE.is_disconnected(cell)]
    assert row["cells"] == len(parameters)
    assert row["kendall"] == pytest.approx(stats.kendalltau(parameters, latency).statistic, abs=1e-4)
    assert (out / "targets.png").exists()
    assert (out / "targets-partial.png").exists()
