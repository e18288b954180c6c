"""The features of a network in place of its outputs: what its last linear layer, the classifier, is given."""

from __future__ import annotations

from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.kernels.parameter_sets import last_linear_layer

PREFIX = "network."
"""What stands before the names of a network's modules and parameters in the network that returns its features."""


class Features(nn.Module):
    """A network that returns what its classifier is given; the classifier itself is still called, in vain.

    Args:
        network: The network.

    Raises:
        KernelError: If it has no linear layer.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        head = last_linear_layer(network)
        if head is None:
            raise KernelError(
                "The output reduction 'features' is of what the last linear layer is given, and this module has none: "
                "let it return its features, and set `output` to 'sum'."
            )
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return the features, N×….

        Raises:
            KernelError: If the classifier is not called exactly once.
        """
        given: list[Tensor] = []
        handle = self.head.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
        try:
            self.network(x)
        finally:
            handle.remove()
        if len(given) != 1:
            raise KernelError(
                f"The output reduction 'features' needs a network that calls its last linear layer once, and this one "
                f"calls it {len(given)} times."
            )
        return given[0]


def features_of(model: nn.Module, parameters: dict[str, nn.Parameter]) -> tuple[nn.Module, dict[str, nn.Parameter]]:
    """Return the network whose outputs are the features, and the parameters by their names there.

    Args:
        model: The network.
        parameters: Parameters by name; those of the classifier are left out.

    Returns:
        Network and parameters.

    Raises:
        KernelError: If there is no linear layer, or no parameter beside its own.
    """
    features = Features(model)
    head = {id(parameter) for parameter in features.head.parameters()}
    others = {f"{PREFIX}{name}": value for name, value in parameters.items() if id(value) not in head}
    if not others:
        raise KernelError("The output reduction 'features' leaves out the last linear layer: no parameter is left.")
    return features, others
