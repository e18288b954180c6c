"""Tables on narrow terminals: numbers and names stay whole, and what is left out is said."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ntknas.cli.output import print_table
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


LONG = ["sum/frozen/weights/" + "independent" * 9, "sum/frozen/all/" + "independent" * 9, "mean/eval/weights"]


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_are_shortened_and_numbers_never(width):
    """Of 150 letters of kernel no terminal has room: τ stays, whole, and names tell rows apart as before."""
    rows = [[row[0], kernel, *row[1:]] for row in ROWS for kernel in LONG]
    table = Table([HEADER[0], "kernel", *HEADER[1:]], rows, left=2)
    shown, missing, is_shortened = table.narrowed(width, keep=["kernel", "Kendall τ [95 %]"])
    assert is_shortened
    assert [name for name in table.header if name not in missing] == list(shown.header)
    assert {"measure", "kernel", "Kendall τ [95 %]"} <= set(shown.header)
    assert len(missing) < 6 if width == 120 else missing
    lines = shown.render(width).splitlines()
    assert max(map(cell_len, lines)) <= width
    place = shown.header.index("Kendall τ [95 %]")
    assert [row[place] for row in shown.rows] == [row[4] for row in rows]
    assert len({tuple(row[:2]) for row in shown.rows}) == len(rows)
    for row, whole in zip(shown.rows, rows, strict=True):
        assert len(row[1]) < len(whole[1]) or row[1] == whole[1] == LONG[2]
        assert sum(line.split()[:2] == list(row[:2]) and row[place] in line for line in lines) == 1


def test_a_printed_table_says_that_names_are_shortened(capsys, terminal):
    header, rows = ["measure", "kernel", *HEADER[1:]], [[row[0], LONG[0], *row[1:]] for row in ROWS]
    print_table("", header, rows, left=2, keep=["kernel", "Kendall τ [95 %]"])
    assert LONG[0] in capsys.readouterr().out
    terminal(60)
    print_table("", header, rows, left=2, keep=["kernel", "Kendall τ [95 %]"])
    out, err = capsys.readouterr()
    assert all(row[3] in out for row in ROWS)
    assert "Names are shortened for lack of room. A wider terminal shows all, and so does a file." in err
    assert "Not shown for lack of room: cells" in err


def test_names_stay_whole_where_leaving_columns_out_makes_room():
    table = Table(["measure", "kernel", *HEADER[1:]], [[row[0], LONG[2], *row[1:]] for row in ROWS], left=2)
    shown, missing, is_shortened = table.narrowed(80, keep=["kernel", "Kendall τ [95 %]"])
    assert (shown, missing) == table.fitting(80, keep=["kernel", "Kendall τ [95 %]"])
    assert missing
    assert not is_shortened


def test_names_that_would_read_alike_are_numbered():
    names = ["a" * 30 + middle + "z" * 30 for middle in "xyx"] + ["漢" * 40]
    shown = Table(["name", "n"], [[name, "1.5"] for name in names]).shortened(20)
    first, second, again, wide = (row[0] for row in shown.rows)
    assert first == again != second
    assert (first[-2:], second[-2:]) == ("…1", "…2")
    assert max(map(cell_len, (first, second, wide))) <= 15
    assert all("1.5" in line for line in shown.render(20).splitlines()[1:])
    narrow = Table(["name", "n"], [[names[0], "1" * 30]]).shortened(10)
    assert narrow.rows == [["aaaa…zzzz", "1" * 30]]


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
