"""The page of the whole space, made of a small made-up release: its figures against ``correlate`` and scipy."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import ntknas
from ntknas.published import Release
from ntknas.scoring.cells import sample
from tests.scripts import whole_space as made

SCRIPTS = Path(__file__).parents[2] / "scripts"
PROXIES = "net_str,params,flops,synflow,nwot"
POPULATIONS = ("all", "distinct")
"""Cells that are reachable are too few here."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("whole_space")


@pytest.fixture(scope="module")
def release(folder):
    return made.release(folder)


@pytest.fixture(scope="module")
def page(folder, release):
    """The page of two populations; the committed sample has other images and noise, proxies are of covered cells."""
    stores = folder / "committed"
    stores.mkdir()
    for images in ("cifar10", "noise"):  # the release has none of the latter
        cells = sample(made.SPACE, made.COMMITTED, 1)
        made.stores(stores, cells, ["frozen"], False, probe_source=images, probe_seed=3)
    lines = [_proxies(cell) for cell in made.covered()]
    (folder / "proxies.csv").write_text("\n".join([PROXIES, *lines]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        patch.syspath_prepend(str(SCRIPTS / "referee"))  # whole_space_parts adds it once, maybe for another test
        for name in [name for name in sys.modules if name in ("page", "beyond", "suite_zero")]:
            patch.delitem(sys.modules, name)
        import whole_space_page
        from whole_space_parts import findings, others, samples, tables

        for module in (findings, tables):
            patch.setattr(module, "POPULATIONS", POPULATIONS)
        patch.setattr(samples, "SIZES", made.SIZES)
        patch.setattr(samples, "DRAWN", made.DRAWN)
        patch.setattr(others, "REACHABLE", "all")
        patch.setattr(others, "OURS", {"params": "parameters", "synflow": "synflow", "nwot": "naswot"})
        options = ["--release", release, "--sample", stores / "frozen.h5", "--proxies", folder / "proxies.csv"]
        options += ["--out", folder / "out", "--resamples", "200", "--jobs", "1", "--draws", "2"]
        patch.setattr(sys, "argv", ["whole_space_page.py", *map(str, options)])
        whole_space_page.main()
        return folder / "out"


def _proxies(cell):
    """Published proxies of a cell: ours but for a factor, and one that failed."""
    synflow = made.score("baselines", "synflow", cell, 0)
    nwot = -1e8 if cell % 50 == 0 else cell % 97
    own = 0.0 if made.SPACE.is_disconnected(cell) else 3 * synflow
    return f"{made.SPACE[cell]},{made.SPACE.parameters(cell) / 1e6},0,{own},{nwot}"


def between(text, name):
    """What stands between two markers."""
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)[1]


def rows(text, name):
    """Rows of the table between two markers, by their first cell."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in between(text, name).strip().splitlines()[2:]]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def scores(release, way, measure):
    """Signed scores by cell, the mean of logarithms over the seeds."""
    table = Release.open(release).frame([way], measures=[measure])
    values = np.log(table.pivot(index="cell", columns="seed", values="value").dropna()).mean(axis=1)
    return -values if measure == "cond" else values


def test_the_figures_are_those_of_all_cells(page, release):
    """τ, ρ and the best of one against scipy and the accuracies themselves."""
    csv = pd.read_csv(page / "whole-space.csv").set_index(["way", "measure", "population", "target"])
    for way, measures in made.MEASURES.items():
        for measure in measures:
            own = scores(release, way, measure)
            for dataset in ("cifar10-valid", "cifar100", "ImageNet16-120"):
                target = f"{dataset}/valid/200"
                y = ntknas.load_benchmark("nb201").table(ntknas.benchmarks.Target.parse(target)).mean[own.index]
                line = csv.loc[way, measure, "all", target]
                assert line["kendall"] == pytest.approx(stats.kendalltau(own, y).statistic, abs=6e-5)
                assert line["spearman"] == pytest.approx(stats.spearmanr(own, y).statistic, abs=6e-5)
                assert line["best_of_1"] == pytest.approx(y[own.to_numpy() == own.max()].mean(), abs=6e-5)
                assert line["kendall_low"] < line["kendall"] < line["kendall_high"]
    assert set(csv.index.get_level_values("population")) == set(POPULATIONS)
    assert csv.loc["counts"].groupby("measure").size().tolist() == [6] * 6  # once, not beside every way


def test_ways_are_listed_with_what_is_open(page):
    text = (page / "whole-space.md").read_text()
    assert list(rows(text, "ways")) == list(made.UNITS)
    assert rows(text, "ways")["frozen"][1:4] == ["2", "weights", "2"]
    assert rows(text, "open")["coupled"][-1] == "7.5"
    assert "3 ways" in between(text, "release")
    assert rows(text, "counted")["distinct"][1] == "5"


def test_each_way_stands_by_its_best_measure(page):
    csv = pd.read_csv(page / "whole-space.csv")
    first = csv[(csv["population"] == "all") & (csv["target"] == "cifar10-valid/valid/200")]
    best = first[first["way"] != "counts"].sort_values("kendall").groupby("way").last()["measure"]
    shown = list(rows((page / "whole-space.md").read_text(), "every way"))
    assert set(shown) == {f"{measure} · {way}" for way, measure in best.items()} | {"effective_parameters"}
    for name in ("whole-space", "whole-space-agreement", "whole-space-cells"):
        assert (page / f"{name}.png").read_bytes()[:4] == b"\x89PNG"


def test_agreement_is_that_of_the_networks(page, release):
    pairs = pd.read_csv(page / "whole-space-agreement.csv").set_index(["way", "other_way"])
    line = pairs.loc["frozen", "vilhess"]
    a, b = scores(release, "frozen", line["measure"]), scores(release, "vilhess", "class_lambda_min")
    networks = [cell for cell in a.index.intersection(b.index) if made.representative(cell, "weights") == cell]
    assert line["networks"] == len(networks)
    assert line["kendall"] == pytest.approx(stats.kendalltau(a[networks], b[networks]).statistic, abs=6e-5)


def test_every_seed_stands_by_itself_and_with_the_others(page, release):
    shown = rows((page / "whole-space.md").read_text(), "by seed")
    assert set(shown) == {"trace · frozen", "cond · frozen"}
    y = pd.Series(made.ACCURACIES)
    for measure, sign in (("trace", 1), ("cond", -1)):
        *alone, together = shown[f"{measure} · frozen"]
        for seed, text in enumerate(alone):
            own = Release.open(release).frame(["frozen"], seeds=[seed], measures=[measure]).set_index("cell")["value"]
            own = sign * own.dropna()
            assert float(text) == pytest.approx(stats.kendalltau(own, y[own.index]).statistic, abs=6e-4)
        own = scores(release, "frozen", measure)
        tau = stats.kendalltau(own, y[own.index]).statistic
        assert float(together.split(" [")[0]) == pytest.approx(tau, abs=6e-4)


def test_the_cells_of_disagreement_are_those(page):
    text = (page / "whole-space.md").read_text()
    shown = rows(text, "disagreement")
    assert len(shown) == 12
    spreads = [np.std([float(place) for place in cells[2:]]) for cells in shown.values()]
    assert spreads == sorted(spreads, reverse=True) or np.allclose(spreads, sorted(spreads, reverse=True), atol=1)
    for cell, (architecture, *_) in shown.items():
        assert architecture.strip("`").replace("\\", "") == str(made.SPACE[int(cell)])
    looks = rows(text, "look")
    assert sum(map(float, looks["all"])) == pytest.approx(6, abs=0.03)


def test_samples_stand_beside_the_whole(page, release):
    text = (page / "whole-space.md").read_text()
    committed = rows(text, "committed")
    assert set(committed) == {"trace", "cond"}
    own, cells = scores(release, "frozen", "trace"), sample(made.SPACE, made.COMMITTED, 1)
    y = pd.Series(made.ACCURACIES)
    cells = [cell for cell in cells if cell in own.index]
    tau, whole = (stats.kendalltau(own[some], y[some]).statistic for some in (cells, own.index))
    way, kernel, number, sampled, of_all, held = committed["trace"]
    assert (way, int(number), float(of_all)) == ("frozen", len(cells), pytest.approx(whole, abs=0.006))
    value, low, high = map(float, re.findall(r"-?\d\.\d+", sampled))
    assert value == pytest.approx(tau, abs=0.006)
    assert held == ("yes" if low <= round(whole, 2) <= high else "**no**")
    assert "Of 2 committed τ" in between(text, "committed in short")
    assert "of 2" in rows(text, "other samples")["effective_parameters"][0]
    same = between(text, "same scores")
    assert same.count("| 60 | cifar10-valid | τ | 11 |") == 1


def test_published_proxies_stand_beside_ours(page):
    text = (page / "whole-space.md").read_text()
    proxies = rows(text, "proxies")
    failed = sum(cell % 50 == 0 for cell in made.covered())
    assert int(proxies["nwot"][0]) == len(made.covered()) - failed
    assert proxies["synflow"][-1] == "1.00"
    assert proxies["params"][2] == "parameters"
    assert rows(text, "literature")["class_lambda_min · vilhess"][0] == "0.557"


def test_what_cannot_be_made_is_said(folder, release, tmp_path):
    """A release without scores, and none at all: a line, and no page."""
    empty = tmp_path / "empty"
    made.build(made.SPACE, [made.no_way()], "0.1.0", cells=made.covered()).write(empty, tmp_path / "spectra")
    for named, expected in ((empty, "has no scores yet: open are coupled"), (tmp_path / "absent", "absent")):
        command = [sys.executable, SCRIPTS / "whole_space_page.py", "--release", named, "--out", tmp_path / "out"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert expected in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
