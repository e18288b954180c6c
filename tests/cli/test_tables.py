"""Tables on narrow terminals: numbers and names stay whole, and what is left out is said."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ntknas.cli.table import Table
from tests.cli.typed import ntknas, without_variables

WIDTHS = (60, 80, 120)
HEADER = ["measure", "cells", "left out", "Kendall τ [95 %]", "Spearman ρ", "top 10 %", "partial τ", "regret"]
ROWS = [
    ["lambda_max", "200", "0", "0.654 [0.514, 0.796]", "0.81", "-0.28", "–", "1.25"],
    ["class_lambda_min", "15625", "3 singular", "-0.002 [-0.014, 0.010]", "-0.01", "0.20", "0.18", "0.33"],
]


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_and_names_are_whole(width):
    shown, missing = Table(HEADER, ROWS).fitting(width)
    lines = shown.render(width).splitlines()
    assert len(lines) >= 3
    assert max(map(cell_len, lines)) <= width
    assert [*shown.header, *missing] == HEADER
    assert shown.header[0] == "measure"
    for row in shown.rows:
        (line,) = (line for line in lines if line.startswith(row[0]))
        assert all(number in line for number in row)
    assert missing if width == 60 else width == 80 or not missing


def test_columns_that_matter_least_go_first():
    shown, missing = Table(HEADER, ROWS).fitting(60, least=["left out", "top 10 %"])
    assert missing[0] == "left out"
    assert "Spearman ρ" in shown.header


def test_prose_wraps_between_words():
    table = Table(["name", "what"], [["mok", "four metrics of one kernel, BatchNorm in training mode"]], left=2)
    lines = table.render(30).splitlines()
    assert max(map(len, lines)) <= 30
    assert " ".join(line[6:].strip() for line in lines[1:]) == "four metrics of one kernel, BatchNorm in training mode"


def test_a_table_that_no_width_holds_is_wider_than_the_terminal():
    shown, missing = Table(["architecture", "n"], [["|" + "nor_conv_3x3~0|" * 6, "1"]], left=1).fitting(60)
    assert missing == ["n"]
    assert "|" + "nor_conv_3x3~0|" * 6 in shown.render(60)


WORD = st.text(alphabet="abcλ_0159.-", min_size=1, max_size=20)


@settings(deadline=None)  # how long an example takes is the machine's affair
@given(
    st.integers(20, 120),
    st.integers(1, 6).flatmap(
        lambda n: st.tuples(
            st.lists(WORD, min_size=n, max_size=n), st.lists(st.lists(WORD, min_size=n, max_size=n), max_size=4)
        )
    ),
)
def test_no_word_is_ever_split(width, content):
    header, rows = content
    shown, missing = Table(header, rows, left=2).fitting(width)
    text = shown.render(width)
    words = re.findall(r"\S+", text)
    assert sorted(words) == sorted([*shown.header, *(cell for row in shown.rows for cell in row)])
    assert len(shown.header) + len(missing) == len(header)
    assert max(map(cell_len, text.splitlines())) <= max(width, shown.narrowest)


@pytest.fixture
def terminal(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    without_variables(monkeypatch)
    monkeypatch.delenv("COLUMNS", raising=False)
    return lambda width: monkeypatch.setenv("COLUMNS", str(width))


COMMANDS = [
    ["recipe", "list"],
    ["recipe", "show", "mok"],
    ["data", "list"],
    ["bench", "list"],
    ["bench", "info", "nb201"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("width", WIDTHS)
def test_commands_on_narrow_terminals(capsys, terminal, width, arguments):
    _, wide, err = ntknas(capsys, *arguments)
    assert "Not shown" not in err
    terminal(width)
    code, out, err = ntknas(capsys, *arguments)
    assert code == 0
    known = set(re.findall(r"\S+", wide))
    assert set(re.findall(r"\S+", out)) <= known
    if "Not shown for lack of room" in err:
        assert "--json has all." in err
    else:
        assert set(re.findall(r"\S+", out)) == known


def test_what_a_file_says_does_not_reach_the_terminal_as_it_stands(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.toml").write_text(
        'title = "a\\u001b[2Jb"\nsource = "\\u202ecod"\ntext = "\\u009b"\n[score]\nmeasures = "trace"\n'
    )
    for form in ([], ["--json"]):
        code, out, err = ntknas(capsys, "recipe", "show", "evil.toml", *form)
        assert code == 0, err
        assert not {"\x1b", "\u202e", "\x9b"} & set(out)
        assert "u202ecod" in out
    (tmp_path / "wrong.toml").write_text('[score]\nmeasures = "trace"\n"\\u001b[2J" = 1\n')
    code, _, err = ntknas(capsys, "recipe", "show", "wrong.toml")
    assert code == 1
    assert "\x1b" not in err
