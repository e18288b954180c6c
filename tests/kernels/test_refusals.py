"""Networks of which autograd gives no rows of J, or which are no one function: refused, with what to do."""

import itertools
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import Function
from torch.nn.modules import module as torch_module
from torch.utils import checkpoint

from ntknas import KernelTracker, empirical_ntk
from ntknas.core.errors import KernelError
from ntknas.kernels import kernel_operator


class Last(nn.Module):
    """A linear layer and a last step."""

    def __init__(self, step):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.h, self.step = nn.Linear(6, 5), nn.Linear(5, 3), step
        self.register_buffer("state", torch.zeros(()))

    def forward(self, x):
        return self.step(self, self.h(torch.tanh(self.a(x))))


def _x(dtype=torch.float32):
    return torch.randn(7, 6, generator=torch.Generator().manual_seed(1)).to(dtype)


def _operator(network, x, **choices):
    with kernel_operator(network, x, **choices) as kernel:
        return kernel


class Twofold(Function):
    """Twice the input, and another gradient."""

    @staticmethod
    def forward(ctx, y):
        return 2 * y

    @staticmethod
    def backward(ctx, gradient):
        return 1.5 * gradient


class Clamped(Function):
    @staticmethod
    def forward(ctx, y):
        return y.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(-0.3, 0.3)


class StraightThrough(Function):
    @staticmethod
    def forward(ctx, y):
        return (y > 0).to(y.dtype) * y.detach().abs().mean()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class WrongBothWays(Function):
    """Its forward-mode derivative shares the fault."""

    @staticmethod
    def forward(y):
        return 2 * y

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, gradient):
        return 1.5 * gradient

    @staticmethod
    def jvp(ctx, tangent):
        return 1.5 * tangent


class Forgetful(Function):
    """A checkpoint that forgets the block's own weights."""

    @staticmethod
    def forward(ctx, y, block):
        return block(y)

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def _hooked(owner, y):
    if y.requires_grad:
        y.register_hook(lambda gradient: 0.7 * gradient)
    return torch.tanh(y)


def _clamping_hook(owner, y):
    if y.requires_grad:
        y.register_hook(lambda gradient: gradient.clamp(-0.3, 0.3))
    return torch.tanh(y)


class Checkpointed(Function):
    """A re-entrant checkpoint of somebody's own: its backward pass writes into .grad."""

    @staticmethod
    def forward(ctx, y, block):
        ctx.block = block
        ctx.save_for_backward(y)
        with torch.no_grad():
            return block(y)

    @staticmethod
    def backward(ctx, gradient):
        y = ctx.saved_tensors[0].detach().requires_grad_()
        with torch.enable_grad():
            torch.autograd.backward(ctx.block(y), gradient)
        return y.grad, None


class WithBlock(nn.Module):
    def __init__(self, function, first=False):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.block, self.h = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.function, self.first = function, first

    def forward(self, x):
        return self.h(torch.tanh(self.function.apply(x if self.first else self.a(x), self.block)))


_NO_DERIVATIVES = {
    "hook in forward": (lambda: Last(_hooked), "hook on a gradient"),
    "clamping hook in forward": (lambda: Last(_clamping_hook), "hook on a gradient"),
    "function with a wrong backward": (lambda: Last(lambda _, y: Twofold.apply(y)), "backward of Twofold"),
    "function that clamps": (lambda: Last(lambda _, y: Clamped.apply(y)), "backward of Clamped"),
    "straight-through estimator": (lambda: Last(lambda _, y: StraightThrough.apply(y)), "backward of StraightThrough"),
    "function wrong both ways": (lambda: Last(lambda _, y: WrongBothWays.apply(y)), "backward of WrongBothWays"),
    "function that forgets": (lambda: WithBlock(Forgetful), "backward of Forgetful"),
    "checkpoint of one's own": (
        lambda: WithBlock(Checkpointed),
        r"writes into \.grad of block\.weight|backward of Check",
    ),
    "checkpoint of one's own, first": (
        lambda: WithBlock(Checkpointed, True),
        r"into \.grad of|backward of Checkpointed",
    ),
}
_ENTRIES = {
    "auto": lambda network, x: empirical_ntk(network, x, parameters="all"),
    "row loop": lambda network, x: empirical_ntk(network, x, parameters="all", strategy="row-loop"),
    "several rows": lambda network, x: empirical_ntk(network, x, strategy="row-loop", rows_at_once=3),
    "chunks": lambda network, x: empirical_ntk(network, x, "traced", chunk=3),
    "cross": lambda network, x: empirical_ntk(network, x, x2=x[:4] + 1, batch_norm="coupled"),
    "full": lambda network, x: empirical_ntk(network, x, "full", "eval"),
    "operator": _operator,
    "tracker": lambda network, x: KernelTracker(network, x).record(0),
}


