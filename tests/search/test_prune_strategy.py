"""The strategy that prunes: one training, whose cell took seconds to find; and what it needs."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ntknas import load_space
from ntknas.core.errors import ChoiceError, DataError
from ntknas.data.image_set import Request
from ntknas.data.probe_options import ProbeOptions
from ntknas.data.sources import load_images
from ntknas.search import Objective, Problem, all_strategies, search
from ntknas.search.checks import check_strategy
from ntknas.search.objective import Level
from ntknas.search.problem import Search
from ntknas.search.pruning import PruneSettings
from ntknas.search.strategies.prune import images_of, own_images, prune
from ntknas.search.trace import follow
from tests.cli.typed import ntknas

SETTINGS = PruneSettings(batch=2, repeats=1, channels=1, crop_batches=1, crops=10, pruned_per_round=3)


def problem(space, reported="cifar10/test/200"):
    values = np.arange(len(space), dtype=float)
    level = Level("valid", values[:, None], seconds=np.full(len(space), 100.0))
    return Problem(space, Objective((level,), reported, values), 5)


@pytest.fixture(scope="module")
def space():
    return load_space("nb201")


def test_it_trains_the_cell_that_is_left_and_counts_the_seconds_of_finding_it(space):
    noise = load_images("noise", Request(size=4, image_size=4))
    strategy = prune(SETTINGS, images=lambda _: noise)
    one = Search(problem(space), seed=1)
    trace = follow(strategy, one)
    assert len(trace.cells) == 1
    assert "none" not in space[trace.cells[0]].operations
    assert trace.found == [float(trace.cells[0])]
    assert one.scoring_seconds > 0
    assert trace.seconds == [pytest.approx(100 + one.scoring_seconds)]


def test_beside_other_strategies_it_searches_three_times(space, monkeypatch):
    cheap = replace(all_strategies()["prune"], propose=all_strategies()["random"].propose)
    strategies = {**all_strategies(), "prune": cheap}
    monkeypatch.setattr("ntknas.search.comparison.get_strategy", strategies.__getitem__)
    result = search(problem(space), ["prune", "random"], seeds=12)
    assert {name: len(traces) for name, traces in result.traces.items()} == {"prune": 3, "random": 12}
    assert len(result.found("prune", 1)) == 3
    assert result.tests(1) == []  # three are too few for a test


def test_it_says_what_it_needs_and_that_it_computes(space):
    strategy = all_strategies()["prune"]
    assert strategy.computes
    assert [name for name, one in all_strategies().items() if one.computes] == ["prune"]
    check_strategy(strategy, problem(space), has_score=False)
    with pytest.raises(ChoiceError, match="prunes a supernet"):
        check_strategy(strategy, problem(load_space("nats-sss")), has_score=False)


def test_images_are_those_of_the_reported_data_set(space, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for reported in ("cifar10/test/200", "cifar10-valid/valid/200", "cifar100/test/200", "ImageNet16-120/test/200"):
        with pytest.raises(DataError, match="image_data"):
            own_images(problem(space, reported))
    with pytest.raises(ChoiceError, match="jigsaw"):
        own_images(problem(space, "jigsaw/top1"))


@pytest.mark.parametrize(("dataset", "size", "classes"), [("cifar100", 32, 100), ("ImageNet16-120", 16, 120)])
def test_images_are_what_the_probe_names(dataset, size, classes):
    noise = images_of(dataset, ProbeOptions("noise", seed=3), SETTINGS)
    assert (len(noise) >= 10, noise.num_classes, noise.take(np.arange(2)).shape[2:]) == (True, classes, (size, size))
    assert len(images_of(dataset, ProbeOptions("noise"))) >= 3000
    assert len(images_of(dataset, ProbeOptions("digits", split="test"))) == 359


def test_the_command_prunes_with_the_images_that_it_names(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = "search --strategy prune --budget 2 --searches 1 --at 1".split()
    code, _, err = ntknas(capsys, *command, "--probe", "cifar10")
    assert (code, "image_data" in err, "--probe digits" in err) == (1, True, True)
    monkeypatch.setattr("ntknas.search.pruning.run.PruneSettings", lambda: SETTINGS)
    code, out, _ = ntknas(capsys, *command, "--probe", "digits", "--dataset", "ImageNet16-120", "--json")
    assert code == 0
    assert [one["strategy"] for one in json.loads(out)["standings"]].count("prune") == 1


def test_with_the_real_images(space, test_data, tmp_path, monkeypatch):
    (tmp_path / "image_data").symlink_to(test_data)
    monkeypatch.chdir(tmp_path)
    assert (len(own_images(problem(space))), own_images(problem(space)).num_classes) == (4000, 10)
