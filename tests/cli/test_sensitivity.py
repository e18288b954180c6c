"""The sensitivity card, as a user asks for it."""

import json

import pandas as pd
import pytest
from scipy import stats

from ntknas import load_store
from ntknas.cli import sensitivity
from ntknas.core.errors import ChoiceError
from ntknas.correlation.sensitivity import agreements
from ntknas.scoring.variations import CHOICES, variations
from tests.cli.test_commands import fails, ntknas

SMALL = "--probe digits --probe-size 10 --channels 2 --cells-per-stage 1 --cells 12 --measures trace,cond".split()
BASE = {
    "batch_norm": "frozen",
    "probe_size": 10,
    "probe": "digits",
    "probe_seed": 0,
    "init": "default",
    "parameters": "weights",
    "precision": "float32",
}


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_choices_of_the_help_text():
    assert sensitivity.CHOICES.split(",") == list(CHOICES)


def test_variations_change_one_choice_at_a_time():
    found = variations(BASE, tuple(CHOICES))
    assert {item.choice for item in found} == set(CHOICES)
    assert all(len(item.changes) == 1 for item in found)
    assert all(BASE.get(name) != value for item in found for name, value in item.changes.items())
    assert [item.text for item in variations(BASE, ("probe-size",))] == ["probe-size 5", "probe-size 20"]
    with pytest.raises(ChoiceError, match="Unknown choice to vary 'colour'"):
        variations(BASE, ("colour",))


def test_agreements_are_tau_of_the_cells_in_common():
    base = pd.Series([1.0, 2, 3, 4], index=[1, 2, 3, 4])
    other = pd.Series([2.0, 1, 4, 9], index=[1, 2, 3, 9])
    accuracy = pd.Series([5.0, 6, 7, 8, 1], index=[1, 2, 3, 4, 9])
    rows = agreements({("base", "cond"): base, ("x", "cond"): other}, accuracy, resamples=0)
    assert [row.n for row in rows] == [4, 3]
    assert rows[0].with_base.value == 1
    assert rows[1].with_base.value == pytest.approx(stats.kendalltau([1, 2, 3], [2, 1, 4]).statistic)
    assert rows[0].with_accuracy.value == -1  # a smaller condition number is better
    assert rows[1].with_accuracy.value == pytest.approx(-stats.kendalltau([2, 1, 4, 9], [5, 6, 7, 1]).statistic)


def test_the_card(capsys, tmp_path):
    vary = "batch-norm,precision,seed"
    code, out, err = ntknas(capsys, "sensitivity", *SMALL, "--vary", vary, "--plot", "card.png")
    assert code == 0, err
    for text in ("base", "batch-norm coupled", "batch-norm eval", "precision float64", "seed 1"):
        assert text in out
    assert (tmp_path / "card.png").stat().st_size > 5000
    frame = load_store("sensitivity.h5")
    assert set(frame["seed"]) == {0, 1}
    code, out, err = ntknas(capsys, "sensitivity", *SMALL, "--vary", vary, "--json")
    rows = json.loads(out)["rows"]
    base = [row for row in rows if row["variation"] == "base"]
    assert [row["with_base"]["value"] for row in base] == [1.0, 1.0]
    precise = next(row for row in rows if row["variation"] == "precision float64" and row["measure"] == "trace")
    assert precise["with_base"]["value"] > 0.9
    assert precise["with_accuracy"]["value"] is not None
    assert "to get by computing 0" in err


def test_unknown_choices(capsys):
    assert "Unknown choice to vary 'colour'" in fails(capsys, "sensitivity", *SMALL, "--vary", "colour")


def test_names_that_are_none_are_not_the_default(capsys):
    for option in ("--measures", "--vary"):
        assert f"{option} names n" in fails(capsys, "sensitivity", *SMALL, option, " , ")


def test_a_target_that_is_not_there_is_said_before_scoring(capsys, tmp_path):
    assert "holds" in fails(capsys, "sensitivity", *SMALL, "--target", "cifar10/test/7")
    assert not (tmp_path / "sensitivity.h5").exists()


def test_a_card_that_cannot_be_drawn_costs_no_table(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = ntknas(capsys, "sensitivity", *SMALL, "--vary", "precision", "--plot", "file/card.png")
    assert code == 1
    assert "precision float64" in out
    assert "file/card.png" in err
