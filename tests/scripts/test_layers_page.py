"""The page of layers' kernels, made of made-up scores: what is chosen, and what it is held against."""

import importlib
import math
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import ntknas
from ntknas import load_benchmark, load_space
from ntknas.benchmarks import Target
from ntknas.scoring import Recipe
from tests.correlation.stores import NB201, NETWORK, fill, value

ROOT = Path(__file__).parents[2]
TARGET = "cifar10-valid/valid/200"
SCRIPTS = ("scores", "choose", "confirm", "ablation", "populations")
MEASURES = ("layers_entropy", "layers_logdet", "layers_shares", "inputs_logdet", "effective_rank", "trace")
GOOD, FAIR = "layers_entropy", "layers_logdet"
IMAGES, NOISE = ({"probe_source": name, "probe_shape": "64x3x32x32"} for name in ("cifar10", "noise"))
FEATURES = NB201 | {"output": "features", "batch_norm": "per-sample"}
KERNELS = {
    "sum-frozen": NB201 | IMAGES,
    "features-per-sample": FEATURES | IMAGES,
    "features-per-sample-noise": FEATURES | NOISE,
}


@pytest.fixture(scope="module")
def accuracies():
    return load_benchmark("nb201").table(Target.parse(TARGET)).mean


@pytest.fixture(scope="module")
def scripts():
    with pytest.MonkeyPatch.context() as patch:
        for folder in ("scripts/referee", "scripts/layers"):
            patch.syspath_prepend(str(ROOT / folder))
        for name in ("page", *SCRIPTS):
            patch.delitem(sys.modules, name, raising=False)
        yield {name: importlib.import_module(name) for name in SCRIPTS}
        for name in ("page", "scores"):  # there may be others of these names, which the next module of tests means
            sys.modules.pop(name, None)


@pytest.fixture
def folder(tmp_path, scripts, accuracies):
    """Stores of both stages; on images, entropies of pooled features rank best, log-determinants next."""

    def scores(way):
        def score(cell, seed, measure):
            noise = {GOOD: 4.0, FAIR: 8.0}.get(measure, 100.0) if way == "features-per-sample" else 200.0
            return float(accuracies[cell % 15625]) + noise * value(cell, seed, f"{way} {measure}")

        return score

    cells = np.random.default_rng(0).permutation(15_625)[:120].tolist()
    for stage in ("develop", "confirm"):
        for way, fields in KERNELS.items():
            fill(tmp_path / f"{stage}-nb201.h5", MEASURES, cells, fields=fields, scores=scores(way))
            if stage == "develop":
                of_101 = fields | {"space": "nb101"}
                fill(tmp_path / "develop-nb101.h5", MEASURES, range(40), fields=of_101, scores=scores(way))
    fill(tmp_path / "confirm-nb201.h5", ("naswot", "synflow"), cells, fields=NETWORK | IMAGES, scores=value)
    shutil.copyfile(ROOT / "docs/results/layer-kernels.md", tmp_path / "layer-kernels.md")
    return tmp_path


@pytest.fixture
def nb101(tmp_path):
    file = tmp_path / "nb101.csv"
    file.write_text("index,test_acc_108_mean\n" + "".join(f"{cell},{50 + cell}\n" for cell in range(40)))
    return file


def _run(monkeypatch, script, *arguments):
    monkeypatch.setattr(sys, "argv", [f"{script.__name__}.py", *map(str, arguments)])
    script.main()


def _between(folder, name):
    text = (folder / "layer-kernels.md").read_text()
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)[1]


def _confirmed(monkeypatch, scripts, folder):
    monkeypatch.setattr(scripts["confirm"], "CHOSEN", {"features-per-sample": (GOOD, FAIR)})
    _run(monkeypatch, scripts["confirm"], "--stores", folder, "--bench-data", folder, "--out", folder)
    return pd.read_csv(folder / "layer-kernels.csv")


def test_cells_of_the_stages_are_apart_and_of_the_population(scripts):
    scoring, space = scripts["scores"], load_space("nb201")
    develop, confirm = (scoring.cells_of("nb201", stage) for stage in ("develop", "confirm"))
    assert (len(develop), len(confirm), len({*develop, *confirm})) == (300, 1000, 1300)
    is_of = scoring.is_member(space, "reachable")
    assert all(is_of(cell) for cell in (*develop, *confirm))
    networks = {space.representative(space[cell], "weights", "none") for cell in (*develop, *confirm)}
    assert len(networks) == 1300


def test_what_is_confirmed_is_what_a_way_scores(scripts):
    scoring = scripts["scores"]
    for way, measures in scoring.CHOSEN.items():
        assert way in scoring.WAYS
        assert ",".join(measures) in scoring.options_of("confirm")[way]


def test_the_figures_are_those_of_the_scores(monkeypatch, scripts, folder, accuracies):
    frame = _confirmed(monkeypatch, scripts, folder)
    first = frame[frame["target"] == TARGET].set_index("ranking")
    assert first.index[0] == f"{GOOD} · images"
    assert {"effective_parameters", "live_layers", "naswot", "synflow", "recommended"} < set(first.index)
    assert "trace · sum-frozen" not in first.index
    cells = np.random.default_rng(0).permutation(15_625)[:120]
    taken = [float(accuracies[cell]) + 4.0 * value(int(cell), 0, f"features-per-sample {GOOD}") for cell in cells]
    expected = stats.kendalltau(taken, [float(accuracies[cell]) for cell in cells]).statistic
    assert math.isclose(first["kendall"].iloc[0], expected, abs_tol=1e-4)


