"""What people use in torch: the kernel of all parameters of Σ_c f_c, for a network in evaluation mode.

Each function takes (network, images) and returns K, N×N.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def with_batch_statistics(network: nn.Module, x: Tensor) -> nn.Module:
    """Bring a network into evaluation mode with the batch's statistics as running ones: the policy ``frozen``."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    handles = [norm.register_forward_pre_hook(_take_statistics) for norm in norms]
    network.eval()
    with torch.no_grad():
        network(x)
    for handle in handles:
        handle.remove()
    return network


def _take_statistics(norm: nn.Module, inputs: tuple[Tensor]) -> None:
    variance, mean = torch.var_mean(inputs[0], (0, 2, 3), correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


def row_loop(network: nn.Module, x: Tensor) -> Tensor:
    """One backward pass of the batch for each image, as in TE-NAS and Mok et al.; K in float32 as there."""
    output = network(x)
    rows = []
    for i in range(len(x)):
        network.zero_grad()
        output[i : i + 1].backward(torch.ones_like(output[i : i + 1]), retain_graph=True)
        rows.append(torch.cat([p.grad.reshape(-1) for p in network.parameters() if p.grad is not None]))
    jacobian = torch.stack(rows)
    return jacobian @ jacobian.T


def _per_sample(network: nn.Module, x: Tensor, transform, chunk: int | None, dtype: torch.dtype) -> Tensor:
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    buffers = dict(network.named_buffers())

    def summed(values, image):
        return torch.func.functional_call(network, (values, buffers), (image[None],)).sum()

    rows = torch.func.vmap(transform(summed), in_dims=(None, 0), chunk_size=chunk)(parameters, x)
    jacobian = torch.cat([value.reshape(len(x), -1) for value in rows.values()], 1)
    jacobian = jacobian.to(dtype)
    return jacobian @ jacobian.T


def vmap_grad(chunk: int | None, dtype: torch.dtype = torch.float32):
    """``vmap(grad)`` of torch.func, K from rows in a precision."""
    return lambda network, x: _per_sample(network, x, torch.func.grad, chunk, dtype)


def vmap_jacrev(chunk: int | None, dtype: torch.dtype = torch.float32):
    """``vmap(jacrev)`` of torch.func, likewise."""
    return lambda network, x: _per_sample(network, x, torch.func.jacrev, chunk, dtype)


def nngeometry(batch: int):
    """Nngeometry's Gram matrix, in batches of a size."""
    from nngeometry.gram import GramMatrix
    from nngeometry.layercollection import LayerCollection
    from torch.utils.data import DataLoader, TensorDataset

    def kernel(network: nn.Module, x: Tensor) -> Tensor:
        loader = DataLoader(TensorDataset(x), batch)
        layers = LayerCollection.from_model(network)
        gram = GramMatrix(network, loader, lambda images: network(images).sum(1, keepdim=True), layer_collection=layers)
        return gram.to_torch().reshape(len(x), len(x)).detach()

    return kernel
