"""Seeds of a network's own: no weights in common, equal networks still equal, old settings as they were."""

import hashlib
import json
import pickle
from dataclasses import replace

import pytest
import torch

from ntknas import empirical_ntk, load_store, measure
from ntknas.cli.main import run as command
from ntknas.core.cases import NetworkCase
from ntknas.correlation.names import kernel_names
from ntknas.scoring import Training
from ntknas.scoring.cell_kernel import cell_network
from ntknas.scoring.inputs import inputs_of
from ntknas.scoring.shards import Shard
from ntknas.spaces.nb201 import identity
from ntknas.store.frame import settings_of
from ntknas.training import Trainer, TrainingImages, TrainingOptions
from tests.scoring.sessions import PROBE, SMALL, SPACE, TINY, by_key, recipe, score

IMAGES = TrainingImages("digits", TINY, 60)
SHARED = SMALL
OWN = replace(SHARED, independent_seeds=True)


def own_seed(cell, seed):
    network = identity.class_representatives("weights")[cell]
    return int.from_bytes(hashlib.sha256(b"%d/%d" % (seed, network)).digest()[:4], "little")


def scored(path, cells, options=OWN, *, epochs=None, checkpoints=None, keep=False, measures=("trace",), **more):
    """Score networks with seeds of their own, trained or not."""
    training = epochs and Training(IMAGES, TrainingOptions(batch_size=25), epochs, checkpoints, keep=keep)
    return score(path, cells, recipe(*measures, network=options), training=training, **more)


def values(result):
    return by_key(result)["value"]


def _twins():
    """Two connected cells that are one network at initialisation."""
    weights = identity.class_representatives("weights")
    return next((r, i) for i, r in enumerate(weights) if r != i and not SPACE.is_disconnected(i))


def test_scores_are_those_of_networks_that_are_built_from_their_own_seed(tmp_path):
    cells = [*_twins(), 284, 8216]
    measures = ("trace", "naswot", "linear_regions")  # the last draws inputs of its own
    stored = values(scored(tmp_path / "s.h5", cells, seeds=(0, 3), measures=measures))
    for cell in cells:
        for seed in (0, 3):
            network = SPACE.build(cell, seed=own_seed(cell, seed), channels=2, cells_per_stage=1)
            kernel = empirical_ntk(network, PROBE.images)
            assert measure("trace", kernel).value == pytest.approx(stored[cell, seed, "trace"], rel=1e-5)
            case = NetworkCase(network, PROBE.images, PROBE.labels, own_seed(cell, seed))
            for name in measures[1:]:
                assert measure(name, case).value == pytest.approx(stored[cell, seed, name], rel=1e-5)
    one, other = _twins()
    assert [stored[one, seed, "trace"] for seed in (0, 3)] == [stored[other, seed, "trace"] for seed in (0, 3)]


