"""Networks with a peculiarity, and twins without it that are the same function; a case is data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from ntknas.kernels.preparation import converted

_ONE = ("frozen",)
POLICIES = ("coupled", "frozen", "eval", "as-eval-mode", "per-sample")


class Wrapped(nn.Module):
    """A block and a head; how the block is called is given."""

    def __init__(self, call: Callable[[nn.Module, Tensor], Tensor], block: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.a, self.f, self.call = block, head, call

    def forward(self, x: Tensor) -> Tensor:
        return self.f(self.call(self.a, x).flatten(1))


def plainly(block: nn.Module, x: Tensor) -> Tensor:
    return block(x)


def _block(norm: type[nn.Module] = nn.BatchNorm2d) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), norm(4), nn.ReLU())


def images_through(call: Callable[[nn.Module, Tensor], Tensor], norm: type[nn.Module] = nn.BatchNorm2d) -> nn.Module:
    torch.manual_seed(0)
    return Wrapped(call, _block(norm), nn.Linear(144, 3))


def images() -> Tensor:
    return torch.randn(6, 3, 6, 6, generator=torch.Generator().manual_seed(1))


def _reentrant(block: nn.Module, x: Tensor) -> Tensor:
    return checkpoint(block, x, use_reentrant=True)


def _nested_reentrant(block: nn.Module, x: Tensor) -> Tensor:
    return checkpoint(lambda z: checkpoint(block, z, use_reentrant=True), x, use_reentrant=True)


def _halved_in_place(block: nn.Module, x: Tensor) -> Tensor:
    return block(x.div_(2))


def _halved(block: nn.Module, x: Tensor) -> Tensor:
    return block(x / 2)


def _clipped_in_place(block: nn.Module, x: Tensor) -> Tensor:
    x[:, 0] = 0.5
    return block(F.relu_(x))


def _clipped(block: nn.Module, x: Tensor) -> Tensor:
    return block(F.relu(torch.cat([torch.full_like(x[:, :1], 0.5), x[:, 1:]], 1)))


class NormAct(nn.BatchNorm2d):
    """As in timm: the forward of BatchNorm2d written out, then dropout and an activation."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop, self.act = nn.Identity(), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        factor = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        by_batch = self.training or (self.running_mean is None and self.running_var is None)
        kept = not self.training or self.track_running_stats
        x = F.batch_norm(
            x,
            self.running_mean if kept else None,
            self.running_var if kept else None,
            self.weight,
            self.bias,
            by_batch,
            factor,
            self.eps,
        )
        return self.act(self.drop(x))


class NormThenLeaky(nn.BatchNorm2d):
    """Calls the stock forward, then a norm of another kind inside an activation of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.after = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(F.leaky_relu(super().forward(x), 0.1))


class _Twice(nn.Module):
    """What NormThenLeaky is, with modules for everything."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.after = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(F.leaky_relu(self.first(x), 0.1))


class HeldInTraining(nn.Module):
    """Dropout that its owner keeps switched on."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.drop, self.f = nn.Linear(5, 6), nn.Dropout(rate), nn.Linear(6, 3)

    def train(self, mode: bool = True) -> nn.Module:
        super().train(mode)
        self.drop.train()
        return self

    def forward(self, x: Tensor) -> Tensor:
        return self.f(self.drop(torch.tanh(self.a(x))))


class Adapted(nn.Module):
    """A linear layer with a low-rank adapter, which ``eval()`` merges into the weight, as loralib does."""

    def __init__(self, merges: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight, self.up, self.down = (nn.Parameter(torch.randn(shape)) for shape in ((3, 5), (3, 2), (2, 5)))
        self.merges, self.merged = merges, False

    def train(self, mode: bool = True) -> nn.Module:
        super().train(mode)
        if self.merges and mode == self.merged:
            self.weight.data += (-1.0 if mode else 1.0) * (self.up @ self.down).data
            self.merged = not mode
        return self

    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(F.linear(x, self.weight))
        return torch.tanh(y + F.linear(F.linear(x, self.down), self.up)) if not self.merged else y


class Counts(nn.Module):
    """Counts its calls in a buffer that nothing depends on."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a = nn.Linear(5, 3)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return torch.tanh(self.a(x))


class Tokens(nn.Module):
    def __init__(self, sparse: bool, kind: type[nn.Module] = nn.Embedding, **switches: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.f = kind(7, 4, sparse=sparse, **switches), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x)
        return self.f(torch.tanh(y if y.dim() == 2 else y.mean(1)))


class Attending(nn.Module):
    """Attention that asks for the fused kernel by itself."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.backend = nn.Linear(8, 8), SDPBackend.FLASH_ATTENTION if fused else SDPBackend.MATH

    def forward(self, x: Tensor) -> Tensor:
        keys = x[:, None]
        with sdpa_kernel(self.backend):
            return F.scaled_dot_product_attention(self.a(keys), keys, keys)[:, 0].mean(1)


class Looked(nn.Module):
    """A sparse gradient that no module asks for."""

    def __init__(self, sparse: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight, self.sparse = nn.Parameter(torch.randn(7, 3)), sparse

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(F.embedding(x, self.weight, sparse=self.sparse)).mean(1)


class Fourier(nn.Module):
    """A Fourier layer with complex weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(torch.randn(3, 4, dtype=torch.complex64))
        self.f = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.f(torch.tanh(torch.fft.irfft(torch.fft.rfft(x)[:, :3] @ self.weight, n=4)))


