"""``scripts/published/build.py`` finds every way's scores by the name of its store, and its measures by its options."""

import argparse
import importlib.util
import sys
from pathlib import Path

import pytest

from ntknas.core.score import Score
from ntknas.store import ScoreRecord, ScoreStore, Setting

SCRIPTS = Path(__file__).parents[2] / "scripts" / "published"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    spec = importlib.util.spec_from_file_location("published_build", SCRIPTS / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("ways")


def store(folder, name, cells):
    """A store with traces of some cells."""
    folder.mkdir(exist_ok=True)
    with ScoreStore.open(folder / f"{name}.h5") as opened:
        setting = opened.add_setting(Setting.from_fields({"space": "nb201", "dataset": "cifar10", "output": "sum"}))
        run = opened.add_run({})
        for cell in cells:
            opened.append(ScoreRecord(setting, run, cell, 0, 1.0, {"trace": Score("trace", float(cell))}))
        opened.compact()


def test_ways_and_their_scores(script, tmp_path):
    store(tmp_path / "a", "frozen", range(3))
    store(tmp_path / "b", "frozen", range(2, 5))
    store(tmp_path / "b", "eval", range(1))
    store(tmp_path / "b", "something-else", range(7))
    found = {way.name: way for way in script.sources([tmp_path / "a", tmp_path / "b"], {"coupled": 12.5})}
    assert list(found) == list(script.WAYS)
    assert {name: len(way.table) for name, way in found.items() if len(way.table)} == {"frozen": 5, "eval": 1}
    assert found["coupled"].core_hours == 12.5
    spectra = {name: [m for m in way.measures if m.startswith("eigenvalue_")] for name, way in found.items()}
    assert {name: len(measures) for name, measures in spectra.items() if measures} == {
        **dict.fromkeys(("frozen", "frozen-independent", "recommended", "noise", "eval", "frozen-digits"), 64),
        "vilhess": 100,
        "coupled": 32,
    }
    assert {"trace", "cond", "lga"} <= set(found["frozen"].measures)
    assert found["recommended"].seeds == (0, 1, 2)
    assert {"cond", "layers_mean_entropy"} <= set(found["noise"].measures)
    assert not any(name.startswith("inputs_") for name in found["noise"].measures)
    assert "--draw first" in found["frozen"].command


def test_a_cost_is_of_a_way_that_there_is(script):
    assert script.hours_of("coupled=12.5") == ("coupled", 12.5)
    for text in ("couplet=1", "coupled", "coupled=x"):
        with pytest.raises(argparse.ArgumentTypeError, match="expected WAY=HOURS with one of frozen, "):
            script.hours_of(text)
