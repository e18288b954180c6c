"""Kernels as files: everything comes back, and what is no such file is refused."""

from dataclasses import fields

import pytest
import torch

from ntknas import empirical_ntk
from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.kernels.kernel_file import load_kernel, save_kernel
from tests.kernels import cases

OPTIONS = [
    {},
    {"by_layer": True, "layer_inputs": True},
    {"by_layer": True, "output": "full", "batch_norm": "coupled"},
    {"by_layer": True, "x2": cases.batch(3)[0], "labels2": cases.batch(3)[1]},
    {"parameters": ["live.weight", "head.bias"], "by_layer": True},
]


def same(left, right):
    for field in fields(left):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if isinstance(a, torch.Tensor):
            assert torch.equal(a, b), field.name
        elif isinstance(a, Kernel):
            same(a, b)
        elif isinstance(a, tuple) and field.name == "layers":
            assert len(a) == len(b)
            for one, other in zip(a, b, strict=True):
                same(one, other)
        else:
            assert a == b, field.name


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("labelled", [True, False])
def test_a_kernel_comes_back(options, labelled, tmp_path):
    network, (x, labels) = cases.DeadBranch().double(), cases.batch()
    options = options | ({"labels": labels} if labelled else {"labels2": None})
    kernel = empirical_ntk(network, x, **({"parameters": "all"} | options))
    same(load_kernel(save_kernel(kernel, tmp_path / "folder" / "kernel.h5")), kernel)


def test_what_is_no_kernel_is_refused(tmp_path):
    with pytest.raises(KernelError, match="cannot be read as a kernel: No such file"):
        load_kernel(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("index,accuracy\n")
    with pytest.raises(KernelError, match="cannot be read as a kernel"):
        load_kernel(tmp_path / "text.h5")
    with pytest.raises(KernelError, match="Cannot write the kernel"):
        save_kernel(empirical_ntk(torch.nn.Linear(2, 1), torch.eye(2)), tmp_path)


def test_a_changed_byte_is_found(tmp_path):
    network, (x, labels) = cases.DeadBranch().double(), cases.batch()
    path = save_kernel(empirical_ntk(network, x, labels=labels, by_layer=True), tmp_path / "kernel.h5")
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(KernelError):
            load_kernel(path)
