"""Kernels straight from their definition, sharing no code with the package: the Jacobian by autograd, the policies by
plain modules in plain modes."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def jacobian(model: nn.Module, x: Tensor, names: list[str]) -> Tensor:
    """J, shape N×C×P, by forward calls with replaced parameters."""
    parameters = dict(model.named_parameters())
    flat = torch.cat([parameters[name].detach().reshape(-1) for name in names])

    def outputs(vector: Tensor) -> Tensor:
        pieces = vector.split([parameters[name].numel() for name in names])
        replaced = {name: piece.view_as(parameters[name]) for name, piece in zip(names, pieces, strict=True)}
        return torch.func.functional_call(model, replaced, (x,), tie_weights=True).reshape(len(x), -1)

    return torch.autograd.functional.jacobian(outputs, flat)


def jacobian_under(
    model: nn.Module, x: Tensor, names: list[str], policy: str, frozen_on: Tensor | None = None
) -> Tensor:
    """J under a batch-norm policy."""
    model = copy.deepcopy(model).eval()
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if policy == "coupled":
        for module in norms:
            module.train()
    elif policy == "frozen":
        _set_running_statistics(model, norms, x if frozen_on is None else frozen_on)
    elif policy == "per-sample":
        for module in norms:
            module.train()
        return torch.cat([jacobian(model, image[None], names) for image in x])
    return jacobian(model, x, names)


def _set_running_statistics(model: nn.Module, norms: list[_BatchNorm], x: Tensor) -> None:
    """Record the statistics of every call by hand, then set them as running statistics before every call."""
    recorded: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {module: [] for module in norms}

    def record(module: nn.Module, inputs: tuple[Tensor]) -> None:
        values = inputs[0].transpose(0, 1).flatten(1)
        recorded[module].append((values.mean(1), values.var(1, correction=0)))

    hooks = [module.register_forward_pre_hook(record) for module in norms]
    for module in norms:
        module.train()
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    for module in norms:
        module.eval()
        module.track_running_stats = True
        calls = itertools.cycle(recorded[module])

        def replay(module: _BatchNorm, _: object, calls: Iterator[tuple[Tensor, Tensor]] = calls) -> None:
            module.running_mean, module.running_var = next(calls)

        module.register_forward_pre_hook(replay)


def kernel(left: Tensor, right: Tensor, output: str, labels: tuple[Tensor, Tensor]) -> Tensor:
    """The output reductions, written as sums."""
    if output == "sum":
        return left.sum(1) @ right.sum(1).T
    if output == "traced":
        return torch.einsum("icp,jcp->ij", left, right)
    if output == "label":
        return _own(left, labels[0]) @ _own(right, labels[1]).T
    return left.flatten(0, 1) @ right.flatten(0, 1).T


def rows(jacobian: Tensor, output: str, labels: Tensor) -> Tensor:
    """The rows whose Gram matrix the kernel is."""
    if output == "traced":
        return jacobian.flatten(1)
    if output == "full":
        return jacobian.flatten(0, 1)
    return jacobian.sum(1) if output == "sum" else _own(jacobian, labels)


def _own(jacobian: Tensor, labels: Tensor) -> Tensor:
    return jacobian[torch.arange(len(jacobian)), labels]
