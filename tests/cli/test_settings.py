"""Options from settings files and variables: which wins, which a found file may decide, what is wrong with one."""

import json

import click
import pytest

from ntknas import load_store
from ntknas.cli.kinds import Choice, Finite, TrustedOption
from ntknas.core.options import MAX_SEED
from tests.cli.typed import SMALL, commands, ntknas, without_variables


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    (tmp_path / "work" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    without_variables(monkeypatch)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def split_of(capsys, *arguments):
    """Return the split that ``bench query`` takes, and standard error."""
    code, out, err = ntknas(capsys, *arguments, "bench", "query", "nb201", "0", "--dataset", "cifar10-valid", "--json")
    return (json.loads(out)["target"].split("/")[1] if code == 0 else None), err


def test_settings_come_from_option_variable_file_default_in_this_order(capsys, tmp_path, monkeypatch):
    def images(*given):
        (tmp_path / "work/scores.h5").unlink(missing_ok=True)
        code, _, err = ntknas(capsys, "score", "--cells", 1, "--measures", "trace", *given)
        assert code == 0, err
        return load_store("scores.h5")["probe_shape"].iloc[0].split("x")[0]

    write(
        tmp_path / "work/ntknas.toml",
        '[score]\nprobe = "digits"\nchannels = 2\ncells-per-stage = 1\nprobe_size = 11\n',
    )
    assert images() == "11"
    monkeypatch.setenv("NTKNAS_SCORE_PROBE_SIZE", "12")
    assert images() == "12"
    assert images("--probe-size", 13) == "13"


def test_the_named_file_wins_over_the_found_one_and_that_over_the_users_own(capsys, tmp_path, monkeypatch):
    own = write(tmp_path / "config/ntknas/ntknas.toml", '[bench.query]\nsplit = "valid"\nepochs = 200\n')
    split, err = split_of(capsys)
    assert split == "valid"
    assert f"Options from {own}: bench query --split, --epochs." in err
    found = write(tmp_path / "work/ntknas.toml", '[bench.query]\nsplit = "nothing"\n')
    split, err = split_of(capsys)
    assert split is None
    assert f"--split is from {found}, [bench.query] split" in err
    monkeypatch.chdir(tmp_path / "work/below")
    assert f"Options from {found}: bench query --split." in split_of(capsys)[1]
    named = write(tmp_path / "named.toml", '[bench.query]\nsplit = "valid"\n')
    split, err = split_of(capsys, "--config", named)
    assert split == "valid"
    assert str(found) not in err
    monkeypatch.setenv("NTKNAS_CONFIG", str(named))
    assert split_of(capsys)[0] == "valid"


def test_a_file_with_a_byte_order_mark_is_read(capsys, tmp_path):
    (tmp_path / "work/ntknas.toml").write_bytes(b'\xef\xbb\xbf[bench.query]\nsplit = "valid"\n')
    assert split_of(capsys)[0] == "valid"


def test_a_recipe_with_a_byte_order_mark_is_read(capsys, tmp_path):
    (tmp_path / "work/mine.toml").write_bytes(b'\xef\xbb\xbf[score]\nmeasures = "trace"\n')
    assert ntknas(capsys, "recipe", "show", "mine.toml")[0] == 0


HARMLESS = {  # text, paths and flags that only read, choose or print
    *"bench dataset measures cells cells-file epochs init variant probe image-data bench-data train-images".split(),
    *"device workers shard target column accuracies vary data widths alphas recipe setting space sort".split(),
    *"fresh-probes nesterov mixed-precision independent-seeds keep-checkpoints keep-kernels quick".split(),
    *"json csv compare dry-run split worst mixed cell-column contraction perturb kernel-of given".split(),
    *"score scores lower-is-better intervals combine way seeds stand-in published spectra".split(),
    *"checkpoint quantity unit measured-on title choose report strategy scored-only at without-benchmark list".split(),
}
WRITING = {"bench import --bench-data", "data fetch --image-data", "store export --csv"}
RUNNING = {
    f"{command} --space" for command in ("score", "kernel", "track-kernel", "sensitivity", "correlate", "bench import")
}


def test_every_option_says_whether_a_found_file_may_decide_it():
    """A new option of text, a path or a flag has to be put into ``HARMLESS``, or be a ``TrustedOption``."""
    for command, option in ((c, o) for c, body in commands() for o in body.params if isinstance(o, click.Option)):
        if isinstance(option.type, click.Choice | click.types.IntParamType | click.types.FloatParamType):
            continue
        name = option.opts[-1].removeprefix("--")
        trusted = name not in HARMLESS or f"{command} --{name}" in WRITING | RUNNING
        assert isinstance(option, TrustedOption) == trusted, f"{command} --{name}"


TRUSTED = {
    "a file to run": ("kernel", 'model = "theirs.py:make"', ["kernel"]),
    "a file to write over": ("score", 'store = "/home/user/thesis.h5"', ["score", *SMALL]),
    "an address to connect to": ("score", 'ray-address = "ray://far.example:1"', ["score", *SMALL]),
    "an engine that connects": ("score", 'engine = "ray"', ["score", *SMALL]),
    "a download": ("score", "download = true", ["score", "--cells", "1"]),
    "a folder to fill": ("data.fetch", 'image-data = "/home/user"', ["data", "fetch", "mnist"]),
    "a page to write over": ("study", "replace = true", ["study", "constancy", "--quick"]),
}


@pytest.mark.parametrize("name", list(TRUSTED))
def test_a_found_file_does_not_run_write_or_connect(capsys, tmp_path, name):
    table, line, arguments = TRUSTED[name]
    path = write(tmp_path / "work/ntknas.toml", f"[{table}]\n{line}\n")
    code, out, err = ntknas(capsys, *arguments)
    assert (code, out) == (1, "")
    key = line.split(" ")[0]
    assert f"{path}, [{table}] {key} is not taken" in err
    assert f"ntknas --config {path} {arguments[0]}" in err


def test_such_options_are_taken_from_a_file_that_was_named_and_the_command_line_wins(capsys, tmp_path):
    path = write(tmp_path / "work/ntknas.toml", '[score]\nstore = "theirs.h5"\ncells = 1\nmeasures = "trace"\n')
    assert ntknas(capsys, "--config", path, "score", *SMALL)[0] == 0
    assert len(load_store("theirs.h5")) == 1
    assert ntknas(capsys, "score", *SMALL, "--store", "mine.h5")[0] == 0
    assert len(load_store("mine.h5")) == 1
    write(tmp_path / "config/ntknas/ntknas.toml", path.read_text().replace("theirs", "own"))
    path.unlink()
    assert ntknas(capsys, "score", *SMALL)[0] == 0
    assert len(load_store("own.h5")) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[score\n", "Cannot read"),
        ("[paint]\nx = 1\n", "one table for each command"),
        ("[scor]\nx = 1\n", "Did you mean 'score'"),
        ("[bench.qery]\nx = 1\n", "got 'bench.qery'. Did you mean 'query'"),
        ("x = 1\n", "one table"),
        ("[score]\nprob = 'digits'\n", "Did you mean 'probe'"),
        ("[bench.query]\nsplt = 'test'\n", "[bench.query]"),
        ("[kernel]\nplot = true\n", "expected text, got True"),
        ("[score]\ndownload = 'yes'\n", "expected true or false, got 'yes'"),
        ("[score]\nprobe_size = '64'\n", "probe_size: expected a whole number, got '64'"),
        ("[score]\nprobe-size = 1.5\n", "probe-size: expected a whole number, got 1.5"),
        ("[score]\nprobe-size = true\n", "expected a whole number, got True"),
        ("[score]\nlearning-rate = nan\n", "expected a number, got nan"),
        ("[score]\nlearning-rate = '0.1'\n", "expected a number, got '0.1'"),
        ("[score]\nprobe = 1979-05-27\n", "expected text or a number, or a list of them"),
        ("[score]\nmeasures = [['trace']]\n", "expected text or a number, or a list of them"),
        ("[score]\nmeasures = []\n", "expected text or a number, or a list of them"),
        ("[score]\noutput = ['sum']\n", "expected text, got ['sum']"),
        ("[score]\nstore = 5\n", "expected text, got 5"),
        ("[score]\nprobe = {a = 1}\n", "expected text or a number"),
        ("[score]\nprobe-size = 8\nprobe_size = 9\n", "probe_size and probe-size are one"),
        ("[score]\ndraw = 'all'\n", ""),
    ],
)
def test_a_settings_file_that_is_wrong(capsys, tmp_path, text, message):
    path = write(tmp_path / "work/ntknas.toml", text)
    code, _, err = ntknas(capsys, "bench", "info", "nb201")
    assert code == (1 if message else 0)
    assert message in err
    assert str(path) in err or not message