def test_each_candidate_is_tested_against_each_rival(monkeypatch, scripts, folder):
    frame = _confirmed(monkeypatch, scripts, folder)
    rivals = frame[(frame["target"] == TARGET) & ~frame["chosen"]]
    lines = [line for line in _between(folder, "tests").splitlines() if line.startswith("| layers_")]
    assert len(lines) == 2 * len(rivals)
    assert (folder / "layer-kernels.png").stat().st_size > 1000
    assert "Not there: robustness-nb201." in _between(folder, "other targets")
    assert "Not there: accuracies of nb101." in _between(folder, "other spaces")


def test_on_another_sample_each_is_held_against_the_best(monkeypatch, scripts, folder):
    monkeypatch.setattr(scripts["confirm"], "CHOSEN", {"features-per-sample": (GOOD, FAIR)})
    lines = scripts["confirm"]._sample(folder / "confirm-nb201.h5").splitlines()
    assert lines[2].startswith(f"| **{GOOD} · images** |")
    assert lines[2].endswith("| – |")
    assert all("| +" in line for line in lines[3:])  # none is better
    assert not any("naswot" in line for line in lines)


def test_the_choice_is_by_the_protocol(monkeypatch, capsys, scripts, folder, nb101):
    choose = scripts["choose"]
    _run(monkeypatch, choose, "--stores", folder, "--nb101", nb101, "--page", folder / "layer-kernels.md")
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith(f": {GOOD}")
    assert 3 <= len(said) <= 4
    assert sum("noise" in line for line in said) >= 1
    table = _between(folder, "development").splitlines()
    assert table[2].startswith(f"| {GOOD} | features/per-sample |")
    assert sum(line.endswith("| yes |") for line in table) == len(said)


def test_what_is_taken_apart_is_the_score(scripts):
    """The mean of entropies is the measure itself; random matrices have the ranks that their sizes allow."""
    ablation, cell = scripts["ablation"], 1  # a convolution or two
    found = ablation.variants(cell)
    recipe = Recipe(choices=ablation.CHOICES, measures=(ablation.SCORE,))
    scored = ntknas.score("nb201", [cell], recipe=recipe, probe=ntknas.make_probe("noise", 64))
    assert found["mean"] == pytest.approx(scored.frame["value"].iloc[0], rel=1e-6)
    assert found["sum"] / found["mean"] == pytest.approx(found["sum_random"] / found["mean_random"])
    assert max(found["mean"], found["mean_random"], found["mean_cosine"]) < math.log(64)


def test_other_scores_than_those_that_are_stored_stop_it(monkeypatch, scripts, folder):
    cells = np.random.default_rng(0).permutation(15_625)[:3].tolist()
    monkeypatch.setattr(scripts["ablation"], "SCORE", GOOD)
    with pytest.raises(SystemExit, match="not what is stored"):
        scripts["ablation"]._check(pd.DataFrame({"mean": [1.0, 2.0, 3.0]}, index=cells), folder)


def _figures(names):
    """Figures as of a whole space, the larger the later a ranking comes; none of the counts has a partial τ."""
    lines = [
        {"way": way, "measure": measure, "population": population, "target": TARGET, "kendall": 0.1 * place}
        | {"kendall_low": 0.1 * place - 0.1, "kendall_high": 0.1 * place + 0.1}
        | dict.fromkeys(("partial", "partial_low", "partial_high"), None if way == "counts" else 0.5)
        for place, (way, measure, _) in enumerate(names)
        for population in ("all", "connected", "reachable", "distinct")
    ]
    return pd.DataFrame(lines)


def test_every_population_is_taken_from_the_figures_of_the_whole_space(monkeypatch, scripts, folder):
    populations = scripts["populations"]
    names = [*populations.rankings()]
    _figures(names).to_csv(folder / "whole-space.csv", index=False)
    page = folder / "layer-kernels.md"
    _run(monkeypatch, populations, "--figures", folder / "whole-space.csv", "--page", page)
    lines = _between(folder, "populations").splitlines()[2:]
    assert [line.split(" | ")[0].strip("| ") for line in lines] == [name for *_, name in reversed(names)]
    assert lines[0].count("0.70 [0.60, 0.80] | –") == 4
    assert lines[-1].count("0.00 [-0.10, 0.10] | 0.50 [0.50, 0.50]") == 4


def test_figures_without_the_way_are_refused(monkeypatch, capsys, scripts, folder):
    populations = scripts["populations"]
    _figures([("frozen", "cond", "")]).to_csv(folder / "whole-space.csv", index=False)
    with pytest.raises(SystemExit):
        _run(monkeypatch, populations, "--figures", folder / "whole-space.csv", "--page", folder / "layer-kernels.md")
    assert "has no way `noise`" in capsys.readouterr().err
