"""``ntknas bench import --as``: a table of one's own is a benchmark like any other, for every command."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from ntknas import load_space
from tests.cli.test_commands import fails, ntknas

SPACE = load_space("nb201")
CELLS = range(100, 140)
RNG = np.random.default_rng(0)
LATENCY = np.append(RNG.random(39) * 20, -1)
OWN = ("--as", "phone", "--space", "nb201", "--quantity", "latency", "--unit", "ms", "--lower-is-better")


@pytest.fixture(autouse=True)
def _files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"arch_str": [str(SPACE[cell]) for cell in CELLS], "pixel9": LATENCY, "watt": RNG.random(40)})
    table.to_csv("phone.csv", index=False)
    pd.DataFrame({"index": CELLS, "mine": RNG.random(40)}).to_csv("mine.csv", index=False)


@pytest.fixture
def phone(capsys):
    """The table, imported."""
    more = ("--column", "pixel9", "--missing", -1, "--measured-on", "Pixel 9")
    code, out, err = ntknas(capsys, "bench", "import", "phone.csv", *OWN, *more)
    assert code == 0, err
    return out, err


def test_it_is_imported(phone):
    out, err = phone
    assert "phone.h5: 1 target of 39 cells. phone.csv is not needed any more." in out
    assert "Next: ntknas bench info phone" in out
    assert "the table holds 39 of the 15,625 cells" in err


def test_bench_knows_it(capsys, phone):
    listed = json.loads(ntknas(capsys, "bench", "list", "--json")[1])
    assert {row["benchmark"] for row in listed["benchmarks"]} >= {"phone", "nb201", "nb-suite-zero"}
    shown = json.loads(ntknas(capsys, "bench", "info", "phone", "--json")[1])
    assert (shown["benchmark"], shown["space"]) == ("phone", "nb201")
    out = ntknas(capsys, "bench", "info", "phone")[1]
    assert "cifar10/pixel9" in out
    assert "latency (ms)" in out
    assert "phone.h5: as it was written" in ntknas(capsys, "bench", "verify", "phone")[1]
    answer = ntknas(capsys, "bench", "query", "phone", str(SPACE[103]))[1]
    assert f"{LATENCY[3]:.4f} ms" in answer
    assert "Pixel 9" in answer
    assert "phone holds no value of cell 139 for cifar10/pixel9" in fails(capsys, "bench", "query", "phone", 139)


def test_a_changed_byte_is_found(capsys, tmp_path, phone):
    table = tmp_path / "bench_data" / "phone.h5"
    content = bytearray(table.read_bytes())
    content[-1] ^= 1
    table.write_bytes(bytes(content))
    assert "has changed since it was written" in fails(capsys, "bench", "verify", "phone")


def test_scores_are_correlated_with_it_in_its_direction(capsys, phone):
    code, out, err = ntknas(capsys, "correlate", "--scores", "mine.csv", "--bench", "phone", "--resamples", 0, "--json")
    assert code == 0, err
    row = next(row for row in json.loads(out)["rows"] if row["measure"] == "mine")
    mine = pd.read_csv("mine.csv")["mine"].to_numpy()
    assert row["kendall"]["value"] == pytest.approx(kendalltau(mine[:-1], -LATENCY[:-1]).statistic, abs=1e-12)


def test_it_stands_for_scores_in_its_direction(capsys, phone):
    """Its name in place of a file of scores."""
    code, out, err = ntknas(capsys, "correlate", "--scores", "phone", "--resamples", 0, "--json")
    assert code == 0, err
    from_name = next(row for row in json.loads(out)["rows"] if row["measure"] == "pixel9")
    options = ("--measures", "pixel9", "--lower-is-better", "pixel9", "--missing", -1)
    out = ntknas(capsys, "correlate", "--scores", "phone.csv", *options, "--resamples", 0, "--json")[1]
    from_file = next(row for row in json.loads(out)["rows"] if row["measure"] == "pixel9")
    assert from_name["kendall"]["value"] == from_file["kendall"]["value"]


def test_accuracies_in_row_order_are_taken_with_a_note(capsys):
    pd.DataFrame({"acc": RNG.random(len(SPACE))}).to_csv("all.csv", index=False)
    code, out, err = ntknas(capsys, "correlate", "--scores", "mine.csv", "--accuracies", "all.csv", "--resamples", 0)
    assert code == 0, err
    assert "no column names its cells: its 15,625 rows are taken for the cells of nb201" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--as", "phone", "--space", "nb9"), "Unknown space 'nb9'"),
        (("--as", "nb201", "--space", "nb201"), "nb201 is the name of a benchmark"),
        (("--as", "x/y", "--space", "nb201"), "Not a name of a table: 'x/y'"),
        (("--as", "phone", "--space", "nb201", "--column", "none"), "it has no column 'none' of values: it has pixel9"),
        (("--as", "phone", "--space", "nb201", "--cell-column", "x"), "no column 'x', which --cell-column asks for"),
        (("--as", "phone", "--space", "nb201", "--dataset", "a/b"), "--dataset 'a/b' is no name of a target"),
        (("--as", "phone", "--space", "nats-sss"), "line 2, column 'arch_str'"),
    ],
)
def test_options_that_are_wrong(capsys, tmp_path, arguments, message):
    assert message in fails(capsys, "bench", "import", "phone.csv", *arguments)
    assert not (tmp_path / "bench_data").exists()


def test_a_table_that_is_no_official_file(capsys, tmp_path):
    message = fails(capsys, "bench", "import", "phone.csv")
    assert "it is none of the official files" in message
    assert "if it is a table of your own, say so with --as and --space" in message
    assert not (tmp_path / "bench_data").exists()


def test_no_file(capsys, tmp_path):
    assert "No such file: none.csv" in fails(capsys, "bench", "import", "none.csv", *OWN)
    assert not (tmp_path / "bench_data").exists()


def test_targets_that_are_there_are_not_replaced_unasked(capsys, tmp_path, phone):
    before = (tmp_path / "bench_data" / "phone.h5").read_bytes()
    message = fails(capsys, "bench", "import", "phone.csv", *OWN)
    assert "phone.h5 holds cifar10/pixel9 already; to read it again, give --replace" in message
    assert (tmp_path / "bench_data" / "phone.h5").read_bytes() == before
    assert ntknas(capsys, "bench", "import", "phone.csv", *OWN, "--replace")[0] == 0
    assert "cifar10/watt" in ntknas(capsys, "bench", "info", "phone")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scores", "phone2"), "No such file: phone2, and no benchmark of this name. --scores takes a CSV file"),
        (("--scores", "nb-suite-zero"), "nb-suite-zero is not there yet: expected bench_data/nb-suite-zero.h5"),
        (("--scores", "phone", "--measures", "ntk"), "phone has none of the scores ntk on cifar10: it has pixel9"),
        (("--scores", "phone", "--dataset", "cifar100"), "phone has no scores on cifar100: it holds cifar10/pixel9"),
        (("--scores", "phone.txt"), "No such file: phone.txt"),
    ],
)
def test_names_of_scores_that_are_wrong(capsys, phone, arguments, message):
    assert message in fails(capsys, "correlate", *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bench", "import", "phone.csv", "--space", "nb201"), "--space is of a table of your own, which --as names"),
        (("bench", "import", "phone.csv", "--missing", "-1"), "--missing is of a table of your own"),
        (("bench", "import", "phone.csv", "--column", "pixel9"), "--column is of a table of your own"),
        (
            (
                "bench",
                "import",
                "phone.csv",
                "--lower-is-better",
            ),
            "--lower-is-better is of a table of your own",
        ),
        (("bench", "import", "phone.csv", "--as", "phone"), "--as needs --space"),
        (
            ("bench", "import", "phone.csv", "--as", "phone", "--space", "nb201", "--bench", "nb201"),
            "--bench says which official file FILE is",
        ),
        (
            ("correlate", "--scores", "phone", "--missing", "-1"),
            "--missing is of a file of scores: the table of phone knows",
        ),
    ],
)
def test_options_that_do_not_go_together(capsys, phone, arguments, message):
    code, _, err = ntknas(capsys, *arguments)
    assert code == 2
    assert message in err
