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
EXTRAS = {name: packages for name, packages in PROJECT["optional-dependencies"].items() if name not in {"all", "dev"}}


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
    assert "ntknas[all]" in extras["dev"]
    assert not names(PROJECT["dependencies"]) & names(package for each in EXTRAS.values() for package in each)
    assert {"ray", "pyarrow", "grakel", "mlxtend", "statsmodels", "crc32c"} <= set(absent)


def test_the_package_alone_scores_correlates_and_draws(tmp_path, absent):
    commands = [
        ["score", *SMALL, "--cells", "12", "--measures", "trace,cond,zen"],
        ["correlate", "--resamples", "0", "--plots", "pictures"],
        ["kernel", "8216", *SMALL, "--plot", "kernel.png"],
        ["store", "export", "--csv", "scores.csv"],
        ["diff", "scores.h5", "scores.h5"],
        ["bench", "list"],
        ["data", "list"],
        ["study", "constancy", "--help"],
    ]
    for command, (code, out, err) in zip(commands, without(absent, commands, tmp_path), strict=True):
        assert code == 0, (command, err)
        assert out, command
    assert list((tmp_path / "pictures").glob("*.png"))
    assert (tmp_path / "kernel.png").stat().st_size > 1000


def test_what_needs_an_extra_names_the_command_that_installs_it(tmp_path, absent):
    tfrecord = official.save_tfrecord(tmp_path / "nasbench_only108.tfrecord", [official.nb101_record(5)])
    needing = {
        "nb101": ["bench", "import", tfrecord],
        "parquet": ["store", "export", "--parquet", "scores.parquet"],
        "ray": ["score", *SMALL, "--cells", "1", "--engine", "ray"],
        "studies": ["study", "regression", "--quick", "--data", "boston"],
    }
    assert set(needing) == set(EXTRAS)
    first = ["score", *SMALL, "--cells", "1", "--measures", "trace"]
    answers = without(absent, [first, *needing.values()], tmp_path)
    assert answers[0][0] == 0
    for (extra, command), (code, _, err) in zip(needing.items(), answers[1:], strict=True):
        assert code == 1, (command, err)
        assert f"pip install 'ntknas[{extra}]'" in err, (command, err)