@pytest.mark.parametrize("entry", _ENTRIES)
@pytest.mark.parametrize("name", _NO_DERIVATIVES)
def test_a_backward_pass_that_is_no_derivative(name, entry):
    make, message = _NO_DERIVATIVES[name]
    network, x = make(), _x()
    with pytest.raises(KernelError, match=message):
        _ENTRIES[entry](network, x)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


@pytest.mark.parametrize("name", _NO_DERIVATIVES)
def test_in_float64_too(name):
    make, message = _NO_DERIVATIVES[name]
    with pytest.raises(KernelError, match=message):
        empirical_ntk(make().double(), _x(torch.float64))


def test_what_autograd_returns_is_there_for_the_asking():
    """A straight-through estimator's own gradients, by a loop of one's own."""
    network, x = Last(lambda _, y: StraightThrough.apply(y)).double(), _x(torch.float64)
    rows = [torch.autograd.grad(network(x)[i].sum(), list(network.parameters())) for i in range(len(x))]
    rows = torch.stack([torch.cat([gradient.flatten() for gradient in row]) for row in rows])
    got = empirical_ntk(network, x, parameters="all", verify=False)
    assert torch.allclose(got.matrix, rows @ rows.T, rtol=1e-9)
    tracker = KernelTracker(network, x, parameters="all", verify=False)
    assert torch.equal(tracker.record(0) and tracker.kernel.matrix, got.matrix)


def _on_module(network):
    return network.a.register_full_backward_hook(lambda module, to_input, to_output: None)


def _before_module(network):
    return network.h.register_full_backward_pre_hook(lambda module, to_output: (2 * to_output[0],))


def _legacy(network):
    return network.a.register_backward_hook(lambda module, to_input, to_output: None)


def _global(network):
    return torch_module.register_module_full_backward_hook(lambda module, to_input, to_output: None)


def _global_before(network):
    return torch_module.register_module_full_backward_pre_hook(lambda module, to_output: None)


def _on_parameter(network):
    return network.a.weight.register_hook(lambda gradient: 2 * gradient)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize(
    ("register", "message"),
    [
        (_on_module, r"on a \(Linear\)"),
        (_before_module, r"on h \(Linear\)"),
        (_legacy, r"on a \(Linear\)"),
        (_global, "for all modules"),
        (_global_before, "for all modules"),
        (_on_parameter, r"gradient of a\.weight"),
    ],
)
def test_hooks_on_gradients(register, message, verify):
    network, x = Last(lambda _, y: y), _x()
    expected = empirical_ntk(network, x).matrix
    handle = register(network)
    try:
        with pytest.raises(KernelError, match=message):
            empirical_ntk(network, x, verify=verify)
        with pytest.raises(KernelError, match=message):
            _operator(network, x, verify=verify)
    finally:
        handle.remove()
    assert torch.equal(empirical_ntk(network, x).matrix, expected)


def test_hooks_that_change_no_gradient():
    """Those on forward passes are part of the function, those on what is accumulated never called; one looks on."""
    seen = []

    def watched(_, y):
        if y.requires_grad:
            y.register_hook(lambda gradient: seen.append(gradient.shape))
        return y

    x, plain, watching = _x(), Last(lambda _, y: torch.tanh(2 * y)), Last(watched)
    watching.register_forward_hook(lambda module, inputs, y: torch.tanh(y))
    watching.h.register_forward_hook(lambda module, inputs, y: 2 * y)
    watching.a.weight.register_post_accumulate_grad_hook(lambda parameter: seen.append(parameter))
    for way in ({}, {"strategy": "row-loop"}):
        got, expected = (empirical_ntk(network, x, parameters="all", **way).matrix for network in (watching, plain))
        assert torch.allclose(got, expected, rtol=1e-5)
    assert set(seen) == {(4, 3), (7, 3)}


def test_what_stops_gradients_stops_them_here():
    def stopped(owner, y):
        with torch.no_grad():
            scale = y.square().sum(1, keepdim=True)
        return y * scale + y.detach().cos() + y.data.sin()

    for step in (stopped, lambda _, y: y.detach()):
        network, x = Last(step).double(), _x(torch.float64)
        found = [
            torch.autograd.grad(network(x)[i].sum(), list(network.parameters()), allow_unused=True)
            if network(x).requires_grad
            else [torch.zeros_like(p) for p in network.parameters()]
            for i in range(len(x))
        ]
        rows = torch.stack([torch.cat([gradient.flatten() for gradient in row]) for row in found])
        for way in ({}, {"strategy": "row-loop"}):
            assert torch.allclose(empirical_ntk(network, x, parameters="all", **way).matrix, rows @ rows.T, rtol=1e-9)


