"""A package of somebody else's adds measures by its entry point alone."""

import json
import os
import sys
from pathlib import Path

import pytest

from ntknas.core.errors import ChoiceError
from ntknas.spaces import load_space, space_names
from tests.cli.absent import without
from tests.cli.typed import ntknas

PACKAGE = Path(__file__).parents[1] / "example_package"
SCORE = "score --probe digits --probe-size 10 --channels 2 --cells-per-stage 1 --cells 12".split()


CORRELATE = "correlate --json --resamples 0".split()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Runs commands in a process that has some packages; returns code, output and messages of each."""

    def run(packages, *commands):
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*map(str, packages), *sys.path]))
        return without((), commands, tmp_path)

    return run


def test_its_measures_are_scored_and_correlated_and_still_are_when_it_has_gone(installed):
    (code, _, err), correlated = installed([PACKAGE], [*SCORE, "--measures", "diagonal_spread,depth,trace"], CORRELATE)
    assert code == 0, err
    (gone,) = installed([], CORRELATE)
    for (code, out, err), measures in ((correlated, {"diagonal_spread", "depth", "trace"}), (gone, {"trace"})):
        assert code == 0, err
        assert measures <= {row["measure"] for row in json.loads(out)["rows"]}


def test_without_the_package_there_are_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = ntknas(capsys, *SCORE, "--measures", "diagonal_spread")
    assert code == 1
    assert "Unknown measure 'diagonal_spread'" in err


MEASURE = """
from ntknas.measures import Need, register
@register({name!r}, formula="1", better="lower", source="a test", needs=(Need.KERNEL,))
def {function}(kernel): return 1.0
"""
DERIVED = """
from ntknas.measures import register_derived
@register_derived("of_rests", inputs=("trace",), formula="1", better="lower", source="a test")
def f(trace): return trace
"""
BROKEN = {
    "imports": ("import nothing_of_the_kind", "", "ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
    "exits": ("raise SystemExit(0)", "", "it exits while it is imported"),
    "raises": ("raise BaseException('\\x1b[2Jodd')", "", r"BaseException: \x1b[2Jodd"),
    "unlike": ("x = (", "", "SyntaxError"),
    "lacks": (MEASURE.format(name="of_lacks", function="f"), ":missing", "AttributeError"),
    "twice": (MEASURE.format(name="twice", function="f") * 2, "", "a measure 'twice' exists already"),
    "ours": (MEASURE.format(name="trace", function="f"), "", "a measure 'trace' exists already"),
    "grouped": (MEASURE.format(name="kernel", function="f"), "", "'kernel' stands for several measures"),
    "spaced": (MEASURE.format(name="a b", function="f"), "", "a measure's name has no spaces"),
    "rests": (DERIVED + "1 / 0", "", "ZeroDivisionError: division by zero"),
    "half": (MEASURE.format(name="of_half", function="f") + "1 / 0", "", "ZeroDivisionError: division by zero"),
}


def _package(folder, name, code, points):
    """Make an installed package of one module."""
    (folder / f"theirs_{name}.py").write_text(code)
    info = folder / f"theirs_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: theirs-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)


def test_packages_at_fault_cost_themselves_alone_by_name(tmp_path, installed):
    for name, (code, attribute, _) in BROKEN.items():
        _package(tmp_path, name, code, f"[ntknas.measures]\n{name} = theirs_{name}{attribute}\n")
    good, half = ([*SCORE, "--measures", measures] for measures in ("diagonal_spread,trace", "of_half"))
    scored, correlated, refused = installed([tmp_path, PACKAGE], good, CORRELATE, half)
    code, _, messages = scored
    assert code == 0, messages
    for name, (*_, reason) in BROKEN.items():
        (line,) = (line for line in messages.splitlines() if f"package theirs-{name} ({name}) is left out" in line)
        assert reason in line
    assert "of_rests" not in {row["measure"] for row in json.loads(correlated[1])["rows"]}
    code, _, messages = refused
    assert code == 1
    assert "Unknown measure 'of_half'" in messages.splitlines()[-1]
    assert "The package theirs-half (half) is left out" in messages.splitlines()[-1]


SPACES = {
    "imports": ("import nothing_of_the_kind", "make", "ModuleNotFoundError"),
    "exits": ("def make(): raise SystemExit(0)", "make", "it exits while it is imported"),
    "raises": ("def make(): 1 / 0", "make", "ZeroDivisionError"),
    "lacks": ("", "make", "AttributeError"),
    "thing": ("make = dict", "make", "what it makes is no space, name, defaults"),
}


@pytest.mark.parametrize("name", list(SPACES))
def test_spaces_of_packages_at_fault(tmp_path, monkeypatch, name):
    code, attribute, reason = SPACES[name]
    _package(tmp_path, f"space_{name}", code, f"[ntknas.spaces]\n{name} = theirs_space_{name}:{attribute}\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert name in space_names()
    with pytest.raises(ChoiceError, match=rf"The package theirs-space_{name} \({name}\) is left out: .*{reason}"):
        load_space(name)


def test_a_package_that_is_installed_later_is_found(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    assert "later" not in space_names()
    _package(tmp_path, "later", "", "[ntknas.spaces]\nlater = theirs_later:make\n")
    assert "later" in space_names()


def test_a_space_that_two_packages_name_and_one_named_as_ours(tmp_path, monkeypatch):
    for package in ("one", "two"):
        _package(tmp_path, package, "make = dict", f"[ntknas.spaces]\nsame = theirs_{package}:make\n")
    _package(tmp_path, "three", "make = dict", "[ntknas.spaces]\nnb201 = theirs_three:make\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ChoiceError, match="Several packages name a space 'same': theirs-one and theirs-two"):
        load_space("same")
    assert len(load_space("nb201")) == 15625
