"""Small networks on which every strategy and policy is tried; a case is data, a fixture makes the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SAMPLES = 5
CLASSES = 3


class Residual(nn.Module):
    def __init__(self, body: nn.Module):
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Shared(nn.Module):
    """One convolution and one BatchNorm, used three times."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.head = nn.Linear(3, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(3):
            x = torch.tanh(self.norm(self.conv(x)))
        return self.head(x.mean((2, 3)))


class DeadBranch(nn.Module):
    """A convolution times zero, one that goes nowhere, a module never called, one call of two that is dead."""

    def __init__(self) -> None:
        super().__init__()
        self.live = nn.Conv2d(3, 4, 3)
        self.zeroed = nn.Conv2d(3, 4, 3)
        self.lost = nn.Conv2d(3, 4, 3)
        self.never = nn.Linear(7, 7)
        self.twice = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        self.lost(x)
        y = self.live(x) + 0 * self.zeroed(x)
        self.twice(y)
        return self.head(F.relu(self.twice(y)).mean((2, 3)))


class InPlace(nn.Module):
    """In-place activations on the outputs of layers, as much code has them."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3)
        )
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        y += 1.0
        return self.head(F.relu_(y).mean((2, 3)))


class Sequence(nn.Module):
    """Linear layers on sequences, samples first."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(6, 5)
        self.conv = nn.Conv1d(5, 4, 3, stride=2, padding=1, groups=1)
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(self.embed(x.flatten(2).transpose(1, 2)[:, :, :3].repeat(1, 1, 2)))
        return self.head(torch.tanh(self.norm(self.conv(y.transpose(1, 2)))).mean(2))


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(27, 27)
        self.second = nn.Linear(27, 27)
        self.second.weight = self.first.weight
        self.head = nn.Linear(27, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.second(torch.tanh(self.first(x[:, :, :3, :3].flatten(1))))))


class Functional(nn.Module):
    """A weight used by its layer and by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(27, 27)
        self.head = nn.Linear(27, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(self.layer(x[:, :, :3, :3].flatten(1)))
        return self.head(torch.tanh(F.linear(y, self.layer.weight)))


class Bare(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight_of_mine = nn.Parameter(torch.randn(27, 4) / 5)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(x[:, :, :3, :3].flatten(1) @ self.weight_of_mine))


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(27, 6)
        self.norm = nn.LayerNorm(6)
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.norm(self.layer(x[:, :, :3, :3].flatten(1)))))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = x.flatten(2)[:, :, :6]
        return self.head(self.attention(y, y, y)[0].mean(1))


class TimeFirst(nn.Module):
    """As many steps as samples, and the linear layer sees steps in dimension 0."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 4)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = x.flatten(2)[:, 0, :60].unflatten(1, (6, 10))[:, :, : len(x)].permute(2, 0, 1)  # steps = samples
        return self.head(torch.tanh(self.layer(y)).sum(0))


class StepsAsSamples(nn.Module):
    """The linear layer sees every step of every sample as a row."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 4)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        steps = x.flatten(2)[:, :, :6].flatten(0, 1)
        return self.head(torch.tanh(self.layer(steps)).unflatten(0, (len(x), 3)).mean(1))


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase] = nn.LSTM) -> None:
        super().__init__()
        self.rnn = kind(6, 4, batch_first=True)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x.flatten(2)[:, :, :6])[0][:, -1])


class Reversed(nn.Module):
    """Samples are reversed for one layer and put back: decoupled, but a layer sees others in its rows."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(27, 4)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.layer(x[:, :, :3, :3].flatten(1).flip(0)).flip(0)))


class ZeroKernel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, CLASSES, 3)

    def forward(self, x: Tensor) -> Tensor:
        return 0 * self.conv(x).mean((2, 3))


