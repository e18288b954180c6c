"""The trainer makes the published steps, the same ones every time, and can be stopped in between."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ntknas import load_space
from ntknas.core.errors import ChoiceError, DataError
from ntknas.data import Request
from ntknas.data.augmentation import augment
from ntknas.training import DivergedError, Trainer, TrainingImages, TrainingOptions, trainer
from ntknas.training.checkpoint import Checkpoint, CheckpointError

IMAGES = TrainingImages("digits", Request(image_size=12), 100)
SPACE = load_space("nb201")


def network(seed=0, cell=11234):
    return SPACE.build(cell, seed=seed, channels=2, cells_per_stage=1).double()


def parameters(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"nesterov": True, "label_smoothing": 0.1},
        {"schedule": "cosine", "weight_decay": 0.01, "augmentation": "none"},
        {"momentum": 0.0},
    ],
)
def test_steps_are_those_of_the_formula(options):
    chosen = TrainingOptions(batch_size=40, learning_rate=0.1, **options)
    model, plain = network(), network()
    training = Trainer(model, IMAGES, chosen, seed=3, epochs=4)
    for _ in range(2):
        training.train_epoch()
    _by_hand(plain, chosen, epochs=2, of=4)
    torch.testing.assert_close(parameters(model), parameters(plain), rtol=1e-9, atol=1e-12)
    assert (training.epoch, training.step) == (2, 6)


def _by_hand(model, options, epochs, of):
    """SGD in its formula, parameter by parameter."""
    velocity = {}
    step = 0
    for epoch in range(epochs):
        for images, labels in IMAGES.batches(options.batch_size, options.augmentation, 3, epoch):
            cosine = (1 + np.cos(np.pi * step / (of * 3))) / 2 if options.schedule == "cosine" else 1.0
            model.zero_grad()
            loss = F.cross_entropy(model(images.double()), labels, label_smoothing=options.label_smoothing)
            loss.backward()
            for name, parameter in model.named_parameters():
                if parameter.grad is None:
                    continue
                gradient = parameter.grad + options.weight_decay * parameter.detach()
                velocity[name] = options.momentum * velocity[name] + gradient if name in velocity else gradient
                change = gradient + options.momentum * velocity[name] if options.nesterov else velocity[name]
                parameter.data -= options.learning_rate * cosine * change
            step += 1


def test_an_epoch_reports_loss_and_accuracy_before_each_step():
    model = network()
    training = Trainer(model, IMAGES, TrainingOptions(batch_size=100, augmentation="none"), 0, 1)
    images, labels = next(IMAGES.batches(100, "none", 0, 0))
    with torch.no_grad():
        outputs = copy.deepcopy(model).train()(images.double())
    epoch = training.train_epoch()
    assert epoch.loss == pytest.approx(float(F.cross_entropy(outputs, labels)))
    assert epoch.accuracy == pytest.approx(100 * float((outputs.argmax(1) == labels).double().mean()))


def test_every_image_once_an_epoch_in_an_order_of_seed_and_epoch():
    def labels(seed, epoch):
        return torch.cat([y for _, y in IMAGES.batches(32, "none", seed, epoch)])

    assert [len(y) for _, y in IMAGES.batches(32, "none", 0, 0)] == [32, 32, 32, 4]
    assert sorted(labels(0, 0).tolist()) == sorted(IMAGES.labels.tolist())
    assert torch.equal(labels(0, 1), labels(0, 1))
    assert not torch.equal(labels(0, 0), labels(0, 1))
    assert not torch.equal(labels(0, 0), labels(1, 0))


@pytest.mark.parametrize("size", [8, 16, 33])
def test_crops_and_flips_are_those_of_a_loop(size):
    images = torch.randn(9, 3, size, size)
    black = torch.tensor([-1.0, -2.0, 0.5])
    generator = torch.Generator().manual_seed(5)
    flips = torch.rand(9, generator=generator) < 0.5
    padding = size // 8
    rows, columns = (torch.randint(2 * padding + 1, (9,), generator=generator) for _ in range(2))
    expected = []
    for place, image in enumerate(images):
        padded = black.view(3, 1, 1).expand(3, size + 2 * padding, size + 2 * padding).clone()
        flipped = image.flip(-1) if flips[place] else image
        padded[:, padding : padding + size, padding : padding + size] = flipped
        expected.append(padded[:, rows[place] : rows[place] + size, columns[place] : columns[place] + size])
    torch.testing.assert_close(augment(images, black, 5), torch.stack(expected), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"schedule": "cosine", "nesterov": True}])
def test_going_on_from_a_checkpoint_is_bit_identical(tmp_path, options):
    chosen = TrainingOptions(batch_size=32, **options)
    whole = Trainer(network(), IMAGES, chosen, 1, 4)
    for _ in range(4):
        whole.train_epoch()
    first = Trainer(network(), IMAGES, chosen, 1, 4)
    for _ in range(2):
        first.train_epoch()
    checkpoint = Checkpoint(tmp_path / "checkpoints", {"cell": 11234, "seed": 1})
    checkpoint.save(first.state(), 1.5)
    second = Trainer(network(seed=9), IMAGES, chosen, 1, 4)
    state, seconds = checkpoint.load(torch.device("cpu"))
    second.restore(state)
    for _ in range(2):
        second.train_epoch()
    assert seconds == 1.5
    assert second.history == whole.history
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


def test_what_draws_in_a_network_draws_the_same_and_disturbs_nobody():
    def trained():
        torch.manual_seed(4)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(3 * 12 * 12, 10))
        Trainer(model, IMAGES, TrainingOptions(batch_size=32), 0, 1).train_epoch()
        return parameters(model), torch.rand(1)

    torch.manual_seed(4)
    nn.Linear(3 * 12 * 12, 10)
    after = torch.rand(1)
    (a, drawn), (b, _) = trained(), trained()
    assert torch.equal(a, b)
    assert torch.equal(drawn, after)


def test_a_loss_that_is_no_number_is_a_divergence():
    training = Trainer(network(), IMAGES, TrainingOptions(batch_size=32, learning_rate=1e200), 0, 3)
    with pytest.raises(DivergedError, match="training loss is nan in epoch 1"):
        for _ in range(3):
            training.train_epoch()


def test_mixed_precision_is_another_training_close_by():
    exact, mixed = (
        Trainer(network().float(), IMAGES, TrainingOptions(batch_size=32, mixed_precision=each), 0, 1).train_epoch()
        for each in (False, True)
    )
    assert exact.loss != mixed.loss
    assert exact.loss == pytest.approx(mixed.loss, rel=0.05)


def test_validation_accuracy_is_that_of_all_test_images_in_evaluation_mode(monkeypatch):
    monkeypatch.setattr(trainer, "_EVALUATION_BATCH", 100)
    training = Trainer(network(), IMAGES, TrainingOptions(batch_size=32), 0, 1)
    training.train_epoch()
    images = IMAGES.validation
    with torch.no_grad():
        outputs = copy.deepcopy(training.network).eval()(images.take(np.arange(len(images))).double())
    right = (outputs.argmax(1).numpy() == images.labels).mean()
    assert training.validation_accuracy() == pytest.approx(100 * right)
    assert len(images) == 359
    assert training.network.training


def test_images_travel_by_name_and_are_checked(tmp_path):
    import pickle

    there = pickle.loads(pickle.dumps(IMAGES))
    assert there.hash == IMAGES.hash
    assert len(pickle.dumps(IMAGES)) < 1000
    other = TrainingImages("digits", Request(image_size=12), 99, expected=IMAGES.hash)
    with pytest.raises(DataError, match="not those that the run began with"):
        _ = other.hash


def test_real_images(test_data):
    images = TrainingImages("cifar10", Request(root=test_data))
    assert len(images) == 4000
    assert images.steps(1024) == 4
    training = Trainer(network().float(), images, TrainingOptions(batch_size=500), 0, 1)
    assert 0 < training.train_epoch().accuracy < 100


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"batch_size": 0}, "batch size must be from 1"),
        ({"learning_rate": -1.0}, "learning rate must be from 0"),
        ({"learning_rate": float("nan")}, "learning rate must be from 0"),
        ({"momentum": 1.0}, r"momentum must be in \[0, 1\)"),
        ({"label_smoothing": 1.5}, "label smoothing"),
        ({"weight_decay": -0.1}, "weight decay"),
        ({"schedule": "step"}, "learning-rate schedule"),
        ({"augmentation": "cutout"}, "augmentation"),
        ({"momentum": 0.0, "nesterov": True}, "Nesterov"),
    ],
)
def test_options_out_of_range(option, message):
    with pytest.raises(ChoiceError, match=message):
        TrainingOptions(**option)


def test_more_images_than_there_are():
    with pytest.raises(DataError, match="Training on 9999 images was asked for, and digits has 1438 here"):
        len(TrainingImages("digits", Request(), 9999))


class TestCheckpoint:
    def test_none(self, tmp_path):
        assert Checkpoint(tmp_path, {"cell": 1}).load(torch.device("cpu")) is None

    def test_removing_leaves_nothing(self, tmp_path):
        checkpoint = Checkpoint(tmp_path, {"cell": 1})
        checkpoint.save({"epoch": 1}, 0.0)
        checkpoint.remove()
        checkpoint.remove()
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("damage", ["cut", "text", "empty", "objects"])
    def test_damage(self, tmp_path, damage):
        checkpoint = Checkpoint(tmp_path, {"cell": 1})
        checkpoint.save({"epoch": 1, "weights": torch.ones(1000)}, 0.0)
        if damage == "objects":
            torch.save({"path": tmp_path}, checkpoint.path)
        else:
            whole = checkpoint.path.read_bytes()
            checkpoint.path.write_bytes({"cut": whole[: len(whole) // 2], "text": b"hello", "empty": b""}[damage])
        with pytest.raises(CheckpointError, match="cannot be read.*Move it away"):
            checkpoint.load(torch.device("cpu"))

    def test_of_another_network(self, tmp_path):
        Checkpoint(tmp_path, {"cell": 1}).save({"epoch": 1}, 0.0)
        other = Checkpoint(tmp_path, {"cell": 2})
        Checkpoint(tmp_path, {"cell": 1}).path.rename(other.path)
        with pytest.raises(CheckpointError, match="of another network or training"):
            other.load(torch.device("cpu"))

    def test_something_else_that_torch_wrote(self, tmp_path):
        checkpoint = Checkpoint(tmp_path, {"cell": 1})
        torch.save({"weights": torch.ones(3)}, checkpoint.path)
        with pytest.raises(CheckpointError, match=r"no checkpoint of this version.*0\.1\.0.*Move it away"):
            checkpoint.load(torch.device("cpu"))

    def test_a_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(CheckpointError, match="Cannot write the checkpoint.*choose other `checkpoints`"):
            Checkpoint(tmp_path / "file", {"cell": 1}).save({}, 0.0)
