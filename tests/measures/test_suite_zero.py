"""Proxies of NAS-Bench-Suite-Zero against literal readings of their definitions, in float64."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ntknas import load_space, measure
from ntknas.core.cases import NetworkCase
from ntknas.core.score import Status

SMALL = {"channels": 6, "cells_per_stage": 1}
CELLS = {"nb201": ("nb201", 8216), "nb101": ("nb101", 12), "nats-sss": ("nats-sss", "8:16:64:24:40")}


def make_case(name="nb201", classes=4, images=9, labels=None, side=8):
    space, cell = CELLS[name]
    network = load_space(space).build(cell, seed=1, num_classes=classes, **SMALL).double()
    x = torch.randn(images, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return NetworkCase(network, x, torch.arange(images) % 4 if labels is None else labels, seed=3)


def numerical_rows(case):
    """Rows ∂(Σ f(x_i))/∂x by central differences of the summed output."""
    network, rows = case.network.train(), []
    step = 1e-5
    with torch.no_grad():
        for number in range(len(case.images)):
            row = []
            for place in range(case.images[0].numel()):
                ends = []
                for sign in (1, -1):
                    x = case.images.clone()
                    x[number].view(-1)[place] += sign * step
                    ends.append(float(network(x).sum()))
                row.append((ends[0] - ends[1]) / (2 * step))
            rows.append(row)
    return np.array(rows)


def per_class(rows, labels, classes):
    """EPE-NAS as it is written down, class by class, with numpy's own correlations."""
    sums = {}
    for label in sorted(set(labels.tolist())):
        correlations = np.corrcoef(rows[labels.numpy() == label])
        if classes > 100 and not correlations.shape:
            continue
        sums[label] = np.log(np.abs(correlations) + 1e-5).sum() / (len(correlations) if classes > 100 else 1)
    if classes > 100:
        return sum(abs(a - b) for a in sums.values() for b in sums.values()) / len(sums)
    return sum(abs(value) for value in sums.values())


@pytest.mark.parametrize("name", CELLS)
def test_l2_norm_is_the_sum_of_frobenius_norms(name):
    case = make_case(name)
    weights = [m.weight.detach().numpy() for m in case.network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert measure("l2_norm", case).value == pytest.approx(sum(np.sqrt((w**2).sum()) for w in weights), rel=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_plain_is_the_change_of_the_loss_with_the_scale_of_the_weights(name):
    case = make_case(name)
    step, losses = 1e-5, []
    for scale in (1 + step, 1 - step):
        network = case.copy()
        with torch.no_grad():
            for module in network.modules():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    module.weight *= scale
            losses.append(float(F.cross_entropy(network(case.images), case.labels)))
    assert measure("plain", case).value == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (4, [0, 1, 1, 0, 1]),
        (4, [0, 1, 1, 0, 2]),  # a class of one image
        (101, [0, 1, 1, 0, 2]),
        (101, [7, 7, 7, 3, 3]),
    ],
)
def test_epe_nas_as_it_is_written_down(classes, labels):
    case = make_case(classes=classes, images=5, labels=torch.tensor(labels), side=4)
    expected = per_class(numerical_rows(case), case.labels, classes)
    assert measure("epe_nas", case).value == pytest.approx(expected, rel=1e-5)


def test_epe_nas_is_undefined_without_a_sum_or_a_spread():
    single = make_case(classes=101, images=3, labels=torch.tensor([0, 1, 2]))
    assert measure("epe_nas", single).status is Status.UNDEFINED
    constant = make_case(images=3)
    nn.init.zeros_(constant.network.classifier.weight)
    assert measure("epe_nas", constant).status is Status.UNDEFINED
