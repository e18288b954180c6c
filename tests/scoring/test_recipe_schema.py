"""Recipes of odd types: what is wrong is said with recipe, table, key, expected and got."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ntknas.core.errors import DataError
from ntknas.scoring.recipe_file import load_recipe_file, parse
from tests.cli.test_commands import SMALL, fails

SCORE = "[score]\nmeasures = 'trace'\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            SCORE + "probe-size = '64'",
            "x.toml, [score]: probe-size must be a whole number from 1 to 2147483647, got the",
        ),
        (SCORE + "probe-size = true", "[score]: probe-size must be a whole number from 1 to 2147483647, got true"),
        (SCORE + "probe-size = 64.0", "[score]: probe-size must be a whole number from 1 to 2147483647, got 64.0"),
        (SCORE + "probe-size = [64]", "[score]: probe-size must be a whole number from 1 to 2147483647, got an array"),
        (SCORE + "probe-size = {a = 1}", "probe-size must be a whole number from 1 to 2147483647, got a table"),
        (SCORE + "probe-size = 1979-05-27", "got a date or time"),
        (SCORE + "probe-size = 0", "got 0."),
        (
            SCORE + "seeds = 18446744073709551616",
            "seeds must be a whole number from 1 to 2147483647, got 18",
        ),
        (SCORE + "seeds = -1", "got -1."),
        (SCORE + f"seeds = {'9' * 400}", "got a number of 1329 bits"),
        (SCORE + f"seeds = {'9' * 5000}", "is not TOML"),
        (SCORE + "seeds = " + "[" * 5000 + "]" * 5000, "is not TOML"),
        (SCORE + "learning-rate = nan", "learning-rate must be a finite number, got nan"),
        (SCORE + "learning-rate = -inf", "learning-rate must be a finite number, got -inf"),
        (SCORE + "learning-rate = 1" + "0" * 400, "learning-rate must be a finite number, got a number of 1329 bits"),
        (SCORE + "learning-rate = true", "learning-rate must be a finite number, got true"),
        (SCORE + "nesterov = 1", "nesterov must be true or false, got 1"),
        (SCORE + "nesterov = 'false'", "nesterov must be true or false, got the text 'false'"),
        ("[score]\nmeasures = ['trace']", "measures must be a text, got an array"),
        ("[score]\nmeasures = 3", "measures must be a text, got 3"),
        (SCORE + "[score.nb101]\nseeds = 'x'", "x.toml, [score.nb101]: seeds must be a whole number"),
        (SCORE + "[score.nb101.deeper]\nseeds = 2", "[score.nb101] has no key 'deeper'"),
        (SCORE + "[protocol]\ncells = 3", "x.toml, [protocol]: cells must be a text, got 3"),
        (SCORE + "[protocol]\nsplit = 'x'", "[protocol] has no key 'split'"),
        ("protocol = 3\n" + SCORE, "protocol must be a table [protocol], got 3"),
        ("title = 3\n" + SCORE, "x.toml, recipe: title must be a text, got 3"),
        ("score = 3", "needs a table [score]"),
        (SCORE + "probe-sise = 3", "has no key 'probe-sise', expected some of"),
        (SCORE + "probe-sise = 3", "Did you mean 'probe-size'"),
    ],
)
def test_what_is_of_another_kind(content: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        parse("x", content, "x.toml")
    assert message in str(error.value)


def test_a_byte_order_mark_is_none_of_the_recipe(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SCORE.encode() + b"seeds = 3\r\n")
    assert load_recipe_file(str(path)).options == {"measures": "trace", "seeds": 3}


def test_only_regular_files_of_a_size_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    (tmp_path / "large.toml").write_bytes(b"#" * (1 << 18) + b"\n")
    (tmp_path / "folder.toml").mkdir()
    for name, message in (
        ("pipe", "it is a named pipe"),
        ("zero", "it is a device"),
        ("large", "it holds more than"),
        ("folder", "it is a folder"),
    ):
        with pytest.raises(DataError, match=f"Cannot read the recipe .*{name}.toml: {message}"):
            load_recipe_file(str(tmp_path / f"{name}.toml"))


def test_a_value_that_the_option_cannot_have_is_said_with_its_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(SCORE + "draw = 'balancd'")
    message = fails(capsys, "score", *SMALL, "--cells", 1, "--recipe", "mine.toml")
    assert "The recipe mine.toml: draw: 'balancd' is not one of" in message