class RealFourier(nn.Module):
    """The same with real and imaginary parts."""

    def __init__(self) -> None:
        super().__init__()
        complex_one = Fourier()
        self.weight = nn.Parameter(torch.view_as_real(complex_one.weight.detach()).clone())
        self.f = complex_one.f

    def forward(self, x: Tensor) -> Tensor:
        return self.f(torch.tanh(torch.fft.irfft(torch.fft.rfft(x)[:, :3] @ torch.view_as_complex(self.weight), n=4)))


def _encoder() -> nn.Module:
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)


def encoder_inputs() -> Tensor:
    _encoder()
    return torch.randn(3, 4, 8)


def _compiled() -> nn.Module:
    """After a training step, without a change: what the step compiled is there."""
    network = images_through(plainly)
    compiled = torch.compile(network, backend="aot_eager")
    compiled(images()).sum().backward()
    network.zero_grad()
    network.a[1].reset_running_stats()
    return compiled


def _vectors() -> Tensor:
    return torch.randn(5, 5, generator=torch.Generator().manual_seed(1))


def _numbers() -> Tensor:
    return torch.randint(0, 7, (5, 3), generator=torch.Generator().manual_seed(1))


def _reparametrised(how: Callable[[nn.Module], nn.Module]) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        torch.manual_seed(0)
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            return nn.Sequential(how(nn.Linear(5, 6)), nn.Tanh(), nn.Linear(6, 3))

    return make


def _reparametrised_case(name: str, how: Callable[[nn.Module], nn.Module], twin: Callable[..., nn.Module]) -> Peculiar:
    return Peculiar(name, _reparametrised(how), _reparametrised(twin), _vectors)


@dataclass(frozen=True)
class Peculiar:
    """A network and what it is the same as.

    Attributes:
        name: Name of the case.
        make: Makes the network.
        twin: Makes the same function without the peculiarity.
        inputs: Makes a batch.
        policies: Batch-norm policies that mean something for it.
        differentiable: Whether autograd can differentiate its backward pass.
    """

    name: str
    make: Callable[[], nn.Module]
    twin: Callable[[], nn.Module]
    inputs: Callable[[], Tensor]
    policies: tuple[str, ...] = _ONE
    differentiable: bool = True

    def network(self) -> nn.Module:
        return converted(self.make(), "cpu", torch.float64).train()

    def same(self) -> nn.Module:
        return converted(self.twin(), "cpu", torch.float64).eval()

    def batch(self) -> Tensor:
        x = self.inputs()
        return x.double() if x.is_floating_point() else x


def _of_images(name: str, make: Callable[[], nn.Module], twin: Callable[[], nn.Module] | None = None) -> Peculiar:
    return Peculiar(name, make, twin or (lambda: images_through(plainly)), images, POLICIES)


class _WithReLU(nn.Sequential):
    def __init__(self, channels: int) -> None:
        super().__init__(nn.BatchNorm2d(channels), nn.ReLU())


PECULIAR = [
    _of_images("re-entrant checkpoint", lambda: images_through(_reentrant)),
    _of_images("nested re-entrant checkpoints", lambda: images_through(_nested_reentrant)),
    _of_images("halves its input in place", lambda: images_through(_halved_in_place), lambda: images_through(_halved)),
    _of_images("writes into its input", lambda: images_through(_clipped_in_place), lambda: images_through(_clipped)),
    _of_images(
        "normalises and activates",
        lambda: images_through(plainly, NormAct),
        lambda: images_through(plainly, _WithReLU),
    ),
    _of_images(
        "normalises twice", lambda: images_through(plainly, NormThenLeaky), lambda: images_through(plainly, _Twice)
    ),
    _of_images("compiled", _compiled),
    Peculiar("dropout held in training", lambda: HeldInTraining(0.5), lambda: HeldInTraining(0.0), _vectors),
    Peculiar("adapter that eval() merges", lambda: Adapted(True), lambda: Adapted(False), _vectors),
    Peculiar("counts its calls", Counts, lambda: nn.Sequential(Counts().a, nn.Tanh()), _vectors),
    Peculiar("sparse embedding", lambda: Tokens(True), lambda: Tokens(False), _numbers),
    Peculiar(
        "sparse bag",
        lambda: Tokens(True, nn.EmbeddingBag),
        lambda: Tokens(False, nn.EmbeddingBag),
        _numbers,
        _ONE,
        False,
    ),
    Peculiar(
        "embedding that divides its gradient",
        lambda: Tokens(False, scale_grad_by_freq=True),
        lambda: Tokens(False),
        _numbers,
    ),
    Peculiar(
        "bag that divides its gradient",
        lambda: Tokens(False, nn.EmbeddingBag, scale_grad_by_freq=True),
        lambda: Tokens(False, nn.EmbeddingBag),
        _numbers,
        _ONE,
        False,
    ),
    Peculiar("sparse by hand", lambda: Looked(True), lambda: Looked(False), _numbers),
    Peculiar("complex weights", Fourier, RealFourier, lambda: _vectors()[:, :4]),
    _reparametrised_case("weight norm by hooks", nn.utils.weight_norm, parametrizations.weight_norm),
    _reparametrised_case("weight norm", parametrizations.weight_norm, parametrizations.weight_norm),
    _reparametrised_case("spectral norm by hooks", nn.utils.spectral_norm, nn.utils.spectral_norm),
    _reparametrised_case("spectral norm", parametrizations.spectral_norm, parametrizations.spectral_norm),
    Peculiar(
        "fused attention of its own", lambda: Attending(True), lambda: Attending(False), encoder_inputs, _ONE, False
    ),
    Peculiar("transformer layer", _encoder, _encoder, encoder_inputs),
]
