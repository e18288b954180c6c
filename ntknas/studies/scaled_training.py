"""Training of α (f − f_0) with the loss over α², beside the linearised network under the same steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntknas.kernels import empirical_ntk

_MIN_STEP = 1e-6  # share of the first step under which training stands still
_MAX_STEPS = 20  # times the steps that are needed at the first step's size


@dataclass(frozen=True)
class Record:
    """What a network is at a moment of its training.

    Attributes:
        share: Share of the whole time.
        change: ‖θ_t − θ_0‖ / ‖θ_0‖.
        layers: The same of each layer.
        distance: ‖F_t − F_t^lin‖ / ‖F_t^lin‖ on test samples.
        drift: ‖K_t − K_0‖_F / ‖K_0‖_F over training and test samples.
        loss: Mean square of F_t − y on training samples.
        error: The same on test samples.
    """

    share: float
    change: float
    layers: dict[str, float]
    distance: float
    drift: float
    loss: float
    error: float


@dataclass(frozen=True)
class ScaledTraining:
    """A training of F = α (f − f_0) on (1/α²) (1/N) Σ (F(x_i) − y_i)², by gradient descent.

    Time is that of F: for a kernel that stays, F moves alike for every α. A step that would raise the loss is undone
    and halved; steps grow back. The linearised network takes the very same steps.

    Attributes:
        network: A network of one output.
        x: Samples, training ones first.
        y: Values, (N + M)×1.
        samples: N, the training samples.
        alpha: α.
        steps: Steps of size N / (2 λ_max(K_0)) that the whole time is.
    """

    network: nn.Module
    x: Tensor
    y: Tensor
    samples: int
    alpha: float
    steps: int

    def run(self, shares: Sequence[float]) -> tuple[list[Record], str]:
        """Train, and return records at shares of the whole time, and how it ended.

        Args:
            shares: Ascending, at most 1.

        Returns:
            Records, and ``ok``, ``diverged`` (no number) or ``unfinished`` (steps became too small, or too many).
        """
        start, parameters = self._outputs(), list(self.network.parameters())
        first = [parameter.detach().clone() for parameter in parameters]
        kernel = self._kernel()
        if not bool(torch.isfinite(kernel).all()):
            return [], "diverged"
        step = largest = self.samples / (2 * float(torch.linalg.eigvalsh(kernel[: self.samples, : self.samples])[-1]))
        duration, time, linear = self.steps * largest, 0.0, torch.zeros_like(self.y)
        records: list[Record] = []
        for _ in range(_MAX_STEPS * self.steps):
            loss, gradients = self._gradients(start)
            if not math.isfinite(loss):
                return records, "diverged"
            step = min(step, duration - time)
            previous = [parameter.detach().clone() for parameter in parameters]
            self._move(parameters, gradients, step)
            with torch.no_grad():
                next_loss = self._loss(start).item()
            if not next_loss <= loss * (1 + 1e-9):  # not "> …": a step to NaN is undone, too
                self._restore(parameters, previous)
                step /= 2
                if step < _MIN_STEP * largest:
                    return records, "unfinished"
                continue
            residual = (linear - self.y)[: self.samples]
            # Without α: those of F and of its gradient cancel the 1/α² of the loss.
            linear = linear - 2 * step / self.samples * kernel[:, : self.samples].to(residual) @ residual
            time, step = time + step, min(1.2 * step, largest)
            # Less a little: a sum of steps may round to just below the share.
            while len(records) < len(shares) and time >= shares[len(records)] * duration * (1 - 1e-12):
                records.append(self._record(shares[len(records)], start, first, kernel, linear))
            if len(records) == len(shares):
                return records, "ok"
        return records, "unfinished"

    def _outputs(self) -> Tensor:
        with torch.no_grad():
            outputs: Tensor = self.network(self.x)
        return outputs

    def _kernel(self) -> Tensor:
        return empirical_ntk(self.network, self.x, parameters="all", verify=False).matrix

    def _gradients(self, start: Tensor) -> tuple[float, list[Tensor]]:
        """The loss of F, and the gradient of it over α² for the parameters."""
        loss = self._loss(start)
        gradients = torch.autograd.grad(loss / self.alpha**2, list(self.network.parameters()), allow_unused=True)
        parameters = self.network.parameters()
        return loss.item(), [
            torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters, strict=True)
        ]

    def _loss(self, start: Tensor) -> Tensor:
        """Mean square of F − y on the training samples."""
        n = self.samples
        outputs: Tensor = self.network(self.x[:n])
        return (self.alpha * (outputs - start[:n]) - self.y[:n]).square().mean()

    @staticmethod
    def _move(parameters: list[nn.Parameter], gradients: list[Tensor], step: float) -> None:
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(step * gradient)

    @staticmethod
    def _restore(parameters: list[nn.Parameter], values: list[Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(parameters, values, strict=True):
                parameter.copy_(value)

    def _record(self, share: float, start: Tensor, first: list[Tensor], kernel: Tensor, linear: Tensor) -> Record:
        n, scaled = self.samples, self.alpha * (self._outputs() - start)
        moved, sizes = self._by_layer(first)
        return Record(
            share,
            math.sqrt(sum(moved.values()) / sum(sizes.values())),
            {name: math.sqrt(moved[name] / sizes[name]) for name in moved},
            float((scaled - linear)[n:].norm() / linear[n:].norm()),
            float((self._kernel() - kernel).norm() / kernel.norm()),
            float((scaled - self.y)[:n].square().mean()),
            float((scaled - self.y)[n:].square().mean()),
        )

    def _by_layer(self, first: list[Tensor]) -> tuple[dict[str, float], dict[str, float]]:
        """Squared change and squared size at initialisation of the parameters of each layer."""
        moved: dict[str, float] = {}
        sizes: dict[str, float] = {}
        for (name, parameter), was in zip(self.network.named_parameters(), first, strict=True):
            layer = name.rpartition(".")[0].removesuffix(".linear").removesuffix(".convolution")
            moved[layer] = moved.get(layer, 0.0) + float((parameter.detach() - was).square().sum())
            sizes[layer] = sizes.get(layer, 0.0) + float(was.square().sum())
        return moved, sizes