def test_a_value_that_its_option_refuses_is_reported_with_where_it_is_from(capsys, tmp_path, monkeypatch):
    path = write(tmp_path / "work/ntknas.toml", "[score]\ndraw = 'balancd'\n")
    code, _, err = ntknas(capsys, "score", *SMALL)
    assert code == 2
    assert "Did you mean 'balanced'?" in err
    assert f"The value is from {path}, [score] draw." in err
    path.unlink()
    monkeypatch.setenv("NTKNAS_SCORE_PROBE_SIZE", "many")
    code, _, err = ntknas(capsys, "score")
    assert code == 2
    assert "The value is from the variable NTKNAS_SCORE_PROBE_SIZE." in err
    monkeypatch.setenv("NTKNAS_SCORE_PROBE_SIZE", "10")
    monkeypatch.setenv("NTKNAS_SCORE_PROBE", "digit")
    code, _, err = ntknas(capsys, "score")
    assert code == 1
    assert "Did you mean 'digits'?" in err
    assert "--probe is from the variable NTKNAS_SCORE_PROBE" in err


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a" * (2 << 20), b"[" * 100_000], ids=["bytes", "large", "deep"])
def test_a_named_file_that_is_none(capsys, tmp_path, content):
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    code, _, err = ntknas(capsys, "--config", path, "bench", "list")
    assert code == 1
    assert f"Cannot read {path}" in err


def test_lists_and_numbers_in_the_settings_file(capsys, tmp_path):
    write(tmp_path / "work/ntknas.toml", '[score]\nmeasures = ["trace", "cond"]\ncells = 2\nprobe = "digits"\n')
    code, _, err = ntknas(capsys, "score", *SMALL)
    assert code == 0, err
    assert set(load_store("scores.h5")["measure"]) == {"trace", "cond"}


def test_flags_and_repeatable_options_in_the_settings_file(capsys, tmp_path, monkeypatch):
    assert ntknas(capsys, "score", *SMALL, "--cells", 5, "--measures", "trace")[0] == 0
    path = write(tmp_path / "work/ntknas.toml", '[correlate]\njson = true\ndataset = "cifar100"\nresamples = 0\n')
    assert list(json.loads(ntknas(capsys, "correlate")[1])["targets"]) == ["cifar100/valid/200"]
    path.unlink()
    monkeypatch.setenv("NTKNAS_CORRELATE_JSON", "1")
    assert json.loads(ntknas(capsys, "correlate")[1])["rows"]


def test_variables_of_groups_and_variables_that_are_misspelt(capsys, monkeypatch):
    monkeypatch.setenv("NTKNAS_BENCH_QUERY_SPLIT", "valid")
    monkeypatch.setenv("NTKNAS_TRACEBACK", "")
    split, err = split_of(capsys)
    assert split == "valid"
    assert err == ""
    monkeypatch.setenv("NTKNAS_SCORE_PROBESIZE", "10")
    monkeypatch.setenv("NTKNAS_SCROE_DRAW", "first")
    _, err = split_of(capsys)
    assert "NTKNAS_SCORE_PROBESIZE is no option's and is ignored. Did you mean 'NTKNAS_SCORE_PROBE_SIZE'?" in err
    assert "NTKNAS_SCROE_DRAW is no option's and is ignored. Did you mean 'NTKNAS_SCORE_DRAW'?" in err


def test_help_shows_the_value_of_a_settings_file(capsys, tmp_path):
    write(tmp_path / "work/ntknas.toml", "[score]\nprobe-size = 77\nstore = 'theirs.h5'\n")
    code, out, _ = ntknas(capsys, "score", "--help")
    assert code == 0
    assert "77" in out


def test_every_name_is_proposed_and_every_number_bounded():
    for command, body in commands():
        for parameter in body.params:
            where = f"{command} {parameter.opts[-1]}"
            if isinstance(parameter.type, click.Choice):
                assert isinstance(parameter.type, Choice), where
            if isinstance(parameter.type, click.types.IntParamType):
                assert isinstance(parameter.type, click.IntRange), where
                assert parameter.type.max is not None, where
                assert parameter.type.max <= MAX_SEED, where
            if isinstance(parameter.type, click.types.FloatParamType):
                assert isinstance(parameter.type, Finite), where


@pytest.mark.parametrize("value", [2**64, 2**63, 10**30, -1])
@pytest.mark.parametrize("option", ["--cells-seed", "--probe-seed"])
def test_seeds_that_no_generator_takes(capsys, option, value):
    code, _, err = ntknas(capsys, "score", *SMALL, f"{option}={value}")
    assert code == 2
    assert f"{value} is not in the range 0<=x<={MAX_SEED}" in err


@pytest.mark.parametrize("option", ["--cells-seed", "--probe-seed"])
def test_the_largest_seed(capsys, option):
    code, _, err = ntknas(capsys, "score", *SMALL, "--cells", 1, "--measures", "trace", option, MAX_SEED)
    assert code == 0, err


def test_folders_that_cannot_be_looked_into_and_a_relative_home_of_settings(capsys, tmp_path, monkeypatch):
    write(tmp_path / "work/ntknas/ntknas.toml", '[bench.query]\nsplit = "nothing"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", ".")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert ntknas(capsys, "bench", "query", "nb201", "0", "--dataset", "cifar10-valid", "--split", "valid")[0] == 0
    whole = type(tmp_path).is_file

    def is_file(path):
        if path.name == "ntknas.toml":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(type(tmp_path), "is_file", is_file)
    assert (
        split_of(capsys, "--config", write(tmp_path / "named.toml", '[bench.query]\nsplit = "valid"\n'))[0] == "valid"
    )
    assert ntknas(capsys, "bench", "info", "nb201")[0] == 0
