"""``ntknas report`` as a user types it: what it refuses, and what it leaves as it was."""

import pytest

from ntknas.spaces import load_space
from tests.cli.absent import without
from tests.cli.typed import ntknas
from tests.correlation import stores

CELLS = range(0, 300, 10)


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fails(capsys, *arguments):
    code, out, err = ntknas(capsys, "report", *arguments)
    assert (code, out) == (1, "")
    return err


def test_what_is_not_there_is_said_and_a_page_that_is_there_stays(capsys, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    assert "No score store at scores.h5" in fails(capsys)
    (tmp_path / "a.json").write_text("{")
    assert "Cannot read a.json: it is no JSON" in fails(capsys, "a.json")
    stores.fill(tmp_path / "scores.h5", ["trace"], CELLS)
    assert "No such file: none.md" in fails(capsys, "--also", "none.md", "--resamples", 0, "--population", "all")
    assert "Unknown measure of these scores" in fails(capsys, "--measures", "cond", "--resamples", 0)
    assert (tmp_path / "report.html").read_text() == "mine"


def test_a_population_that_has_too_few_cells_is_named_and_the_others_are_shown(capsys, tmp_path):
    space = load_space("nb201")
    dead = [cell for cell in range(2000) if space.is_disconnected(space[cell])][:4]
    living = [cell for cell in range(2000) if not space.is_disconnected(space[cell])][:8]
    stores.fill(tmp_path / "scores.h5", ["trace"], [*dead, *living])
    populations = ["--population", "all", "--population", "connected"]
    code, out, err = ntknas(capsys, "report", *populations, "--resamples", 0, "--out", "pages/one.html")
    assert code == 0
    assert "population connected is not shown" in err
    assert "population connected is not shown" in (tmp_path / "pages/one.html").read_text()


def test_without_its_packages_the_extra_is_named_and_help_needs_neither_them_nor_torch(tmp_path):
    stores.fill(tmp_path / "scores.h5", ["trace"], CELLS)
    for absent in ("jinja2", "plotly"):
        answers = without([absent, "torch"], [["report", "--help"], ["report"]], tmp_path)
        assert [code for code, *_ in answers] == [0, 1]
        assert "ntknas[report]" in answers[1][2]


def test_a_page_of_a_store_whose_probe_is_not_drawn_needs_no_torch(tmp_path):
    stores.fill(tmp_path / "scores.h5", ["trace"], CELLS)
    (answer,) = without(["torch"], [["report", "--resamples", "0", "--population", "all"]], tmp_path)
    assert answer[0] == 0, answer
    assert (tmp_path / "report.html").stat().st_size > 1_000_000
