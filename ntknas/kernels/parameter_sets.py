"""Which parameters the Jacobian is taken by."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.parameter import UninitializedParameter

from ntknas.core.choices import PARAMETERS
from ntknas.core.errors import KernelError, check_known


def select(model: nn.Module, parameters: str | Sequence[str]) -> dict[str, nn.Parameter]:
    """Return the parameters of a set, by name, each once (a tied one under its first name).

    Parameters count whether or not they are set to train: the kernel is a property of the function.

    Args:
        model: The network.
        parameters: A key of ``PARAMETERS``, or the names of the parameters themselves.

    Returns:
        The parameters, in the model's order (of names: in theirs).

    Raises:
        ChoiceError: If the set or a name is unknown.
        KernelError: If the set is empty, a lazy module has not seen its first input, or a hook changes a gradient.
    """
    candidates = dict(model.named_parameters())
    if any(isinstance(parameter, UninitializedParameter) for parameter in candidates.values()):
        raise KernelError("The module holds lazy parameters without a shape: run one forward pass before the kernel.")
    if isinstance(parameters, str):
        selected = _by_set(model, candidates, parameters)
    else:
        selected = _by_name(candidates, parameters)
    if not selected:
        raise KernelError(
            f"The parameter set {parameters!r} is empty for {type(model).__name__}: expected at least one parameter "
            f"among {', '.join(candidates) or 'none'}. Set `parameters` to 'all' or to names of parameters."
        )
    hooked = [name for name, parameter in selected.items() if parameter._backward_hooks]
    if hooked:
        raise KernelError(f"A hook changes the gradient of {', '.join(hooked)}, which is then no row of J: remove it.")
    return selected


def _by_set(model: nn.Module, candidates: dict[str, nn.Parameter], name: str) -> dict[str, nn.Parameter]:
    check_known("parameter set", name, PARAMETERS)
    if name == "all":
        return candidates
    # Anywhere in the name: weight_hh_l0, in_proj_weight and the scale of BatchNorm are among them.
    weights = {key: value for key, value in candidates.items() if "weight" in key}
    if name == "weights":
        return weights
    head = last_linear_layer(model)
    if head is None:
        raise KernelError(
            "The set 'weights-no-head' leaves out the last linear layer, and this module has none: "
            "choose 'weights', or pass parameter names."
        )
    left_out = {id(parameter) for parameter in head.parameters()}
    return {key: value for key, value in weights.items() if id(value) not in left_out}


def _by_name(candidates: dict[str, nn.Parameter], names: Sequence[str]) -> dict[str, nn.Parameter]:
    for name in names:
        check_known("parameter", name, candidates)
    return {name: candidates[name] for name in names}


def last_linear_layer(model: nn.Module) -> nn.Linear | None:
    """Return the last linear layer of a network, which is its classifier; ``None`` if it has none."""
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return layers[-1] if layers else None
