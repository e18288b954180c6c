"""Networks with a peculiarity have the kernel of the same function without it, by every way there is."""

import pytest
import torch

from ntknas import KernelTracker, empirical_ntk
from ntknas.core.errors import KernelError
from ntknas.kernels import estimators, kernel_operator
from tests.kernels import reference
from tests.kernels.peculiar import PECULIAR, encoder_inputs, images

_PAIRS = [(case, policy) for case in PECULIAR for policy in case.policies]
_IDS = [f"{case.name}-{policy}" for case, policy in _PAIRS]
_WAYS = [
    {"strategy": "auto"},
    {"strategy": "row-loop"},
    {"strategy": "auto", "verify": False},
    {"strategy": "row-loop", "rows_at_once": 3},
    {"strategy": "auto", "chunk": 2},
]


def _expected(case, policy, output="sum", names=None):
    twin, x = case.same(), case.batch()
    jacobian = reference.jacobian_under(twin, x, names or [name for name, _ in twin.named_parameters()], policy)
    return reference.kernel(jacobian, jacobian, output, None)


def _close(got, expected):
    assert got.shape == expected.shape
    assert (got - expected).norm() <= 1e-9 * expected.norm()


@pytest.mark.parametrize(("case", "policy"), _PAIRS, ids=_IDS)
def test_the_kernel_is_that_of_the_twin(case, policy):
    network, x, expected = case.network(), case.batch(), _expected(case, policy)
    before, state = x.clone(), {name: value.clone() for name, value in network.state_dict().items()}
    for way in _WAYS:
        if way.get("rows_at_once") and case.name == "sparse by hand":
            continue  # torch vectorises no sparse gradients
        _close(empirical_ntk(network, x, batch_norm=policy, parameters="all", **way).matrix, expected)
    assert torch.equal(x, before)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert network.training
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(("case", "policy"), _PAIRS, ids=_IDS)
def test_so_are_its_operator_and_its_track(case, policy):
    network, x, expected = case.network(), case.batch(), _expected(case, policy)
    vector = torch.arange(1.0, len(x) + 1, dtype=torch.float64)
    with kernel_operator(network, x, batch_norm=policy, parameters="all") as kernel:
        assert kernel.form(vector) == pytest.approx(float(vector @ expected @ vector), rel=1e-9)
        if case.differentiable:
            assert torch.allclose(kernel.product(vector), expected @ vector, rtol=1e-9)
        else:
            with pytest.raises(KernelError, match=r"has none: .*Use empirical_ntk"):
                kernel.product(vector)
    tracker = KernelTracker(network, x, batch_norm=policy, parameters="all")
    tracker.record(0)
    again = tracker.record(1)
    _close(tracker.kernel.matrix, expected)
    assert again.scores["relative_difference"].value <= 1e-12
    assert again.parameter_change == 0.0


@pytest.mark.parametrize("output", ["traced", "full"])
@pytest.mark.parametrize("case", PECULIAR, ids=lambda case: case.name)
def test_other_outputs(case, output):
    policy = case.policies[0]
    got = empirical_ntk(case.network(), case.batch(), output, policy, "all")
    _close(got.matrix, _expected(case, policy, output))


@pytest.mark.parametrize("case", [case for case in PECULIAR if "checkpoint" in case.name], ids=lambda case: case.name)
def test_weights_inside_a_checkpoint(case):
    for policy in ("coupled", "frozen", "eval"):
        got = empirical_ntk(case.network(), case.batch(), batch_norm=policy, parameters=["a.0.weight"])
        _close(got.matrix, _expected(case, policy, names=["a.0.weight"]))


@pytest.mark.parametrize("name", ["normalises and activates", "normalises twice", "re-entrant checkpoint"])
def test_they_keep_the_fast_strategy(name):
    case = next(case for case in PECULIAR if case.name == name)
    for policy in ("frozen", "eval", "per-sample"):
        kernel = empirical_ntk(case.network(), case.batch(), batch_norm=policy, strategy="layer-wise")
        assert kernel.strategy == "layer-wise"


def test_published_numbers():
    """In float32, as they were reported."""
    by_name = {case.name: case for case in PECULIAR}
    network, x = by_name["re-entrant checkpoint"].make(), images()
    for parameters, trace in (("all", 1554.33), (["a.0.weight"], 214.98)):
        got = empirical_ntk(network, x, batch_norm="coupled", parameters=parameters)
        assert float(got.matrix.trace()) == pytest.approx(trace, abs=0.006)
    layer = by_name["transformer layer"].make()
    x = encoder_inputs()
    kernel = empirical_ntk(layer, x, parameters="all")
    assert float(kernel.spectrum[0]) == pytest.approx(427.2068, abs=1e-3)
    with kernel_operator(layer, x, parameters="all") as operator:
        assert estimators.largest_eigenvalue(operator).value == pytest.approx(427.2068, abs=1e-3)
        truth = float(kernel.matrix.trace())
        assert estimators.trace(operator, vectors=2, deflated=3).value == pytest.approx(truth, rel=1e-4)
        truth = float(kernel.matrix.norm())
        assert estimators.frobenius(operator, vectors=2, deflated=3).value == pytest.approx(truth, rel=1e-4)