class Mixing(nn.Module):
    """Subtracts the mean over samples by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(27, 4)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x[:, :, :3, :3].flatten(1))
        return self.head(torch.tanh(y - y.mean(0)))


def _pooled(*layers: nn.Module, channels: int) -> nn.Module:
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES))


def _plain() -> nn.Module:
    return _pooled(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 5, 3, bias=False), nn.Tanh(), channels=5)


def _batch_norm() -> nn.Module:
    return _pooled(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 1),
        nn.BatchNorm2d(4),
        channels=4,
    )


def _untracked() -> nn.Module:
    return _pooled(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False, track_running_stats=False), nn.Tanh(), channels=4
    )


def _geometries() -> nn.Module:
    return _pooled(
        nn.Conv2d(3, 6, 3, padding=2, dilation=2, groups=3),
        nn.Tanh(),
        nn.Conv2d(6, 4, (3, 2), stride=(2, 1), groups=2),
        nn.BatchNorm2d(4),
        nn.MaxPool2d(2, 1),
        nn.Conv2d(4, 4, 3, padding="same"),
        nn.Conv2d(4, 4, 2, padding=1, padding_mode="circular"),
        nn.AvgPool2d(2),
        channels=4,
    )


def _residual() -> nn.Module:
    body = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Tanh())
    return _pooled(Residual(body), Residual(nn.Conv2d(3, 3, 1)), nn.Dropout(0.5), channels=3)


def _reparametrised() -> nn.Module:
    network = _plain()
    nn.utils.parametrizations.weight_norm(network[0])
    return network


def _linear_head() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, CLASSES))


def _one_output() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0))


@dataclass(frozen=True)
class Case:
    """A network and what is known of it.

    Attributes:
        name: Name of the case.
        make: Makes the network.
        layer_wise: Whether the layer-wise strategy applies under decoupling policies.
        norms: Whether it has BatchNorm.
        tracked: Whether all BatchNorm keeps running statistics.
    """

    name: str
    make: Callable[[], nn.Module]
    layer_wise: bool = True
    norms: bool = False
    tracked: bool = True

    def network(self) -> nn.Module:
        torch.manual_seed(1)
        network = self.make().double()
        for module in network.modules():  # nothing at its trivial starting value
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                if module.weight is not None:
                    nn.init.uniform_(module.weight, 0.5, 1.5)
                    nn.init.normal_(module.bias)
                if module.running_mean is not None:
                    nn.init.normal_(module.running_mean)
                    nn.init.uniform_(module.running_var, 0.5, 2.0)
        return network


CASES = [
    Case("linear head", _linear_head),
    Case("one output", _one_output),
    Case("plain", _plain),
    Case("batch norm", _batch_norm, norms=True),
    Case("untracked batch norm", _untracked, norms=True, tracked=False),
    Case("groups strides dilations paddings", _geometries, norms=True),
    Case("residual with dropout", _residual, norms=True),
    Case("shared modules", Shared, norms=True),
    Case("dead branches", DeadBranch),
    Case("in place", InPlace, norms=True),
    Case("sequence", Sequence, norms=True),
    Case("zero kernel", ZeroKernel),
    Case("tied", Tied, layer_wise=False),
    Case("functional use", Functional, layer_wise=False),
    Case("bare parameter", Bare, layer_wise=False),
    Case("layer norm", Normed, layer_wise=False),
    Case("attention", Attention, layer_wise=False),
    Case("lstm", Recurrent, layer_wise=False),
    Case("gru", lambda: Recurrent(nn.GRU), layer_wise=False),
    Case("time first", TimeFirst, layer_wise=False),
    Case("steps as samples", StepsAsSamples, layer_wise=False),
    Case("reversed samples", Reversed, layer_wise=False),
    Case("reparametrised", _reparametrised, layer_wise=False),
]


def batch(samples: int = SAMPLES, seed: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, 3, 8, 8, generator=generator, dtype=torch.float64)
    return x, torch.arange(samples) % CLASSES


OUTPUTS = ("sum", "traced", "label", "full")
POLICIES = ("coupled", "frozen", "eval", "as-eval-mode", "per-sample")


def _applies(case: Case, policy: str) -> bool:
    if policy == "eval" and not case.tracked:
        return False
    return case.norms or policy in ("coupled", "frozen")  # without BatchNorm all policies are one


PAIRS = [(case, policy) for case in CASES for policy in POLICIES if _applies(case, policy)]
"""Every case under every policy that means something for it."""
IDS = [f"{case.name}-{policy}" for case, policy in PAIRS]


def with_one_output(outputs: tuple[str, ...] = OUTPUTS) -> list[tuple[Case, str, str]]:
    """Every case and policy with one output reduction, in turn, so that each reduction meets each policy.

    For what is compared with a kernel that ``test_every_strategy_equals_the_definition`` has proved for all of them.
    """
    return [
        (case, policy, outputs[(CASES.index(case) + POLICIES.index(policy)) % len(outputs)]) for case, policy in PAIRS
    ]


def ids(triples: list[tuple[Case, str, str]]) -> list[str]:
    return [f"{case.name}-{policy}-{output}" for case, policy, output in triples]
