"""What needs no network needs no torch, and an error of a name or a place is at once: it needs no pandas either.

The commands run in one process in which these packages cannot be imported.
"""

import pytest

from tests.cli.absent import without

TARGETS = ["--target", "cifar10-valid/valid/200", "--target", "cifar100/valid/200"]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store of some cells."""
    from ntknas.core.score import Score
    from ntknas.store import ScoreRecord, ScoreStore, Setting

    path = tmp_path_factory.mktemp("scored") / "scores.h5"
    fields = {"space": "nb201", "dataset": "cifar10", "output": "sum", "batch_norm": "frozen"}
    fields |= {"parameters": "weights", "normalisation": "none", "num_classes": 10, "channels": 16}
    setting = Setting.from_fields(fields | {"cells_per_stage": 5, "probe_shape": "10x3x32x32"})
    with ScoreStore.open(path) as opened:
        digest = opened.add_setting(setting)
        run = opened.add_run({"recipe": "custom"})
        for cell in range(0, 1200, 100):
            scores = {"trace": Score("trace", 1.0 + cell % 7), "cond": Score("cond", 2.0 + cell % 11)}
            opened.append(ScoreRecord(digest, run, cell, 0, 0.1, scores))
        opened.compact()
    return path


def test_commands_without_networks(tmp_path, store):
    commands = [
        ["--help"],
        ["score", "--help"],
        ["recipe", "list"],
        ["recipe", "show", "mok"],
        ["data", "list"],
        ["bench", "list"],
        ["bench", "info", "nb201"],
        ["bench", "query", "nb201", "0", "--dataset", "cifar10-valid", "--split", "valid"],
        ["store", "info", str(store)],
        ["correlate", str(store), "--resamples", "0"],
        ["correlate", str(store), "--resamples", "200", "--compare", "--json"],
        ["pareto", str(store), *TARGETS, "--resamples", "200", "--budget", "3"],
        ["diff", str(store), str(store)],
    ]
    for command, (code, out, err) in zip(commands, without(["torch"], commands, tmp_path), strict=True):
        assert code == 0, (command, err)
        assert out, command


ERRORS = {
    "No score store at none.h5": ["correlate", "none.h5"],
    "No score store at no.h5": ["store", "info", "no.h5"],
    "No score store at a.h5": ["diff", "a.h5", "b.h5"],
    "No score store at p.h5": ["pareto", "p.h5", *TARGETS],
    "Unknown image source 'nope'": ["score", "--probe", "nope"],
    "Unknown image source 'nop'": ["score", "--probe", "digits", "--train-images", "nop"],
    "Unknown space 'nb2O1'": ["score", "--bench", "nb2O1"],
    "Unknown data set 'cifar'": ["score", "--dataset", "cifar"],
    "Unknown recipe 'mokk'": ["score", "--recipe", "mokk"],
    "Cannot read the recipe none.toml": ["score", "--recipe", "none.toml"],
    "Cannot read the cells file none.txt": ["score", "--cells-file", "none.txt"],
    "Unknown initialisation 'kaiming'": ["score", "--init", "kaiming"],
    "Unknown measure 'cnd'": ["score", "--measures", "cnd"],
    "--measures names none": ["score", "--measures", ""],
    "--cells must be 'all' or a number": ["score", "--cells", "some", "--probe", "digits"],
    "Unknown device 'cuad'": ["score", "--device", "cuad"],
    "No folder none": ["score", "--store", "none/scores.h5"],
    "No CIFAR-10 images": ["score", "--probe", "cifar10"],
    "image_data/cifar-10-batches-py/data_batch_1": ["track-kernel", "--probe", "cifar10"],
    "image_data/cifar-100-python/train": ["score", "--recipe", "mok", "--dataset", "cifar100"],
    "ImageNet16-120 is missing": ["sensitivity", "--probe", "ImageNet16-120"],
    "With internet, add --download": ["track-kernel", "--recipe", "mok-track"],
    "There is no file mine.py": ["kernel", "--model", "mine.py:make"],
    "--model expects FILE.py:function": ["kernel", "--model", "mine"],
    "got 15625": ["kernel", "15625", "--probe", "digits"],
    "Unknown space 'nats'": ["track-kernel", "--bench", "nats"],
    "Unknown data set 'mnist'": ["sensitivity", "--dataset", "mnist"],
    "got 'cells'": ["sensitivity", "--cells", "cells", "--probe", "digits"],
    "Unknown choice to vary 'size'": ["sensitivity", "--vary", "size", "--probe", "digits"],
    "Unknown benchmark 'nb21'": ["bench", "info", "nb21"],
    "No such command 'scroe'": ["scroe"],
    "'constency' is not one of": ["study", "constency"],
}


def test_errors_of_names_and_places(tmp_path, store):
    errors = ERRORS | {"No such file: no.csv": ["correlate", str(store), "--accuracies", "no.csv"]}
    answers = without(["torch", "pandas", "scipy", "matplotlib", "rich"], list(errors.values()), tmp_path)
    for (message, command), (code, _, err) in zip(errors.items(), answers, strict=True):
        assert code in (1, 2), (command, err)
        assert message in err, (command, err)


PROPOSED = {
    "score": ["scor"],
    "query": ["bench", "qurey"],
    "fetch": ["data", "fetsh"],
    "info": ["store", "inf"],
    "list": ["recipe", "lst"],
    "constancy": ["study", "constency"],
    "kernel": ["score", "--measures", "kernal"],
    "baselines": ["score", "--measures", "baseline"],
    "cond": ["score", "--measures", "COND"],
    "kaiming-fan-in": ["score", "--init", "kaiming-fan"],
    "digits": ["score", "--probe", "digit"],
    "ImageNet16-120": ["score", "--dataset", "imagenet16-120"],
    "mok-trained": ["score", "--recipe", "mok-train"],
    "frozen": ["score", "--batch-norm", "frosen"],
    "cuda": ["score", "--device", "cuad"],
    "nb201": ["kernel", "0", "--bench", "NB201"],
    "nats-sss": ["bench", "info", "nats-ssss"],
    "transformer": ["study", "constancy", "--family", "transfomer"],
}


def test_the_nearest_name_is_proposed(tmp_path):
    answers = without(["torch", "pandas"], list(PROPOSED.values()), tmp_path)
    for (name, command), (code, _, err) in zip(PROPOSED.items(), answers, strict=True):
        assert code in (1, 2), (command, err)
        assert f"id you mean {name!r}?" in err, (command, err)
