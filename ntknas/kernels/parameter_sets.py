"""Which parameters the Jacobian is taken by."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.parameter import UninitializedParameter

from ntknas.core.choices import PARAMETERS
from ntknas.core.errors import KernelError, check_known, unknown


def select(model: nn.Module, parameters: str | Sequence[str]) -> dict[str, nn.Parameter]:
    """Return the parameters of a set, by name, each once (a tied one under its first name).

    Parameters count whether or not they are set to train: the kernel is a property of the function.

    Args:
        model: The network.
        parameters: A key of ``PARAMETERS``, or the names of the parameters themselves.

    Raises:
        ChoiceError: If the set or a name is unknown.
        KernelError: If the set is empty, a lazy module has not seen its first input, or a hook changes a gradient.
    """
    named = dict(model.named_parameters())
    if any(isinstance(parameter, UninitializedParameter) for parameter in named.values()):
        raise KernelError("The module holds lazy parameters without a shape: run one forward pass before the kernel.")
    chosen = _by_set(model, named, parameters) if isinstance(parameters, str) else _by_name(named, parameters)
    if not chosen:
        raise KernelError(
            f"The parameter set {parameters!r} is empty for {type(model).__name__}: expected at least one parameter "
            f"among {', '.join(named) or 'none'}. Choose 'all', or pass parameter names."
        )
    hooked = [name for name, parameter in chosen.items() if parameter._backward_hooks]
    if hooked:
        raise KernelError(f"A hook changes the gradient of {', '.join(hooked)}, which is then no row of J: remove it.")
    return chosen


def _by_set(model: nn.Module, named: dict[str, nn.Parameter], name: str) -> dict[str, nn.Parameter]:
    check_known("parameter set", name, PARAMETERS)
    if name == "all":
        return named
    weights = {key: value for key, value in named.items() if "weight" in key}
    if name == "weights":
        return weights
    head = {id(parameter) for parameter in _head(model).parameters()}
    return {key: value for key, value in weights.items() if id(value) not in head}


def _by_name(named: dict[str, nn.Parameter], names: Sequence[str]) -> dict[str, nn.Parameter]:
    for name in names:
        if name not in named:
            raise unknown("parameter", name, named)
    return {name: named[name] for name in names}


def _head(model: nn.Module) -> nn.Linear:
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise KernelError(
            "The set 'weights-no-head' leaves out the last linear layer, and this module has none: "
            "choose 'weights', or pass parameter names."
        )
    return layers[-1]
