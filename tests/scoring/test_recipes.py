"""Recipes as files, and what they make of a run."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from ntknas.benchmarks import load_benchmark, table_path
from ntknas.core.errors import ChoiceError, DataError
from ntknas.data import Request, make_probe
from ntknas.measures import expand, get_measure
from ntknas.report.figures import KernelView
from ntknas.report.plotter import draw
from ntknas.scoring import Recipe, recipe_schema
from ntknas.scoring.recipe_file import load_recipe_file, parse, recipe_names
from ntknas.spaces import load_space

MINIMAL = '[score]\nmeasures = "trace"\n'


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_package(name):
    recipe = load_recipe_file(name)
    assert all((recipe.title, recipe.source, recipe.text))
    assert "\n" not in recipe.title
    for measure in recipe.options["measures"].split(","):
        get_measure(measure.strip())
    assert set(recipe.protocol) <= {"cells", "target"}


def test_published_choices():
    """Of definitions.md, section 8."""
    names = {
        "tenas",
        "tenas-thin",
        "mok",
        "mok-eval",
        "knas-mok",
        "knas-code",
        "vilhess",
        "vilhess-code",
        "zero-cost-nas",
    }
    assert names <= set(recipe_names())
    tenas, mok, vilhess = (load_recipe_file(name) for name in ("tenas", "mok", "vilhess"))
    chosen = tenas.options_for("nb201", "cifar10")
    assert (chosen["probe_size"], chosen["seeds"], chosen["fresh_probes"]) == (72, 3, True)
    assert (chosen["batch_norm"], chosen["parameters"], chosen["init"]) == ("coupled", "weights", "kaiming-fan-out")
    sizes = [
        mok.options_for(bench, data)["probe_size"]
        for bench, data in (("nb201", "cifar10"), ("nb101", "cifar10"), ("nb201", "ImageNet16-120"))
    ]
    assert sizes == [256, 64, 512]
    assert mok.options_for("nb201", "cifar10")["variant"] == "zero-cost"
    assert mok.options_for("nb101", "cifar10")["variant"] == "official"
    assert mok.options["parameters"] == "weights-no-head"
    assert mok.protocol == {"cells": "0:1001", "target": "cifar10-valid/test/200"}
    assert load_recipe_file("mok-eval").options["batch-norm"] == "as-eval-mode"
    assert vilhess.options_for("nats-sss", "cifar100")["probe_size"] == 1000
    assert (vilhess.options["batch-norm"], vilhess.options["draw"]) == ("per-sample", "first")


@pytest.mark.parametrize("space", ["nats-sss", "nb-macro", "nb101", "nb201"])
def test_every_recipe_names_a_network_of_every_space(space):
    for name in recipe_names():
        variant = load_recipe_file(name).options_for(space, "cifar10").get("variant", "official")
        assert variant in load_space(space).variants, name


def test_a_users_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('title = "Mine"\n' + MINIMAL + "probe-size = 12\n[score.nb101]\nprobe-size = 8\n")
    recipe = load_recipe_file(str(path))
    assert (recipe.name, recipe.title) == ("mine", "Mine")
    assert recipe.options_for("nb201", "cifar10")["probe_size"] == 12
    assert recipe.options_for("nb101", "cifar10")["probe_size"] == 8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("= 3", "is not TOML"),
        ('title = "x"', r"needs a table \[score\] with measures"),
        ("[score]\nprobe-size = 3", r"needs a table \[score\] with measures"),
        (MINIMAL + "colour = 3", r"\[score\] has no key 'colour', expected some of measures"),
        (MINIMAL + "[score.nb101]\nstore = 'x'", r"\[score.nb101\] has no key 'store'"),
        ("author = 'x'\n" + MINIMAL, "recipe has no key 'author'"),
    ],
)
def test_what_is_no_recipe(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        parse("x", content, "x.toml")
    with pytest.raises(ChoiceError, match="Unknown recipe 'moc'.*Did you mean 'mok'"):
        load_recipe_file("moc")
    with pytest.raises(DataError, match="Cannot read the recipe none.toml"):
        load_recipe_file("none.toml")


def test_paths_may_be_strings_and_names_may_be_paths(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    assert load_recipe_file(path) == load_recipe_file(str(path))
    assert table_path("nb101", "folder") == table_path("nb101", Path("folder"))
    assert (
        load_benchmark("nb201", folder=str(tmp_path)).tables.keys()
        == load_benchmark("nb201", folder=None).tables.keys()
    )
    assert Request(root=str(tmp_path)) == Request(root=tmp_path)
    view = KernelView("t", np.eye(2), None, np.ones(2), 0.0)
    assert draw(view, str(tmp_path / "a")) == tmp_path / "a.png"


def test_options_of_recipes_are_options_of_the_command():
    from ntknas.cli.score import command

    names = {name.removeprefix("--") for parameter in command.params for name in parameter.opts}
    assert set(recipe_schema.SCORE) <= names


def test_groups_of_measures():
    recipe = Recipe(measures=expand(["trace", "regression", "class_lambda_min", "snip", "naswot"]))
    assert [(group.kind, group.output, group.measures) for group in recipe.groups()] == [
        ("kernel", "sum", ("trace",)),
        ("regression", "sum", ("krr_acc", "krr_mse")),
        ("kernel", "label", ("class_lambda_min",)),
        ("network", "network", ("snip",)),
        ("network", "network", ("naswot",)),
    ]
    assert recipe.needs_held_out
    assert not Recipe(measures=("trace",)).needs_held_out
    assert set(expand(["all"])) >= set(expand(["kernel", "baselines", "regression"]))


def test_fresh_probes():
    request = Request(seed=5)
    fresh = make_probe("digits", 12, request, "random", "crop-flip", fresh=True)
    plain = make_probe("digits", 12, request, "random", "crop-flip")
    assert torch.equal(fresh.images, plain.images)
    assert plain.of_seed(3) is plain
    assert torch.equal(fresh.of_seed(0).images, fresh.images)
    assert fresh.of_seed(1).hash == make_probe("digits", 12, Request(seed=6), "random", "crop-flip").hash
    assert fresh.with_held_out(request).of_seed(1).held_out.hash == plain.with_held_out(request).held_out.hash
    assert (fresh.describe()["fresh"], plain.describe()["fresh"]) == (1, 0)


def test_fresh_probes_travel_to_other_processes():
    fresh = make_probe("digits", 12, Request(seed=5), "random", "crop-flip", fresh=True)
    assert pickle.loads(pickle.dumps(fresh)).of_seed(2).hash == fresh.of_seed(2).hash != fresh.hash


def test_held_out_probes_are_of_the_test_split():
    probe = make_probe("digits", 40, Request()).with_held_out(Request())
    assert len(probe.held_out) == 40
    assert probe.held_out.hash == make_probe("digits", 40, Request(split="test")).hash != probe.hash
    noise = make_probe("noise", 20, Request()).with_held_out(Request())
    assert not torch.equal(noise.images, noise.held_out.images)
    assert make_probe("digits", 40, Request()).hash == probe.hash


def test_the_first_images_of_each_class():
    from ntknas.data import load_images

    images = load_images("digits", Request())
    probe = make_probe("digits", 20, Request(), "first")
    for label in range(10):
        places = (images.labels == label).nonzero()[0][:2]
        assert torch.equal(probe.images[2 * label : 2 * label + 2], images.take(places))
    assert make_probe("digits", 20, Request(seed=9), "first").hash == probe.hash


def test_more_images_than_there_are():
    assert len(make_probe("digits", 3000, Request(), "replacement")) == 3000