def test_custom_functions_with_a_right_backward():
    """Proved by central differences, in either precision, at the kinks of ReLUs with inputs and biases of zero."""

    class Swish(Function):
        @staticmethod
        def forward(ctx, y):
            ctx.save_for_backward(y)
            return y * y.sigmoid()

        @staticmethod
        def backward(ctx, gradient):
            (y,) = ctx.saved_tensors
            return gradient * (y.sigmoid() * (1 + y * (1 - y.sigmoid())))

    own, twin = Last(lambda _, y: F.relu(Swish.apply(y))), Last(lambda _, y: F.relu(F.silu(y)))
    for network in (own, twin):
        nn.init.zeros_(network.a.bias)
    x = _x()
    x[0] = 0
    for dtype, output, chunk in itertools.product((torch.float32, torch.float64), ("sum", "traced", "full"), (None, 3)):
        got, expected = (
            empirical_ntk(network.to(dtype), x.to(dtype), output, parameters="all", chunk=chunk).matrix
            for network in (own, twin)
        )
        assert torch.allclose(got, expected, rtol=1e-4)


def test_where_float64_does_not_run():
    """A constant of float32 in a network of float32 with a function of its own."""

    class Same(Function):
        @staticmethod
        def forward(ctx, y):
            if y.dtype != torch.float32:
                raise RuntimeError("float32 alone")
            return y.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    x = _x()
    got, expected = (empirical_ntk(Last(step), x).matrix for step in (lambda _, y: Same.apply(y), lambda _, y: y))
    assert torch.allclose(got, expected)


def _changes_state(owner, y):
    owner.state += 0.1
    return y * (1 + owner.state)


_NOT_FIXED = {
    "dropout": lambda _, y: F.dropout(y, 0.5),
    "rare dropout": lambda _, y: F.dropout(y, 1e-6),
    "dropped path": lambda _, y: y if random.random() < 0.999 else 0 * y,
    "noise of numpy": lambda _, y: y + np.random.normal(),  # noqa: NPY002
    "noise": lambda _, y: y + 1e-3 * torch.randn_like(y),
    "generator of its own": lambda _, y: y + torch.rand(3, generator=_GENERATOR).to(y),
    "state": _changes_state,
}
_GENERATOR = torch.Generator().manual_seed(0)


@pytest.mark.parametrize("entry", _ENTRIES)
@pytest.mark.parametrize("name", _NOT_FIXED)
def test_networks_that_are_no_fixed_function(name, entry):
    network = Last(_NOT_FIXED[name])
    with pytest.raises(KernelError, match=r"not one fixed function .* draw|not one fixed function .* differ by"):
        _ENTRIES[entry](network, _x())
    assert float(network.state) == 0


def test_random_numbers_that_forward_seeds_itself():
    def seeded(_, y):
        return y + torch.rand(3, generator=torch.Generator().manual_seed(0)).to(y)

    assert empirical_ntk(Last(seeded), _x()).is_finite


_NO_REAL_OUTPUTS = {
    "complex": (lambda _, y: torch.complex(y, 2 * y), r"torch\.complex64: let it return torch\.view_as_real"),
    "whole numbers": (lambda _, y: y.argmax(1, keepdim=True), r"real numbers, got torch\.int64"),
    "bfloat16": (lambda _, y: y.bfloat16(), "last step lowers the precision"),
    "half": (lambda _, y: y.half(), "last step lowers the precision"),
}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("output", ["sum", "traced", "full"])
@pytest.mark.parametrize("name", _NO_REAL_OUTPUTS)
def test_outputs_that_have_no_rows_in_this_precision(name, output, verify):
    step, message = _NO_REAL_OUTPUTS[name]
    for strategy in ("auto", "row-loop"):
        with pytest.raises(KernelError, match=message):
            empirical_ntk(Last(step), _x(), output, strategy=strategy, verify=verify)
    with pytest.raises(KernelError, match=message):
        _operator(Last(step), _x(), verify=verify)


def test_a_complex_output_as_pairs_of_real_ones():
    """The remedy of the message: its kernel is that of a network with the real and the imaginary part as outputs."""
    pairs = Last(lambda _, y: torch.view_as_real(torch.complex(y, 2 * y)))
    got = empirical_ntk(pairs, _x(), "traced")
    expected = empirical_ntk(Last(lambda _, y: torch.cat([y, 2 * y], 1)), _x(), "traced")
    assert torch.allclose(got.matrix, expected.matrix, rtol=1e-5)


@pytest.mark.parametrize(
    ("step", "dtype"),
    [
        (lambda _, y: y.bfloat16().float(), torch.float32),
        (lambda _, y: torch.tanh(y.float()).double(), torch.float64),
    ],
)
def test_lower_precision_on_the_way(step, dtype):
    with pytest.raises(KernelError, match="on the way"):
        empirical_ntk(Last(step).to(dtype), _x(dtype))


def test_a_checkpoint_that_is_incompatible():
    """A copy of torch's own re-entrant checkpoint, which is not run plainly here."""

    class Copy(checkpoint.CheckpointFunction):
        pass

    network = Last(
        lambda owner, y: Copy.apply(owner.h, False, torch.tanh(owner.a(y @ owner.h.weight.repeat(1, 2)[:, :6])))
    )
    with pytest.raises(KernelError, match="use_reentrant=False|not its derivative"):
        empirical_ntk(network, _x(), verify=False, strategy="row-loop")
