"""Parameters and multiply-adds of a network, counted in the network itself: right for any space, if slow."""

from __future__ import annotations

from ntknas.core.lazy import nn, torch


def parameters(network: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def flops(network: nn.Module, image_size: int) -> int:
    """Return the multiply-adds of one image's forward pass: of convolutions, and of linear layers with their biases."""
    total = 0

    def count(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear)
        biases = output.numel() if isinstance(layer, nn.Linear) and layer.bias is not None else 0
        total += layer.weight[0].numel() * output.numel() + biases

    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear):
            module.register_forward_hook(count)
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, image_size, image_size))
    return total
