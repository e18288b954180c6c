"""``ntknas measures``: a table of all, everything of one, and neither needs torch."""

import json

from ntknas.measures.reference import entries
from tests.cli.absent import without
from tests.cli.typed import ntknas


def test_all_of_them(capsys):
    code, out, _ = ntknas(capsys, "measures")
    assert code == 0
    for name, entry in entries().items():
        (line,) = (line for line in out.splitlines() if line.startswith(f"{name} "))
        assert entry.better in line


def test_one_of_them(capsys):
    code, out, _ = ntknas(capsys, "measures", "cond")
    assert code == 0
    assert out.startswith("cond: λ_1 / λ_n\n")
    assert "better: lower\n" in out
    assert "source: TE-NAS (Chen et al., ICLR 2021)\n" in out
    code, out, _ = ntknas(capsys, "measures", "tenas_rank")
    assert "made of: cond, linear_regions\n" in out


def test_as_json(capsys):
    rows = json.loads(ntknas(capsys, "measures", "--json")[1])["rows"]
    assert [row["name"] for row in rows] == list(entries())
    one = json.loads(ntknas(capsys, "measures", "cond", "--json")[1])
    assert one == next(row for row in rows if row["name"] == "cond")


def test_a_name_that_is_none(capsys):
    code, out, err = ntknas(capsys, "measures", "cnd")
    assert (code, out) == (1, "")
    assert "Did you mean 'cond'?" in err


def test_without_what_is_slow_to_import(tmp_path):
    answers = without(["torch", "pandas", "matplotlib"], [["measures"], ["measures", "vkdnw"]], tmp_path)
    assert [code for code, _, _ in answers] == [0, 0], answers
