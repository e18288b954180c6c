"""Batch-norm policies: which of them couple samples, and class forms where evaluation mode does."""

import ast
from pathlib import Path

import pytest
import torch
from torch import nn

import ntknas
from ntknas.core.choices import BATCH_NORMS
from ntknas.kernels import empirical_ntk, kernel_operator
from ntknas.kernels.batch_norm import POLICIES, applied, couples_samples
from ntknas.measures import measure
from tests.kernels import cases, reference

OWNERS = {"kernels/batch_norm.py", "core/choices.py"}


def _half_tracked():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.Tanh(),
        nn.Conv2d(4, 4, 3),
        nn.BatchNorm2d(4, track_running_stats=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, cases.CLASSES),
    )


def _zero_cost():
    space = ntknas.load_space("nb201")
    options = {"variant": "zero-cost", "channels": 2, "cells_per_stage": 1, "num_classes": cases.CLASSES}
    return space.build(space[7000], seed=0, **options)


UNTRACKED = {"untracked": cases._untracked, "half of it": _half_tracked, "zero-cost of nb201": _zero_cost}


def test_every_policy_has_a_class():
    assert POLICIES.keys() == BATCH_NORMS.keys()
    assert all(policy.name == name for name, policy in POLICIES.items())


@pytest.mark.parametrize(
    ("case", "policy"),
    [pair for pair in cases.PAIRS if pair[0].name != "time first"],
    ids=lambda value: str(value)[:20],
)
def test_coupling_is_what_a_change_of_one_sample_shows(case, policy):
    """Under every policy: does the first output change with the last sample?"""
    network, (x, _) = case.network(), cases.batch()
    changed = x.clone()
    changed[-1] = changed[-1].flip(0) - 2.0
    with applied(network, policy) as state, torch.no_grad():
        state.record()
        before = network(x)[0]
        state.start()
        after = network(changed)[0]
    assert couples_samples(policy, network) == (not torch.allclose(before, after, rtol=1e-9, atol=1e-12))


@pytest.mark.parametrize("output", ["sum", "label"])
@pytest.mark.parametrize("name", UNTRACKED)
def test_class_forms_of_networks_that_evaluation_mode_couples(name, output):
    """Against the kernel that is formed, in float64, and that against the definition."""
    torch.manual_seed(0)
    network, (x, labels) = UNTRACKED[name]().double(), cases.batch(8)
    choices = {"output": output, "batch_norm": "as-eval-mode", "parameters": "all", "labels": labels}
    assert couples_samples("as-eval-mode", network)
    formed = empirical_ntk(network, x, **choices)
    assert formed.strategy == "row-loop"
    names = [key for key, _ in network.named_parameters()]
    jacobian = reference.jacobian_under(network, x, names, "as-eval-mode")
    definition = reference.kernel(jacobian, jacobian, output, (labels, labels))
    assert (formed.matrix - definition).norm() <= 1e-10 * definition.norm()
    with kernel_operator(network, x, **choices) as kernel:
        forms = kernel.class_forms()
        assert kernel.backward_passes == len(labels.unique())
    for form, label in zip(forms.by_class, labels.unique(), strict=True):
        assert form == pytest.approx(float(definition[labels == label][:, labels == label].sum()), rel=1e-9)
    for taken in ("mean", "alignment_numerator"):
        scale = 1e-9 * float(definition.norm())
        assert measure(taken, forms).value == pytest.approx(measure(taken, formed).value, rel=1e-9, abs=scale)


def test_names_of_policies_are_compared_where_policies_are_defined_and_nowhere_else():
    package = Path(ntknas.__file__).parent
    comparing = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                constants = {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)}
                named = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
                if constants & BATCH_NORMS.keys() or "COUPLING" in named:
                    comparing.add(path.relative_to(package).as_posix())
    assert comparing <= OWNERS
