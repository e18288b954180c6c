"""One layer's rows, by every way that computes them, against plain autograd on one sample at a time."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ntknas.kernels import empirical_ntk
from ntknas.kernels.channels import biased_statistics
from ntknas.kernels.strategies import per_sample

CONVOLUTIONS = {
    "3×3": nn.Conv2d(8, 4, 3, padding=1),
    "3×3, stride 2": nn.Conv2d(8, 4, 3, stride=2, padding=1),
    "1×1, stride 2": nn.Conv2d(8, 6, 1, stride=2),
    "1×1, padded": nn.Conv2d(8, 6, 1, padding=1),
    "3×5, dilated, no padding": nn.Conv2d(9, 4, (3, 5), dilation=(2, 1)),
    "two groups": nn.Conv2d(16, 4, 3, padding=2, groups=2),
    "depthwise": nn.Conv2d(8, 16, 3, padding=1, groups=8),
    "few channels": nn.Conv2d(3, 8, 3, padding=1),
    "1d, stride 2": nn.Conv1d(8, 4, 3, stride=2, padding=1),
}
WAYS = {
    "as chosen": per_sample.convolution_weight,
    "by groups": per_sample.convolution_weight_by_groups,
    "unfolded": per_sample.convolution_weight_unfolded,
}


def _expected(layer, x, gradient):
    rows = []
    for image, g in zip(x, gradient, strict=True):
        (row,) = torch.autograd.grad(layer(image[None]), layer.weight, g[None])
        rows.append(row.flatten())
    return torch.stack(rows)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_rows_of_a_convolution(name, way, dtype, layout):
    layer = CONVOLUTIONS[name].to(dtype)
    flat = isinstance(layer, nn.Conv1d)
    if flat and (way != "as chosen" or layout is torch.channels_last):
        pytest.skip("of images")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, layer.in_channels, *([11] if flat else [11, 9]), generator=generator, dtype=dtype)
    gradient = torch.randn(layer(x).shape, generator=generator, dtype=dtype)
    expected = _expected(layer, x, gradient)
    if not flat:
        x, gradient = (tensor.contiguous(memory_format=layout) for tensor in (x, gradient))
    geometry = per_sample.Geometry(layer.stride, layer.padding, layer.dilation, layer.groups)
    got = WAYS[way](x, gradient, layer.kernel_size, geometry)
    assert got.shape == expected.shape
    assert (got - expected).norm() <= 10 * torch.finfo(dtype).eps * expected.norm()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", [name for name in CONVOLUTIONS if "1d" not in name])
def test_rows_in_the_order_of_patches(name, dtype, layout):
    """The same numbers, by kernel, input channel, output channel."""
    layer = CONVOLUTIONS[name].to(dtype)
    if layer.groups > 1:
        pytest.skip("one group")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, layer.in_channels, 11, 9, generator=generator, dtype=dtype)
    gradient = torch.randn(layer(x).shape, generator=generator, dtype=dtype)
    expected = _expected(layer, x, gradient).unflatten(1, layer.weight.shape).permute(0, 3, 4, 2, 1).flatten(1)
    x, gradient = (tensor.contiguous(memory_format=layout) for tensor in (x, gradient))
    geometry = per_sample.Geometry(layer.stride, layer.padding, layer.dilation, layer.groups)
    got = per_sample.convolution_weight_by_patches(x, gradient, layer.kernel_size, geometry)
    assert got.shape == expected.shape
    assert (got - expected).norm() <= 10 * torch.finfo(dtype).eps * expected.norm()


@pytest.mark.parametrize("mean", [0.0, 100.0])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_statistics_are_those_of_float64(layout, mean):
    """To rounding of the values, not of a sum over 65,536 of them."""
    x = torch.randn(64, 16, 32, 32, generator=torch.Generator().manual_seed(0)) + mean
    got = biased_statistics(x.contiguous(memory_format=layout))
    variance, expected = torch.var_mean(x.double(), (0, 2, 3), correction=0)
    assert (got[0] - expected).abs().max() <= 1e-6 * (1 + mean)
    assert (got[1] / variance - 1).abs().max() <= 1e-6
    assert torch.equal(got[2], x - got[0].view(1, -1, 1, 1))
    assert torch.allclose(F.batch_norm(x, *got[:2]), F.batch_norm(x, None, None, training=True), atol=1e-4)


class AtTwoSizes(nn.Module):
    """One convolution on an image and on half of it: few values and many, by ``PATCH_VALUES`` here."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)

    def forward(self, x):
        return F.relu(self.conv(F.avg_pool2d(torch.tanh(self.conv(x)), 2))).mean((2, 3))


def test_rows_of_calls_at_two_sizes_have_one_order(monkeypatch):
    monkeypatch.setattr(per_sample, "PATCH_VALUES", 8 * 9 * 30)
    torch.manual_seed(0)
    network, x = AtTwoSizes().double(), torch.randn(4, 8, 8, 8, dtype=torch.float64)
    fast, slow = (empirical_ntk(network, x, strategy=way, verify=False).matrix for way in ("layer-wise", "row-loop"))
    assert torch.allclose(fast, slow, rtol=1e-10)
