"""Attacks against loops written out in pixels, finite differences, and what an attack must never do."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ntknas import attacked_images, load_space
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.core.perturbation import Attack, RowKind
from ntknas.core.pixel_range import PixelRange
from ntknas.core.score import NoValueError, Status
from ntknas.data import Request, make_probe
from ntknas.kernels.attacks import _random_change, attacked
from ntknas.kernels.batch import Batch

MEAN = torch.tensor([0.49, 0.48, 0.45], dtype=torch.float64).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.25, 0.24, 0.26], dtype=torch.float64).view(1, 3, 1, 1)
RANGE = PixelRange(-MEAN.flatten() / DEVIATION.flatten(), (1 - MEAN.flatten()) / DEVIATION.flatten())
SPACE = load_space("nb201")
CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|avg_pool_3x3~2|"


def network(seed=0, variant="official"):
    """A small network in float64, whose running statistics are those that training leaves."""
    built = SPACE.build(CELL, seed=seed, channels=3, cells_per_stage=1, variant=variant).double().train()
    with torch.no_grad():
        built(torch.randn(16, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(7)))
    return built


def images(count=5):
    generator = torch.Generator().manual_seed(3)
    pixels = torch.rand(count, 3, 8, 8, generator=generator, dtype=torch.float64)
    pixels[:, :, 0] = 0.0  # at the bounds, where the clipping acts
    pixels[:, :, 1] = 1.0
    return pixels, torch.randint(10, (count,), generator=generator)


def normalised(pixels):
    return (pixels - MEAN) / DEVIATION


def loss(model, pixels, labels):
    """The cross-entropy of a copy in evaluation mode, the normalisation inside."""
    return F.cross_entropy(copy.deepcopy(model).eval()(normalised(pixels)), labels, reduction="sum")


def gradient(model, pixels, labels):
    pixels = pixels.clone().requires_grad_()
    return torch.autograd.grad(loss(model, pixels, labels), pixels)[0]


def attack(model, pixels, labels, text, **how):
    batch = attacked(model, Batch(normalised(pixels), labels), Attack.parse(text), RANGE, **how)
    return batch.x * DEVIATION + MEAN


def test_fgsm_is_one_step_in_pixels():
    model, (pixels, labels) = network(), images()
    found = attack(model, pixels, labels, "fgsm:8/255")
    expected = (pixels + 8 / 255 * gradient(model, pixels, labels).sign()).clamp(0, 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_the_step_goes_where_finite_differences_say_that_the_loss_rises():
    model, (pixels, labels) = network(), images(2)
    pixels = pixels * 0.8 + 0.1  # away from the bounds, which would cut a step off
    step = attack(model, pixels, labels, "fgsm:0.01") - pixels
    rng, checked = np.random.default_rng(0), 0
    for _ in range(40):
        place = tuple(rng.integers(0, size) for size in pixels.shape)
        h = torch.zeros_like(pixels)
        h[place] = 1e-6
        with torch.no_grad():
            slope = float(loss(model, pixels + h, labels) - loss(model, pixels - h, labels)) / 2e-6
        if abs(slope) > 1e-6:
            checked += 1
            assert np.sign(slope) == np.sign(float(step[place]))
    assert checked > 20


@pytest.mark.parametrize("text", ["pgd7:8/255", "pgd3:0.1:0.08", "pgd1:1/255"])
def test_pgd_is_the_published_loop(text):
    model, (pixels, labels), how = network(), images(), Attack.parse(text)
    epsilon, alpha = float(how.radius), float(how.step)
    x = (pixels + _random_change(pixels, how, seed=4, number=1)).clamp(0, 1)
    for _ in range(how.steps):
        moved = x + alpha * gradient(model, x, labels).sign() - pixels
        x = (pixels + moved.clamp(-epsilon, epsilon)).clamp(0, 1)
    torch.testing.assert_close(attack(model, pixels, labels, text, seed=4), x, rtol=0, atol=1e-12)


@pytest.mark.parametrize("text", ["fgsm:8/255", "pgd5:8/255", "pgd5:1"])
def test_attacks_stay_in_the_ball_and_between_black_and_white_and_raise_the_loss(text):
    model, (pixels, labels) = network(), images()
    first = attack(model, pixels, labels, text)
    second = attack(model, first, labels, text, number=2)
    epsilon = float(Attack.parse(text).radius) + 1e-12
    for before, after in ((pixels, first), (first, second)):
        assert float((after - before).abs().max()) <= epsilon
        assert float(after.min()) >= -1e-12
        assert float(after.max()) <= 1 + 1e-12
    if epsilon < 0.5:
        assert bool(loss(model, first, labels) > loss(model, pixels, labels))
        assert float((second - pixels).abs().max()) > epsilon  # a ball of its own around the attacked images


def test_random_starts_are_uniform_and_hang_on_seed_and_number_alone():
    how, like = Attack.parse("pgd2:0.25"), torch.zeros(40, 3, 16, 16)
    draws = {(seed, number): _random_change(like, how, seed, number) for seed in (0, 1) for number in (1, 2)}
    for key, draw in draws.items():
        assert float(draw.abs().max()) <= 0.25
        assert abs(float(draw.mean())) < 0.003
        assert float(draw.square().mean()) == pytest.approx(0.25**2 / 3, rel=0.02)
        assert torch.equal(draw, _random_change(like, how, *key))
        assert torch.equal(draw.double(), _random_change(like.double(), how, *key))
    assert len({float(draw[0, 0, 0, 0]) for draw in draws.values()}) == 4
    model, (pixels, labels) = network(), images()
    once, again, other = (attack(model, pixels, labels, "pgd2:0.05", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


@pytest.mark.parametrize("text", ["fgsm:0", "pgd3:0"])
def test_a_ball_without_extent_leaves_the_images_exactly_as_they_are(text):
    pixels, labels = images()
    x = normalised(pixels)
    assert torch.equal(attacked(network(), Batch(x, labels), Attack.parse(text), RANGE).x, x)


def test_chunks_and_modes_change_nothing_and_the_model_is_left_as_it_was():
    model, (pixels, labels) = network(), images()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    whole, halves = (attack(model, pixels, labels, "pgd3:0.03", chunk=chunk) for chunk in (None, 2))
    torch.testing.assert_close(whole, halves, rtol=0, atol=1e-12)
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert model.training
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    torch.testing.assert_close(attack(model.eval(), pixels, labels, "pgd3:0.03"), whole, rtol=0, atol=0)


def test_batch_norm_without_statistics_of_its_own_takes_the_batchs_as_in_evaluation_mode():
    model, (pixels, labels) = network(variant="zero-cost"), images()
    expected = (pixels + 0.02 * gradient(model, pixels, labels).sign()).clamp(0, 1)
    torch.testing.assert_close(attack(model, pixels, labels, "fgsm:0.02", chunk=2), expected, rtol=0, atol=1e-12)


def test_the_public_function_moves_pixels_of_any_range():
    model, (pixels, labels) = network(), images()
    moved = attacked_images(model, normalised(pixels), labels, "pgd2:4/255", RANGE.black, RANGE.white, seed=1)
    torch.testing.assert_close(moved * DEVIATION + MEAN, attack(model, pixels, labels, "pgd2:4/255", seed=1))
    assert torch.equal(attacked_images(model, normalised(pixels), labels, "none"), normalised(pixels))


def test_without_a_gradient_there_is_no_attack():
    pixels, labels = images()
    dead = SPACE.build(next(c for c in SPACE if SPACE.is_disconnected(c)), channels=2, cells_per_stage=1).double()
    for model in (dead, nn.Sequential(nn.Flatten(), nn.Linear(192, 10, dtype=torch.float64), nn.Hardtanh(5, 6))):
        with pytest.raises(NoValueError, match="no gradient by the images") as error:
            attack(model, pixels, labels, "fgsm:1/255")
        assert error.value.status is Status.DISCONNECTED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None}, "the true class of every image"),
        ({"labels": torch.full((5,), 10)}, "from 0 to 9"),
        ({"labels": torch.full((5,), -1)}, "from 0 to 9"),
        ({"labels": torch.zeros(5)}, "whole numbers"),
        ({"labels": torch.zeros(4, dtype=torch.int64)}, "5 samples and labels of shape"),
        ({"black": [0.0, 0.0]}, "one for each of 3 channels"),
        ({"black": [1.0], "white": [0.0]}, "black below white"),
        ({"x": torch.zeros(5, 3, 8, 8, dtype=torch.int64)}, "images of real numbers"),
    ],
)
def test_what_cannot_be_attacked(change, message):
    pixels, labels = images()
    given = {"x": normalised(pixels), "labels": labels, **change}
    with pytest.raises(KernelError, match=message):
        attacked_images(network(), perturb="fgsm:1/255", **given)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("fgsm:1/255", "fgsm:1/255"),
        ("fgsm:8/2040", "fgsm:1/255"),
        ("fgsm:0.5", "fgsm:1/2"),
        ("fgsm:1", "fgsm:1"),
        ("pgd20:8/255", "pgd20:8/255"),
        ("pgd20:8/255:1/255", "pgd20:8/255"),
        ("pgd7:8/255:2/255", "pgd7:8/255:2/255"),
        ("pgd020:0.03", "pgd20:3/100"),
    ],
)
def test_one_attack_is_written_in_one_way(text, canonical):
    assert Attack.parse(text).text == canonical
    assert Attack.parse(canonical) == Attack.parse(text)


def test_the_default_step_is_that_of_the_published_evaluation():
    assert float(Attack.parse("pgd20:8/255").step) == pytest.approx(2.5 * 8 / 255 / 20)
    assert Attack.parse("none") is None
    assert RowKind.parse("mixed:0.25").text == "mixed:1/4"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pgd:2", "needs its number of steps, as in pgd20:8/255"),
        ("pgd:8/255", "needs its number of steps"),
        ("pgd0:8/255", "has 0 steps, expected 1 to 1000"),
        ("pgd1001:8/255", "has 1001 steps"),
        ("pgd-3:8/255", "`perturb` is one of none"),
        ("pgd20", "`perturb` is one of none"),
        ("pgd20:8/255:1/255:3", "`perturb` is one of none"),
        ("pgd20:8/255:0", "steps of size 0"),
        ("fgsm", "`perturb` is one of none"),
        ("fgsm:1/255:1/255", "`perturb` is one of none"),
        ("fgsm:8", "EPS in 'fgsm:8' is '8', expected a number from 0 to 1"),
        ("fgsm:-1/255", "expected a number from 0 to 1"),
        ("fgsm:1/0", "expected a number from 0 to 1"),
        ("fgsm:1e-3", "expected a number from 0 to 1"),
        ("fgsm:nan", "expected a number from 0 to 1"),
        ("fgsm:٣/255", "expected a number from 0 to 1"),
        ("fgsm: 1/255", "expected a number from 0 to 1"),
        ("pgd20:8/255:2", "ALPHA in"),
        ("FGSM:1/255", "`perturb` is one of none"),
        ("carlini:1/255", "`perturb` is one of none"),
        ("", "`perturb` is one of none"),
    ],
)
def test_what_is_no_attack(text, message):
    with pytest.raises(ChoiceError, match=message):
        Attack.parse(text)


@pytest.mark.parametrize(
    "text", ["mixed", "mixed:2", "mixed:-0.5", "mixed:x", "robust", "clean:1", "perturbed:0.5", ""]
)
def test_what_is_no_kind_of_rows(text):
    with pytest.raises(ChoiceError, match="`kernel_of`"):
        RowKind.parse(text)


@pytest.mark.parametrize("source", ["digits", "noise"])
def test_probes_know_where_their_pixels_lie(source):
    probe = make_probe(source, 20, Request(image_size=8))
    if source == "noise":
        assert probe.pixel_range is None
        return
    pixels = probe.pixel_range.pixels(probe.images)
    assert float(pixels.min()) == pytest.approx(0, abs=1e-6)
    assert 0.9 < float(pixels.max()) <= 1
    white = probe.pixel_range.moved(probe.images, 1 - pixels)
    torch.testing.assert_close(white.amax((0, 2, 3)), probe.pixel_range.white)


@pytest.mark.parametrize("pixels", ["nas-bench-201", "zero-cost-nas"])
def test_pixels_of_real_images_are_bytes(test_data, pixels):
    probe = make_probe("cifar10", 20, Request(test_data, pixels=pixels), augmentation="crop-flip")
    numbers = probe.pixel_range.pixels(probe.images) * 255
    torch.testing.assert_close(numbers, numbers.round(), rtol=0, atol=1e-3)
    assert float(numbers.min()) == 0
    assert 250 < float(numbers.max()) <= 255
