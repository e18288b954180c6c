"""Kernels under attack against the five kernels of the definition, from Jacobians that share no code with ours."""

import pytest
import torch
from torch import nn

from ntknas import empirical_ntk, perturbed_ntk
from ntknas.core.choices import Choices
from ntknas.core.errors import ChoiceError, KernelError
from ntknas.core.perturbation import Attack
from ntknas.kernels import Method, compute_kernel, compute_perturbed_kernel, open_operator
from ntknas.kernels.attacks import attacked
from ntknas.kernels.batch import Batch
from tests.kernels import reference
from tests.kernels.test_attacks import RANGE, images, normalised

ATTACK = "pgd3:0.1"
POLICIES = ("coupled", "frozen", "eval", "per-sample", "as-eval-mode")
OUTPUTS = ("sum", "traced", "label", "full")


def network():
    """Convolutions, BatchNorm and a nonlinearity without kinks, in float64, with statistics of some training."""
    torch.manual_seed(1)
    model = nn.Sequential(
        *(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.Tanh(),
            nn.Conv2d(4, 3, 3),
            nn.BatchNorm2d(3),
            nn.Tanh(),
        ),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10)),
    ).double()
    model(torch.rand(16, 3, 8, 8, dtype=torch.float64))
    return model


def batches(model, attack=ATTACK, seed=2):
    """The images, the attacked ones, and those attacked again."""
    pixels, labels = images(4)
    first = Batch(normalised(pixels), labels)
    second = attacked(model, first, Attack.parse(attack), RANGE, seed, 1)
    third = attacked(model, second, Attack.parse(attack), RANGE, seed, 2)
    return first.x, second.x, third.x, labels


def weights_of(model):
    return [name for name, _ in model.named_parameters() if "weight" in name]


def jacobians(model, policy, *inputs):
    """J of each batch, statistics of the first one under ``frozen``."""
    return [reference.jacobian_under(model, x, weights_of(model), policy, frozen_on=inputs[0]) for x in inputs]


def ours(model, x, labels, kernel_of, attack=ATTACK, **choices):
    how = {"black": RANGE.black, "white": RANGE.white, "seed": 2, **choices}
    return perturbed_ntk(model, x, labels, attack, kernel_of, **how)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_kernel_is_its_sum_of_five(output, policy):
    model = network()
    x, once, twice, labels = batches(model)
    clean, robust, second = jacobians(model, policy, x, once, twice)

    def between(a, b):
        return reference.kernel(a, b, output, (labels, labels))

    def mixed(a, b, beta):
        cross = between(a, b)
        return (1 - beta) ** 2 * between(a, a) + beta * (1 - beta) * (cross + cross.T) + beta**2 * between(b, b)

    expected = {
        "perturbed": between(robust, robust),
        "mixed:0.3": mixed(clean, robust, 0.3),
        "mixed-robust:0.6": mixed(robust, second, 0.6),
    }
    for kernel_of, matrix in expected.items():
        kernel = ours(model, x, labels, kernel_of, output=output, batch_norm=policy)
        torch.testing.assert_close(kernel.matrix, matrix, rtol=1e-8, atol=1e-10 * float(matrix.abs().max()))
        assert torch.equal(kernel.labels, labels)
        assert kernel.samples == 4
        assert (kernel.choices.perturb, kernel.choices.output) == ("pgd3:1/10", output)
        assert float(kernel.spectrum[-1]) >= -1e-12 * float(kernel.spectrum[0])


