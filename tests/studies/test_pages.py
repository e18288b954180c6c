"""Pages of studies: none of other settings, or of more units, is written over."""

import json

import pandas as pd
import pytest

from ntknas.cli.main import run as command
from ntknas.studies import page as pages
from ntknas.studies.base import Findings
from ntknas.studies.claims.determinism import Determinism
from ntknas.studies.networks import Widths
from ntknas.studies.page import free_stem, usual_stem
from ntknas.studies.subject import Subject
from ntknas.studies.verdict import Outcome, Verdict

BASE = ["study", "determinism", "--repeats", "2", "--samples", "6", "--device", "cpu"]
FULL = [*BASE, "--widths", "4,8,16"]
PAGE = "determinism-mlp-boston-standard"


@pytest.fixture(autouse=True)
def _quick_pictures(monkeypatch):
    def draw_all(figures, folder, look):
        paths = {folder / f"{name}{look.suffix}": figure for name, figure in figures.items()}
        for path, figure in paths.items():
            path.write_text(repr(figure))
        return list(paths)

    monkeypatch.setattr(pages, "draw_all", draw_all)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("determinism*") if path.suffix != ".journal"}


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ([*FULL, "--quick"], f"{PAGE}-quick.md"),
        ([*FULL, "--seed", "1"], None),
        ([*FULL, "--samples", "7"], None),
        ([*FULL, "--repeats", "3"], None),
        ([*BASE, "--widths", "4,8"], None),
        ([*BASE, "--widths", "8,16,32"], None),
        ([*FULL, "--contraction", "summed-gradients"], f"{PAGE}-summed-gradients.md"),
        ([*FULL, "--parametrisation", "ntk"], "determinism-mlp-boston-ntk.md"),
    ],
)
def test_other_settings_have_another_page(tmp_path, capsys, other, name):
    out = ["--out", str(tmp_path)]
    assert command([*FULL, *out]) == 0
    before = contents(tmp_path)
    assert set(before) == {f"{PAGE}.md", f"{PAGE}.csv", f"{PAGE}-distance.png"}
    assert command([*other, *out]) == 0
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    pages = {name for name in after if name.endswith(".md")} - set(before)
    assert len(pages) == 1
    assert name is None or pages == {name}
    assert ("is of other settings and stays" in capsys.readouterr().err) == (name is None)
    assert command([*other, *out]) == 0
    assert set(contents(tmp_path)) == set(after)


def test_the_same_study_with_more_widths_and_replace_write_over(tmp_path, capsys):
    out = ["--out", str(tmp_path)]
    assert command([*BASE, "--widths", "4,8", *out]) == 0
    for arguments in (FULL, [*BASE, "--widths", "4,32", "--replace"]):
        assert command([*arguments, *out]) == 0
        assert {path.name for path in tmp_path.glob("*.md")} == {f"{PAGE}.md"}
    text = (tmp_path / f"{PAGE}.md").read_text()
    assert "| 32 |" in text
    assert "| 16 |" not in text
    assert "stays" not in capsys.readouterr().err


def study(widths=(4, 8), samples=6):
    return Determinism(Widths(Subject("mlp-1", "boston", samples, "standard"), widths, 2))


def made_by_version_0_1_0(command):
    return f"# Determinism\n\nMade by `{command}` on cpu.\n"


def record(study, **changed):
    about = {"settings": study.settings(), "units": [[width for (width,) in study.units()]], **changed}
    return f"# Determinism\n\n<!-- made from {json.dumps(about)} -->\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (made_by_version_0_1_0("ntknas study determinism"), False),
        (made_by_version_0_1_0("ntknas study determinism --samples 500"), True),
        ("notes of mine", True),
        (record(study()), False),
        (record(study(), units=[[8]]), False),
        (record(study(), units=[[8, 9]]), True),
        (record(study(samples=7)), True),
        (record(study(), units=7), True),
        (record(study(), units=[8]), True),
        (record(study(), settings=None), True),
        ("<!-- made from {} -->", True),
        ("<!-- made from {7 -->", True),
        ("<!-- made from {7} -->", True),
    ],
)
def test_whose_page_it_is(tmp_path, text, kept):
    (tmp_path / f"{PAGE}.md").write_text(text)
    stem = free_stem(study(), tmp_path, PAGE, "ntknas study determinism")
    assert (stem != PAGE) == kept
    assert stem.startswith(PAGE)


def test_a_page_that_is_no_text_stays(tmp_path):
    (tmp_path / f"{PAGE}.md").write_bytes(b"\xff\xfe\x00")
    assert free_stem(study(), tmp_path, PAGE, "x") != PAGE


def test_published_names_stay():
    assert usual_stem(study(), quick=False) == PAGE
    assert usual_stem(study(), quick=True) == f"{PAGE}-quick"


def test_a_source_with_dashes_does_not_end_the_comment(tmp_path, monkeypatch):
    monkeypatch.setattr(Determinism, "settings", lambda self: {"family": "a", "source": "x --> y"})
    assert "--" not in pages._record(study())
    assert json.loads(pages._record(study()))["settings"]["source"] == "x --> y"


def test_a_name_from_a_file_is_no_markup(tmp_path, monkeypatch):
    name = "set|<script>`x`](y)\x1b[2J/../z"
    monkeypatch.setattr(Determinism, "settings", lambda self: {"family": "gnn", "data": name, "parametrisation": "ntk"})
    stem = usual_stem(study(), quick=False)
    assert stem == "determinism-gnn-set-script-x-y-2J-..-z-ntk"
    verdict = Verdict(Outcome.HOLDS, (f"5 samples of {name}, slope -0.50 [-0.6, -0.4].",), {})
    findings = Findings(pd.DataFrame({"width": [1]}), {}, verdict)
    page, *_ = pages.write(study(), findings, tmp_path, stem, "ntknas study determinism", "cpu")
    (line,) = (line for line in page.read_text().splitlines() if line.startswith("- "))
    assert line == "- 5 samples of set-script-x-y-2J-..-z, slope -0.50 [-0.6, -0.4]."
