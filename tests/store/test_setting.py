"""A setting is what is stored; its typed parts are read from that."""

import pandas as pd
import pytest

from ntknas import load_store
from ntknas.core.choices import Choices
from ntknas.core.errors import StoreError
from ntknas.core.score import Score
from ntknas.correlation.names import kernel_names
from ntknas.store import ScoreRecord, ScoreStore, Setting
from ntknas.store.frame import settings_of
from ntknas.store.identity import NetworkIdentity, ProbeIdentity, TrainingIdentity, Versions

NETWORK = NetworkIdentity(16, 5, "official", "xavier", "independent")
PROBE = ProbeIdentity("ab" * 32, "digits", "10x3x12x14", "random", 3, "crop-flip", "none", 1, "test")
CHOICES = Choices("label", "coupled", "all", "cosine", "float64")
TRAINING = TrainingIdentity({"steps_an_epoch": 7, "learning_rate": 0.1, "of_later": [1, {"a": None}]})


def setting(**changed):
    parts = {"space": "s", "dataset": "cifar10", "num_classes": 10, "network": NETWORK, "choices": CHOICES.as_dict()}
    return Setting.of(**{**parts, "probe": PROBE, "versions": Versions(1, 2, 3), "held_out_hash": "cd", **changed})


def test_the_parts_are_those_that_it_was_made_of():
    made = Setting.from_fields(setting().fields)
    assert (made.space, made.dataset, made.num_classes, made.held_out_hash) == ("s", "cifar10", 10, "cd")
    assert (made.network, made.probe, made.versions) == (NETWORK, PROBE, Versions(1, 2, 3))
    assert made.kernel == CHOICES
    assert (made.output, made.batch_norm, made.parameters, made.normalisation, made.precision) == (
        *("label", "coupled", "all", "cosine", "float64"),
    )
    assert (made.epoch, made.training) == (0, None)
    assert made.network.has_independent_seeds
    assert (made.probe.size, made.probe.image_size) == (10, 14)


def test_training_is_told_from_what_stays():
    at_start, trained = setting(), setting().after(TRAINING, 4)
    assert (trained.epoch, trained.training) == (4, TRAINING)
    assert trained.training.steps_per_epoch == 7
    assert trained.fields["training_of_later"] == [1, {"a": None}]
    assert trained.digest != at_start.digest
    assert trained.at_initialisation == at_start
    assert at_start.at_initialisation.digest == at_start.digest


@pytest.mark.parametrize("output", ["network", "training", "of-a-later-version", None])
def test_there_is_no_kernel_where_none_was_taken(output):
    choices = {"output": output} if output else {}
    made = setting(choices=choices)
    assert made.kernel is None
    assert made.output == output


def test_what_a_setting_does_not_say_is_none():
    bare = Setting.from_fields({"space": "s", "dataset": "d", "channels": None, "mine": {"deep": [1.5]}})
    assert bare.network == NetworkIdentity()
    assert (bare.probe, bare.versions, bare.num_classes) == (ProbeIdentity(), Versions(), None)
    assert (bare.probe.size, bare.probe.image_size) == (None, None)
    assert bare.fields["mine"] == {"deep": [1.5]}


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"channels": "16"}, "channels is '16', expected an integer"),
        ({"channels": True}, "channels is True, expected an integer"),
        ({"epoch": 1.5}, "epoch is 1.5, expected an integer"),
        ({"probe_shape": 5}, "probe_shape is 5, expected a text"),
        ({"space": None}, "space is None, expected a text"),
        ({"cell_seeds": 1}, "cell_seeds is 1, expected a text"),
        ({"measure": "x"}, "'measure', which is a column"),
    ],
)
def test_a_field_of_another_type_is_refused(field, message):
    with pytest.raises(ValueError, match=message):
        Setting.from_fields({**setting().fields, **field})


def test_making_one_that_no_store_can_hold_is_an_error_to_act_on():
    with pytest.raises(StoreError, match="Scores cannot be stored: a setting's space is 5"):
        setting(space=5)


@pytest.fixture
def scores(tmp_path):
    with ScoreStore.open(tmp_path / "s.h5") as store:
        run = store.add_run({})
        settings = [setting(), setting().after(TRAINING, 2), setting(num_classes=3, held_out_hash=None)]
        for made in settings:
            store.append(ScoreRecord(store.add_setting(made), run, 1, 0, 0.1, {"trace": Score("trace", 1.0)}))
        store.compact()
    return load_store(tmp_path / "s.h5"), {made.digest: made for made in settings}


def test_the_settings_of_a_table_are_those_of_its_store(scores):
    frame, settings = scores
    assert settings_of(frame) == settings
    assert settings_of(frame[frame["epoch"] == 2]).keys() == {d for d, made in settings.items() if made.epoch}


def test_the_columns_say_the_settings_where_the_rest_is_lost(scores):
    frame, settings = scores
    bare = pd.concat([frame, frame.assign(seed=1)]).astype({"epoch": float})
    bare.attrs = {}
    for digest, made in settings_of(bare).items():
        assert {**made.fields, "training_of_later": None} == {**settings[digest].fields, "training_of_later": None}


def test_plain_scores_have_no_settings():
    assert settings_of(pd.DataFrame({"cell": [1], "value": [2.0]})) == {}
    assert settings_of(pd.DataFrame({"cell": [1], "value": [2.0], "setting": "given"})) == {}


def test_a_field_that_some_settings_lack_names_a_kernel_only_where_the_others_disagree():
    """As of version 0.1.0: one measure's version does not stand in the name of every kernel."""
    first, other = setting(versions=Versions(1, 2)), setting(versions=Versions(1, 2, 2), held_out_hash=None)
    third = setting(versions=Versions(1, 2, 3), held_out_hash=None)
    names = kernel_names({made.digest: made for made in (first, other)})
    assert set(names.values()) == {"label/coupled/all/held-out", "label/coupled/all"}
    names = kernel_names({made.digest: made for made in (first, other, third)})
    assert set(names.values()) == {"label/coupled/all/nan/held-out", "label/coupled/all/2", "label/coupled/all/3"}


def test_regressions_on_other_held_out_images_have_other_names():
    first = setting(held_out_hash="11112222333344445555")
    other = setting(held_out_hash="aaaabbbbccccddddeeee")
    names = kernel_names({made.digest: made for made in (setting(), first, other)})
    assert len(set(names.values())) == 3
    assert names[first.digest].endswith("/held-out/11112222")
    assert names[other.digest].endswith("/held-out/aaaabbbb")
    assert kernel_names({first.digest: first})[first.digest].endswith("/held-out")
