"""``pip install ntknas`` alone scores, correlates and draws; what an extra is for names the extra."""

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.benchmarks import official
from tests.cli.absent import without
from tests.cli.typed import SMALL

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
EXTRAS = {
    name: packages
    for name, packages in PROJECT["optional-dependencies"].items()
    if packages and name not in {"all", "dev", "docs"}  # parquet is empty: what it installed, everybody has
}


def names(requirements):
    """Names of packages, as an index writes them."""
    return {re.split(r"[<>=\[ ]", text)[0].lower().replace("_", "-") for text in requirements}


def modules_of(requirements):
    """What packages are imported as."""
    wanted = names(requirements)
    return sorted(
        module
        for module, packages in packages_distributions().items()
        if wanted & {package.lower().replace("_", "-") for package in packages}
    )


@pytest.fixture(scope="module")
def absent():
    """The modules of all extras."""
    return modules_of(package for packages in EXTRAS.values() for package in packages)


def test_all_holds_every_extra_and_no_extra_is_needed_by_all(absent):
    extras = PROJECT["optional-dependencies"]
    assert set(re.search(r"\[(.*)\]", extras["all"][0])[1].split(",")) == set(EXTRAS)
    assert "ntknas[all,docs]" in extras["dev"]
    assert not names(PROJECT["dependencies"]) & names(package for each in EXTRAS.values() for package in each)
    assert {"ray", "grakel", "mlxtend", "statsmodels", "crc32c"} <= set(absent)


ALONE = [
    ["score", *SMALL, "--cells", "12", "--measures", "trace,cond,zen"],
    ["correlate", "--resamples", "0", "--plots", "pictures"],
    ["kernel", "8216", *SMALL, "--plot", "kernel.png"],
    ["store", "export", "--csv", "scores.csv"],
    ["store", "export", "--parquet", "scores.parquet"],
    ["diff", "scores.h5", "scores.h5"],
    ["bench", "list"],
    ["data", "list"],
    ["study", "constancy"],  # on digits, since the package of its own data is absent
]
NEEDING = {
    "hf": ["kernel", "--model", "hf:vit", "--probe", "digits"],
    "nb101": ["bench", "import", "nasbench_only108.tfrecord"],
    "report": ["report", "scores.h5"],
    "ray": ["score", *SMALL, "--cells", "1", "--engine", "ray"],
    "search": ["search", "--strategy", "tpe", "--searches", "1"],
    "timm": ["kernel", "--model", "timm:resnet18", "--probe", "digits"],
    "studies": ["study", "regression", "--quick", "--data", "boston"],
}


@pytest.fixture(scope="module")
def answers(absent, tmp_path_factory):
    """The folder, and what the commands above answer there, in one process without the extras."""
    folder = tmp_path_factory.mktemp("alone")
    official.save_tfrecord(folder / "nasbench_only108.tfrecord", [official.nb101_record(5)])
    return folder, without(absent, [*ALONE, *NEEDING.values()], folder)


def test_the_package_alone_scores_correlates_and_draws(answers):
    folder, answered = answers
    for command, (code, out, err) in zip(ALONE, answered, strict=False):
        assert code == 0, (command, err)
        assert out, command
    assert list((folder / "pictures").glob("*.png"))
    assert (folder / "kernel.png").stat().st_size > 1000
    assert "digits serve instead. For boston: pip install 'ntknas[studies]'" in answered[len(ALONE) - 1][2]
    page = (folder / "studies/constancy-mlp-digits-standard-quick.md").read_text(encoding="utf-8")
    assert "Made by `ntknas study constancy --quick --data digits`" in page


def test_what_needs_an_extra_names_the_command_that_installs_it(answers):
    assert set(NEEDING) == set(EXTRAS) - {"official"}  # its packages make objects that the library is given
    for (extra, command), (code, _, err) in zip(NEEDING.items(), answers[1][len(ALONE) :], strict=True):
        assert code == 1, (command, err)
        assert f"pip install 'ntknas[{extra}]'" in err, (command, err)