def test_networks_have_no_weights_in_common():
    def parts(options, cell):
        network = cell_network(SPACE, cell, 0, "cifar10", options, PROBE.images)
        return [network.stem[0].weight, network.classifier.weight]

    for a, b in zip(parts(SHARED, 284), parts(SHARED, 8216), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(parts(OWN, 284), parts(OWN, 8216), strict=True):
        assert not torch.isclose(a, b).any()


def test_other_processes_and_later_runs_know_the_seeds(tmp_path):
    cells = [*_twins(), 284, 5555]
    alone = scored(tmp_path / "alone.h5", cells)
    job = pickle.loads(pickle.dumps(inputs_of(SPACE, cells, recipe=recipe(network=OWN), probe=PROBE).job))
    assert [job.recipe.network.seed(job.space, cell, 0) for cell in cells] == [own_seed(cell, 0) for cell in cells]
    assert len(alone.frame) == len(cells)
    assert scored(tmp_path / "alone.h5", cells).summary.kernels_computed == 0
    assert scored(tmp_path / "alone.h5", cells, SHARED).summary.kernels_computed > 0


def test_both_are_told_apart_by_name(tmp_path):
    for options in (OWN, SHARED):
        scored(tmp_path / "s.h5", [284], options)
    names = kernel_names(settings_of(load_store(tmp_path / "s.h5")))
    assert sorted(names.values()) == ["sum/frozen/weights/independent", "sum/frozen/weights/shared"]


def test_twins_that_are_scored_one_after_the_other_are_equal(tmp_path):
    one, other = _twins()
    assert scored(tmp_path / "s.h5", [one]).summary.kernels_computed == 1
    assert scored(tmp_path / "s.h5", [other]).summary.kernels_computed == 0
    assert load_store(tmp_path / "s.h5")["value"].nunique() == 1


def test_shards_score_what_the_whole_scores(tmp_path):
    cells = [*_twins(), 284, 5555]
    whole = values(scored(tmp_path / "whole.h5", cells))
    parts = [Shard(number, 2).cells(SPACE, recipe(network=OWN), cells) for number in (1, 2)]
    for number, part in enumerate(parts):
        shard = values(scored(tmp_path / f"{number}.h5", part))
        assert shard.equals(whole[whole.index.isin(part, level="cell")])


def test_a_network_trains_from_where_it_was_measured(tmp_path):
    """A cell that is another's twin at initialisation and not after training has one seed all the same."""
    weights, trained = (identity.class_representatives(name) for name in ("weights", "all"))
    cell = next(i for i, r in enumerate(weights) if r != i and trained[i] == i and not SPACE.is_disconnected(i))
    frame = scored(tmp_path / "s.h5", [cell], epochs=(0, 1)).frame
    traces = frame[frame["measure"] == "trace"]
    settings = settings_of(traces)
    stored = {settings[row["setting"]].epoch: row["value"] for _, row in traces.iterrows()}
    network = SPACE.build(cell, seed=own_seed(cell, 0), channels=2, cells_per_stage=1)
    assert measure("trace", empirical_ntk(network, PROBE.images)).value == pytest.approx(stored[0], rel=1e-5)
    Trainer(network, IMAGES, TrainingOptions(batch_size=25), 0, 1).train_epoch()
    assert measure("trace", empirical_ntk(network, PROBE.images)).value == pytest.approx(stored[1], rel=1e-3)


def test_checkpoints_of_shared_seeds_are_not_taken_up(tmp_path):
    def trained(folder, options, epochs):
        store, kept = tmp_path / f"{folder}-{options.independent_seeds}.h5", {"checkpoints": tmp_path / folder}
        result = scored(store, [284], options, epochs=epochs, keep=True, **kept)
        return result.frame.set_index("measure")["value"]["train_loss"]

    assert trained("alone", OWN, (1,)) == trained("alone", OWN, (1,))
    trained("both", SHARED, (1,))
    assert trained("both", OWN, (1,)) == trained("alone", OWN, (1,))


def test_the_command_and_a_recipe_may_ask_for_them(tmp_path, capsys):
    file = tmp_path / "own.toml"
    file.write_text('title = "t"\nsource = "s"\ntext = "x"\n[score]\nmeasures = "trace"\nindependent-seeds = true\n')
    size = ["--probe", "digits", "--probe-size", "8", "--channels", "2", "--cells-per-stage", "1", "--cells", "2"]
    stores = {"option": ["--independent-seeds", "--measures", "trace"], "recipe": ["--recipe", str(file)]}
    for name, options in stores.items():
        assert command(["score", *size, *options, "--store", str(tmp_path / f"{name}.h5")]) == 0
    frames = [load_store(tmp_path / f"{name}.h5") for name in stores]
    assert [set(frame["cell_seeds"]) for frame in frames] == [{"independent"}] * 2
    assert frames[0]["value"].equals(frames[1]["value"])
    cell, value = frames[0]["cell"].iloc[0], frames[0]["value"].iloc[0]
    capsys.readouterr()
    assert command(["kernel", str(cell), *size[:-2], "--independent-seeds", "--json"]) == 0
    shown = {row["measure"]: row["value"] for row in json.loads(capsys.readouterr().out)["measures"]}
    assert shown["trace"] == pytest.approx(value, rel=1e-6)
