"""What the caller has switched on does not reach a kernel, and is switched on again afterwards."""

import contextlib

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ntknas import KernelTracker, empirical_ntk
from ntknas.core.errors import KernelError
from ntknas.kernels import kernel_operator
from ntknas.kernels.surroundings import full_precision
from tests.kernels import cases
from tests.kernels.peculiar import POLICIES, images, images_through, plainly


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("policy", POLICIES)
def test_autocast_is_off(policy, dtype):
    network, x = images_through(plainly), images()
    tracker = KernelTracker(network, x, batch_norm=policy)
    tracker.record(0)
    expected = empirical_ntk(network, x, batch_norm=policy).matrix
    by_rows = empirical_ntk(network, x, batch_norm=policy, strategy="row-loop").matrix
    with kernel_operator(network, x, batch_norm=policy) as kernel:
        form = kernel.form(torch.ones(6))
    with torch.autocast("cpu", dtype):
        assert torch.equal(empirical_ntk(network, x, batch_norm=policy).matrix, expected)
        assert torch.equal(empirical_ntk(network, x, batch_norm=policy, strategy="row-loop").matrix, by_rows)
        with kernel_operator(network, x, batch_norm=policy) as kernel:
            assert kernel.form(torch.ones(6)) == form
        assert tracker.record(1).scores["relative_difference"].value == 0.0
        assert torch.is_autocast_enabled("cpu")


class Asking(nn.Module):
    """Notes what it runs under."""

    def __init__(self):
        super().__init__()
        self.a, self.seen = nn.Linear(3, 2), []

    def forward(self, x):
        conv, rnn = torch.backends.mkldnn.conv, torch.backends.mkldnn.rnn
        self.seen += [torch.get_float32_matmul_precision(), torch.is_autocast_enabled("cpu")]
        self.seen += [conv.fp32_precision, rnn.fp32_precision, torch.backends.cuda.matmul.fp32_precision]
        self.seen += [torch.backends.mkldnn.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision]
        return self.a(x)


def _newer(backend):
    @contextlib.contextmanager
    def setting():
        before, backend.fp32_precision = backend.fp32_precision, "tf32"
        try:
            yield
        finally:
            backend.fp32_precision = before

    return setting


@contextlib.contextmanager
def _older():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


_BACKENDS = torch.backends
_PRECISIONS = {
    "matmul precision": _older,
    "mkldnn convolution": lambda: _newer(_BACKENDS.mkldnn.conv)(),
    "mkldnn matmul": lambda: _newer(_BACKENDS.mkldnn.matmul)(),
    "CUDA matmul": lambda: _newer(_BACKENDS.cuda.matmul)(),
    "cuDNN": lambda: _newer(_BACKENDS.cudnn)(),
    "everything": lambda: _newer(_BACKENDS)(),
}


def _settings():
    get = torch._C._get_fp32_precision_getter
    names = ("all", "matmul", "conv", "rnn")
    return [get("generic", "all"), *(get(backend, name) for backend in ("mkldnn", "cuda") for name in names)]


@pytest.mark.skipif(not hasattr(torch._C, "_get_fp32_precision_getter"), reason="older torch")
@pytest.mark.parametrize("name", _PRECISIONS)
def test_float32_is_float32(name):
    """By torch's older and by its newer settings, of which it refuses a mixture."""
    network = Asking()
    with _PRECISIONS[name]():
        before = _settings()
        empirical_ntk(network, torch.randn(4, 3), verify=False)
        with full_precision(), full_precision():
            pass
        assert _settings() == before
    assert set(network.seen) == {"highest", False, "ieee"}


def test_every_switch_is_back_after_an_error():
    class Failing(nn.Linear):
        def forward(self, x):
            raise ValueError("here")

    fast, attention = torch.backends.mha.get_fastpath_enabled(), torch.backends.cuda.flash_sdp_enabled()
    function = torch.utils.checkpoint.CheckpointFunction
    network = nn.Sequential(nn.Embedding(3, 4, sparse=True, scale_grad_by_freq=True), Failing(4, 2)).train()
    gradient = network[1].weight.grad = torch.ones(2, 4)
    with pytest.raises(ValueError, match="here"):
        empirical_ntk(network, torch.tensor([0, 1]), parameters="all")
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert torch.backends.cuda.flash_sdp_enabled() == attention
    assert torch.utils.checkpoint.CheckpointFunction is function
    assert network[0].sparse
    assert network[0].scale_grad_by_freq
    assert network.training
    assert network[1].training
    assert network[1].weight.grad is gradient


class Sizes(TorchDispatchMode):
    """Notes the largest tensor that an operation made."""

    def __init__(self):
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self.largest = max(self.largest, tensor.numel())
        return made


@pytest.mark.parametrize("output", ["traced", "sum"])
@pytest.mark.parametrize("rows_at_once", [1, 2])
def test_cotangents_are_made_for_the_rows_in_hand(output, rows_at_once):
    """N 20, C 100, ten rows at a time: nothing has the 40,000 numbers of N×N×C (sums of products take 7,600)."""
    network, x = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 100)), torch.randn(20, 2)
    names = ["1.weight", "1.bias"]
    with Sizes() as sizes:
        kernel = empirical_ntk(network, x, output, "coupled", names, chunk=10, rows_at_once=rows_at_once, verify=False)
    assert kernel.strategy == "row-loop"
    assert sizes.largest <= 8000
    inputs = torch.cat([F.batch_norm(x, None, None, training=True), torch.ones(20, 1)], 1).double()
    assert torch.allclose(kernel.matrix, 100 * inputs @ inputs.T, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("output", ["traced", "full"])
def test_an_operator_makes_one_cotangent_at_a_time(output):
    network, x = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 30)), torch.randn(40, 2)
    with Sizes() as sizes, kernel_operator(network, x, output, "coupled", "all", verify=False) as kernel:
        kernel.form(torch.ones(kernel.size))
    assert sizes.largest <= 40 * 30


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.h, self.passed = nn.Linear(5, 4), nn.Linear(4, 3), []

    def forward(self, x):
        self.passed.append(len(x))
        return self.h(torch.tanh(self.a(x)))


@pytest.mark.parametrize(
    ("choices", "forwards"),
    [
        ({"verify": False}, [16]),
        ({"verify": False, "strategy": "row-loop"}, [16]),
        ({}, [4, 4, 4, 16, 16, 16]),  # twice for one function, taps; plain, forward mode, the kernel
        ({"strategy": "row-loop"}, [4, 4, 4, 16, 16, 16]),
        ({"output": "traced"}, [4, 4, 4, 16, 16, 16]),
    ],
)
def test_forward_passes(choices, forwards):
    """The proof costs two passes of the batch, one of them in forward mode."""
    network = Counting()
    empirical_ntk(network, torch.randn(16, 5), **choices)
    assert network.passed == forwards


def test_complex_parameters_and_inputs_of_two_precisions():
    network = nn.Linear(3, 2, dtype=torch.complex128)
    with pytest.raises(KernelError, match=r"share one of float32 and float64.*complex128\) converts"):
        empirical_ntk(network, torch.randn(4, 3, dtype=torch.complex64))


@pytest.mark.parametrize(
    "case", ["plain", "batch norm", "lstm", "gru", "attention", "groups strides dilations paddings"]
)
def test_float32_networks_pass_the_proof(case):
    network = next(each for each in cases.CASES if each.name == case).network().float()
    x, labels = cases.batch()
    for policy in ("coupled", "frozen"):
        for output in ("sum", "full"):
            single = empirical_ntk(network, x.float(), output, policy, "all", labels)
            assert single.choices.precision == "float32"
