"""A network as a list of operations and arrays, for a program that has no torch."""

from __future__ import annotations

import json
import operator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, fx, nn


def export(network: nn.Module, x: Tensor, path: Path) -> None:
    """Write a network in evaluation mode, its parameters and a batch to an npz file.

    Args:
        network: Convolutions, BatchNorm, ReLU, average pooling, sums, a mean over positions, a linear layer.
        x: The batch.
        path: Where to write.
    """
    traced = fx.GraphModule(network, _Tracer().trace(network))
    modules, arrays, steps = dict(traced.named_modules()), {"x": x.numpy()}, []
    for node in traced.graph.nodes:
        inputs = [argument.name for argument in node.all_input_nodes]
        step = {"name": node.name, "inputs": inputs}
        if node.op == "call_module":
            steps.append(step | _module(node.name, modules[node.target], arrays))
        elif node.op == "call_function":
            kinds = {operator.add: "add", torch.zeros_like: "zeros"}
            steps.append(step | {"kind": kinds[node.target]})
        elif node.op == "call_method":
            steps.append(step | {"kind": "mean"})
        elif node.op == "placeholder":
            steps.append(step | {"kind": "input"})
        else:
            steps.append(step | {"kind": "output"})
    np.savez(path, steps=json.dumps(steps), **arrays)


class _Tracer(fx.Tracer):
    """Takes the spaces' own pooling for the layer of torch that it is."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, nn.AvgPool2d) or super().is_leaf_module(m, module_qualified_name)


def _module(name: str, module: nn.Module, arrays: dict[str, np.ndarray]) -> dict:
    arrays |= {f"p/{name}/{key}": value.detach().numpy() for key, value in module.named_parameters()}
    match module:
        case nn.Conv2d():
            return {"kind": "conv", "stride": module.stride, "padding": module.padding}
        case nn.BatchNorm2d():
            arrays |= {f"b/{name}/{key}": value.numpy() for key, value in module.named_buffers()}
            return {"kind": "norm", "eps": module.eps}
        case nn.AvgPool2d():
            size, stride, padding = (
                v if isinstance(v, tuple) else (v, v) for v in (module.kernel_size, module.stride, module.padding)
            )
            return {"kind": "pool", "size": size, "stride": stride, "padding": padding}
        case nn.Linear() | nn.ReLU() | nn.Identity():
            return {"kind": type(module).__name__.lower()}
    raise TypeError(f"No translation of {type(module).__name__}.")
