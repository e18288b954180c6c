"""What another package brings is scored, forecast and correlated as ours is; one at fault costs itself alone."""

import json
from pathlib import Path

import pytest

from ntknas import load_benchmark, load_store
from ntknas.benchmarks import all_sources, benchmark_names
from ntknas.core.cases import TrainingCase
from ntknas.core.errors import ChoiceError
from ntknas.core.plugins import PluginWarning
from ntknas.data import make_probe, source_names
from ntknas.data import sources as image_sources
from ntknas.measures import all_measures
from tests.cli.typed import ntknas
from tests.measures.test_third_party import _package

PACKAGE = Path(__file__).parents[1] / "example_additions"
SCORE = (
    "score --bench chains --probe stripes --probe-size 100 --channels 2 --cells-file cells.txt --measures all,layers"
)
CELLS = ["conv3x3-conv5x5", "conv5x5-conv5x5"]
OF_PARTS = {"az_expressivity", "az_progressivity", "az_trainability", "teg_mse", "teg_regions"}
"""Measures of a network's blocks, which its plain ``nn.Sequential`` does not name."""
OF_INVERTIBLE = {"layers_log_cond", "layers_mean_log_cond", "layers_mean_log_lambda_min"}
"""Measures of layers with as many parameters as there are images; it has none."""


@pytest.fixture(autouse=True)
def _with_the_example(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(PACKAGE)
    monkeypatch.chdir(tmp_path)
    Path("cells.txt").write_text("\n".join(CELLS))


def test_its_space_is_scored_under_every_measure_and_correlated(capsys):
    code, _, err = ntknas(capsys, *SCORE.split())
    assert code == 0, err
    scores = load_store("scores.h5")
    failed = scores[scores["status"] != "ok"]
    assert set(failed["measure"]) == OF_PARTS | OF_INVERTIBLE, failed.to_string()
    reasons = failed.set_index("measure")["reason"].astype(str)
    assert reasons[reasons.index.isin(OF_PARTS)].str.contains("the network does not say which").all()
    assert reasons[reasons.index.isin(OF_INVERTIBLE)].str.contains("are singular at the precision of the rows").all()
    untrained = {name for name, measure in all_measures().items() if measure.subject is not TrainingCase}
    assert set(scores["measure"]) >= untrained
    code, out, err = ntknas(capsys, "correlate", "--json", "--resamples", 0)
    assert code == 0, err
    rows = {row["measure"]: row for row in json.loads(out)["rows"]}
    assert {"trace", "zen", "parameters", "flops"} <= set(rows)
    assert rows["zen"]["n"] == len(CELLS)


def test_its_cells_are_forecast(capsys):
    small = [*SCORE.split()[:-1], "trace,zen", "--probe-size", 10, "--dry-run", "--json"]
    code, out, err = ntknas(capsys, *small)
    assert code == 0, err
    assert [(kind["measures"], kind["items"]) for kind in json.loads(out)["kinds"]] == [(["trace"], 2), (["zen"], 2)]


def test_its_benchmark_and_images_are_listed_and_used(capsys):
    benchmark = load_benchmark("chains", "cifar10")
    assert benchmark.accuracy(0) == 60.0
    assert ntknas(capsys, "bench", "query", "chains", "conv5x5-conv5x5")[0] == 0
    assert "Chains of two operations; embedded" in ntknas(capsys, "bench", "list")[1]
    assert "Noisy stripes" in ntknas(capsys, "data", "list")[1]
    probe, other = (make_probe("stripes", 20).images for _ in range(2))
    assert probe.shape == (20, 3, 32, 32)
    assert (probe == other).all()


def test_its_own_network_definition(capsys):
    small = "--probe stripes --probe-size 10 --channels 2 --cells 2 --measures trace".split()
    assert ntknas(capsys, "score", "--bench", "chains", "--variant", "without-norm", *small)[0] == 0
    code, _, err = ntknas(capsys, "score", "--bench", "chains", "--variant", "zero-cost", *small)
    assert code == 1
    assert "'zero-cost': expected one of official, without-norm" in err


FAULTS = {
    "imports": ("import nothing_of_the_kind", "ModuleNotFoundError"),
    "exits": ("raise SystemExit(0)", "it exits while it is imported"),
    "thing": ("THING = 3", "what it names is no .*Source but a int"),
    "lacks": ("", "AttributeError"),
}


@pytest.mark.parametrize("name", list(FAULTS))
@pytest.mark.parametrize("kind", ["benchmarks", "image_sources"])
def test_a_package_at_fault_costs_itself_alone_by_name(tmp_path, monkeypatch, kind, name):
    code, reason = FAULTS[name]
    module = f"{kind}_{name}"
    _package(tmp_path, module, code, f"[ntknas.{kind}]\n{name} = theirs_{module}:THING\n")
    monkeypatch.syspath_prepend(tmp_path)
    names, everything, load = {
        "benchmarks": (benchmark_names, all_sources, load_benchmark),
        "image_sources": (source_names, image_sources.all_sources, lambda name: make_probe(name, 10)),
    }[kind]
    message = rf"The package theirs-{module} \({name}\) is left out: .*{reason}"
    assert name in names()
    with pytest.raises(ChoiceError, match=message):
        load(name)
    with pytest.warns(PluginWarning, match=message):
        assert set(names()) - set(everything()) == {name}