@pytest.mark.parametrize("policy", ["coupled", "frozen"])
@pytest.mark.parametrize("normalisation", ["cosine", "corrcoef"])
def test_normalisations_are_of_the_mixed_rows(normalisation, policy):
    model = network()
    x, once, _, labels = batches(model)
    clean, robust = (reference.rows(j, "sum", labels) for j in jacobians(model, policy, x, once))
    rows = 0.75 * clean + 0.25 * robust
    rows = rows - rows.mean(1, keepdim=True) if normalisation == "corrcoef" else rows
    rows = rows / rows.norm(dim=1, keepdim=True)
    kernel = ours(model, x, labels, "mixed:0.25", batch_norm=policy, normalisation=normalisation)
    torch.testing.assert_close(kernel.matrix, rows @ rows.T, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("policy", ["coupled", "frozen"])
def test_the_ends_of_the_mixtures(policy):
    model = network()
    x, _, _, labels = batches(model)
    kernels = {
        name: ours(model, x, labels, name, batch_norm=policy).matrix
        for name in ("clean", "perturbed", "mixed:0", "mixed:1", "mixed-robust:0")
    }
    for name, same in (("mixed:0", "clean"), ("mixed:1", "perturbed"), ("mixed-robust:0", "perturbed")):
        torch.testing.assert_close(kernels[name], kernels[same], rtol=1e-10, atol=0)
    torch.testing.assert_close(kernels["clean"], empirical_ntk(model, x, batch_norm=policy).matrix, rtol=1e-12, atol=0)
    assert not torch.allclose(kernels["clean"], kernels["perturbed"], rtol=1e-3)


@pytest.mark.parametrize("attack", ["fgsm:0", "pgd2:0"])
@pytest.mark.parametrize("policy", ["coupled", "frozen", "per-sample"])
def test_without_extent_of_the_ball_all_kernels_are_one(policy, attack):
    model = network()
    x, _, _, labels = batches(model)
    expected = empirical_ntk(model, x, batch_norm=policy).matrix
    for name in ("perturbed", "mixed:0.4", "mixed-robust:0.7"):
        kernel = ours(model, x, labels, name, attack, batch_norm=policy)
        torch.testing.assert_close(kernel.matrix, expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("policy", ["coupled", "frozen", "per-sample"])
@pytest.mark.parametrize("output", ["traced", "full"])
def test_strategies_and_chunks_agree(output, policy):
    model = network()
    x, _, _, labels = batches(model)
    choices = Choices(output, policy, precision="float64", perturb=ATTACK, kernel_of="mixed:0.5")
    methods = [Method(), Method(chunk=3), Method("row-loop"), Method("row-loop", chunk=2), Method(rows_at_once=3)]
    matrices = [
        compute_perturbed_kernel(model, Batch(x, labels), choices, RANGE, method, 2).matrix for method in methods
    ]
    for matrix in matrices[1:]:
        torch.testing.assert_close(matrix, matrices[0], rtol=1e-8, atol=1e-12 * float(matrices[0].abs().max()))


def test_the_attack_is_of_the_seed():
    model = network()
    x, _, _, labels = batches(model)
    first, again, other = (ours(model, x, labels, "perturbed", seed=seed).matrix for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_what_takes_kernels_of_a_batch_as_it_is_refuses_an_attack():
    model = network()
    x, _, _, labels = batches(model)
    choices = Choices(perturb="fgsm:1/255")
    with pytest.raises(KernelError, match="computed by perturbed_ntk"):
        compute_kernel(model, [Batch(x, labels)], choices)
    with pytest.raises(KernelError, match="computed by perturbed_ntk"), open_operator(model, Batch(x, labels), choices):
        pass
    with pytest.raises(KernelError, match="pixels from 0 to 1"):
        compute_perturbed_kernel(model, Batch(x, labels), choices, None)


def test_choices_of_one_kernel_are_equal():
    assert Choices(perturb="fgsm:2/510") == Choices(perturb="fgsm:1/255", kernel_of="perturbed")
    assert Choices(perturb="fgsm:1/255", kernel_of="clean") == Choices()
    assert Choices(kernel_of="clean") == Choices()
    assert Choices(perturb="fgsm:1/255", kernel_of="mixed:0.5").unperturbed() == Choices()
    assert set(Choices().as_dict()) == {"output", "batch_norm", "parameters", "normalisation", "precision"}
    with pytest.raises(ChoiceError, match="needs an attack: give `perturb` too"):
        Choices(kernel_of="mixed:0.5")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("policy", ["coupled", "frozen"])
def test_a_gpu_gives_the_same_kernels_under_attack(policy):
    model = network()
    x, _, _, labels = batches(model)
    for name in ("perturbed", "mixed:0.3", "mixed-robust:0.6"):
        expected = ours(model.cpu(), x, labels, name, batch_norm=policy).matrix
        got = ours(model.cuda(), x.cuda(), labels.cuda(), name, batch_norm=policy).matrix
        torch.testing.assert_close(got, expected, rtol=1e-8, atol=0)
