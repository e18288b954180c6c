"""NASI as the mean entry of a Gram matrix and by forward mode, and what its paper says that it does not depend on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call, jvp

from ntknas import load_space, make_probe, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.score import Status
from ntknas.measures import Aggregate, get_measure

DEAD = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_1x1~0|none~1|none~2|"
CELLS = [("nb201", 8216), ("nb201", DEAD), ("nb101", 12), ("nats-sss", "8:16:64:24:40")]


def _case(space, cell, images=None, **options):
    small = {"channels": 4, "cells_per_stage": 1, "num_classes": 10, "seed": 1}
    network = load_space(space).build(cell, **{**small, **options}).double()
    if images is None:
        images = torch.randn(7, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return NetworkCase(network, images, torch.arange(len(images)) % 3)


@pytest.mark.parametrize(("space", "cell"), CELLS)
def test_the_mean_entry_of_the_gram_matrix_of_the_images_losses(space, cell):
    case = _case(space, cell)
    losses = F.cross_entropy(case.copy()(case.images), case.labels, reduction="none")
    assert losses.shape == (7,)
    rows = _rows(case)
    assert measure("nasi", case).value == pytest.approx(float((rows @ rows.T).mean()), rel=1e-9)


def _rows(case):
    network = case.copy()
    losses = F.cross_entropy(network(case.images), case.labels, reduction="none")
    parameters = list(network.parameters())
    rows = []
    for loss in losses:
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        pairs = zip(gradients, parameters, strict=True)
        rows.append(torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs]))
    return torch.stack(rows)


@pytest.mark.parametrize(("space", "cell"), CELLS)
def test_the_change_of_the_loss_along_its_gradient(space, cell):
    case = _case(space, cell)
    network = case.copy()
    parameters = {name: p.detach() for name, p in network.named_parameters()}
    gradient = dict(zip(parameters, _rows(case).mean(0).split([p.numel() for p in parameters.values()]), strict=True))
    along = {name: gradient[name].view_as(p) for name, p in parameters.items()}

    def loss(parameters):
        buffers = {name: b.clone() for name, b in network.named_buffers()}
        return F.cross_entropy(functional_call(network, {**parameters, **buffers}, (case.images,)), case.labels)

    _, change = jvp(loss, (parameters,), (along,))
    assert measure("nasi", case).value == pytest.approx(float(change), rel=1e-9)


def test_a_constant_changes_nothing_and_twice_the_loss_four_times(monkeypatch):
    case = _case(*CELLS[0])
    value, loss = measure("nasi", case).value, F.cross_entropy
    monkeypatch.setattr(F, "cross_entropy", lambda *args: loss(*args) + 5.0)
    assert measure("nasi", case).value == pytest.approx(value, rel=1e-12)
    monkeypatch.setattr(F, "cross_entropy", lambda *args: 2 * loss(*args))
    assert measure("nasi", case).value == pytest.approx(4 * value, rel=1e-12)


def test_true_labels_random_ones_and_noise_for_images():
    """Fig. 1 of the paper: over networks the values have a Pearson correlation of about 1, and of more than .9.

    On networks of full depth, whose values lie over four orders of magnitude; in logarithms the largest do not decide.
    """
    probe, generator = make_probe("digits", 32), torch.Generator().manual_seed(0)
    random_labels = torch.randint(10, (32,), generator=generator)
    images = probe.images[:, :, ::2, ::2]
    noise = torch.randn(images.shape, generator=generator)
    values = []
    for cell in (0, 1462, 2500, 5000, 8216, 9930, 12000):
        options = {"channels": 6, "num_classes": 10, "seed": 1, "cells_per_stage": 5, "variant": "zero-cost"}
        case = NetworkCase(load_space("nb201").build(cell, **options), images, probe.labels)
        cases = (case, replace(case, labels=random_labels), replace(case, images=noise))
        values.append([measure("nasi", each).value for each in cases])
    correlations = np.corrcoef(np.log(values).T)
    assert correlations[0, 1] > 0.95
    assert correlations[0, 2] > 0.9
    assert np.corrcoef(np.array(values).T).min() > 0.99


def test_what_is_not_finite_and_what_it_says_of_itself():
    case = _case(*CELLS[0])
    case.network.classifier.weight.data[0, 0] = torch.inf
    assert measure("nasi", case).status is Status.NON_FINITE
    assert get_measure("nasi").higher_is_better
    assert get_measure("nasi").aggregate is Aggregate.GEOMETRIC
