"""A space of one's own in one file: run, tried, known by its name, and read again in other processes."""

import pickle
import subprocess
import sys

import pytest

from ntknas.core.errors import ChoiceError, DataError
from ntknas.spaces import ContractError, load_space, load_space_file, own_file, space_names
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "own-space.md"
SOURCE = next(block.text for block in blocks(PAGE) if "class Chains" in block.text)


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    monkeypatch.setattr(own_file, "_FILES", {})


@pytest.fixture
def written(tmp_path):
    """Return what writes a file and names the space in it."""

    def write(text=SOURCE, name="Chains"):
        (tmp_path / "chains.py").write_text(text)
        return f"{tmp_path / 'chains.py'}:{name}"

    return write


def test_the_file_of_the_documentation_is_a_space(written):
    assert "chains" not in space_names()
    space = load_space_file(written())
    assert load_space("chains") is space
    assert "chains" in space_names()
    assert len(space) == 16
    assert str(space[5]) == "conv1x1-conv1x1"


def test_an_object_and_a_function_will_do(written):
    text = f"{SOURCE}\n\nmade = Chains()\n\n\ndef make():\n    return made\n"
    assert load_space_file(written(text, "made")).name == load_space_file(written(text, "make")).name == "chains"


def test_what_lies_beside_the_file_is_imported(written, tmp_path):
    (tmp_path / "beside_chains.py").write_text("NAME = 'beside'\n")
    text = SOURCE.replace('name = "chains"', "from beside_chains import NAME as name")
    assert load_space_file(written(text)).name == "beside"
    assert str(tmp_path) not in sys.path


WRONG = {
    "no file": (None, "Chains", DataError, "There is no file"),
    "no such name": (SOURCE, "Chain5", DataError, "has no 'Chain5': it has Chain, Chains"),
    "no space": (SOURCE, "Chain", DataError, "raised TypeError"),
    "another thing": ("def make():\n    return 3\n", "make", DataError, "makes no space but a int: name"),
    "no Python": ("def (:\n", "Chains", DataError, "cannot be run: SyntaxError"),
    "it exits": ("raise SystemExit(3)\n", "Chains", DataError, "cannot be run: SystemExit"),
    "our name": (SOURCE.replace('name = "chains"', 'name = "nb201"'), "Chains", ChoiceError, "named 'nb201', as"),
    "another network each time": (
        SOURCE.replace("spec.init, spec.seed", "spec.init, id(layers)"),
        "Chains",
        ContractError,
        "two networks of one seed differ",
    ),
    "it raises where it is tried": (
        SOURCE.replace("ntk = spec.init", "raise KeyError('here')\n        ntk = spec.init"),
        "Chains",
        DataError,
        "raised KeyError where it was tried",
    ),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_what_is_wrong_is_said(written, tmp_path, name):
    text, made, error, message = WRONG[name]
    place = written(text, made) if text else f"{tmp_path / 'none.py'}:{made}"
    with pytest.raises(error, match=message):
        load_space_file(place)


def test_it_travels_by_its_file(written, tmp_path):
    place = written()
    load_space_file(place)
    (tmp_path / "file").write_bytes(pickle.dumps(own_file.file_of("chains")))
    read = "import pickle; print(str(pickle.load(open('file', 'rb')).space[3]))"
    done = subprocess.run([sys.executable, "-c", read], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "skip-conv5x5\n"


def test_a_space_that_is_not_known_says_how_a_file_is_named():
    with pytest.raises(ChoiceError, match=r"FILE\.py:NAME"):
        load_space("chains")
