"""The measure of vilhess's code against one backward pass for every image, on small networks in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ntknas import load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.choices import Choices
from ntknas.core.score import Status
from ntknas.data import Request, make_probe
from ntknas.measures import expand
from ntknas.scoring import Recipe
from tests.measures.test_network_measures import CASES, SMALL

NAME = "class_lambda_min_summed"
PER_SAMPLE = Choices("label", "per-sample", "all")


@pytest.fixture(params=list(CASES))
def case(request):
    name, cell = CASES[request.param]
    network = load_space(name).build(cell, seed=1, **SMALL).double()
    side = 16 if name == "nb-macro" else 8  # which it halves three times
    images = torch.randn(12, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return NetworkCase(network, images, torch.arange(12) % 4, choices=PER_SAMPLE)


def _as_the_code_does(case, wanted=lambda name: True):
    """An image at a time in training mode, so that BatchNorm normalises it by itself; entries summed by tensor."""
    network, total = case.network.train(), 0.0
    tensors = [parameter for name, parameter in network.named_parameters() if wanted(name)]
    for label in sorted(set(case.labels.tolist())):
        sums = []  # by image and tensor
        for image in case.images[case.labels == label]:
            logit = network(image[None])[0, label]
            gradients = torch.autograd.grad(logit, tensors, allow_unused=True)
            sums.append([0.0 if gradient is None else float(gradient.sum()) for gradient in gradients])
        kernel = sum(np.outer(column, column) for column in np.transpose(sums))
        total += np.linalg.eigvalsh(kernel)[0]
    return total


@pytest.mark.parametrize("parameters", ["all", "weights"])
def test_against_a_backward_pass_for_every_image(case, parameters):
    got = measure(NAME, replace(case, choices=replace(PER_SAMPLE, parameters=parameters)))
    expected = _as_the_code_does(case, lambda name: parameters == "all" or "weight" in name)
    assert got.status is Status.OK
    assert got.value == pytest.approx(expected, rel=1e-7)


def test_it_is_no_tangent_kernel():
    """f = w₁x₁ + w₂x₂ on two images (1, −1) and (3, 2): the sums are 0 and 5, the kernel has rank one."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(2, 1, bias=False)).double()
    images = torch.tensor([[1.0, -1.0], [3.0, 2.0]], dtype=torch.float64)
    case = NetworkCase(network, images, torch.zeros(2, dtype=torch.long), choices=Choices("label", "eval", "all"))
    assert measure(NAME, case).value == 0.0
    network[1].weight.data.fill_(7.0)  # a linear network has one kernel, whatever its weights
    assert measure(NAME, case).value == 0.0


def test_what_has_no_value(case):
    lonely = replace(case, labels=torch.tensor([0] * 11 + [1]))
    assert measure(NAME, lonely).status is Status.UNDEFINED
    case.network.train()
    broken = replace(case, images=torch.full_like(case.images, torch.nan))
    assert measure(NAME, broken).status is Status.NON_FINITE


def test_the_identity_has_the_policy_and_the_parameter_set_and_that_of_others_has_not():
    space, probe = load_space("nb201"), make_probe("noise", 20, Request())

    def setting(name, **choices):
        recipe = Recipe("x", Choices("label", **choices), measures=(name,))
        return recipe.setting(space, "cifar10", probe, recipe.groups()[0])

    fields = setting(NAME, batch_norm="per-sample", parameters="all").fields
    assert (fields["output"], fields["batch_norm"], fields["parameters"]) == ("network", "per-sample", "all")
    assert setting(NAME, batch_norm="frozen").digest != setting(NAME, batch_norm="per-sample").digest
    assert setting("snip", batch_norm="frozen").digest == setting("snip", batch_norm="per-sample").digest
    assert setting("snip").fields["batch_norm"] == "training"


def test_it_is_asked_for_by_name_or_with_all():
    assert NAME in expand(["all"])
    assert NAME not in expand(["kernel", "regression", "baselines", "training"])
