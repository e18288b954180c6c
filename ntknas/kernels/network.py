"""A network under its batch-norm policy, with the parameters and choices of the kernel that is taken of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.kernels import gradients, outputs, parameter_sets, preparation
from ntknas.kernels.batch import Batch
from ntknas.kernels.batch_norm import Policy, applied
from ntknas.kernels.features import features_of


@dataclass(frozen=True, eq=False)
class NetworkUnderPolicy:
    """What kernels are computed of; made by ``under_policy``.

    Attributes:
        model: The network, as the policy says and in plain surroundings.
        policy: The batch-norm policy at work.
        parameters: What the Jacobian is taken by, by name.
        choices: Which kernel is meant.
    """

    model: nn.Module
    policy: Policy
    parameters: dict[str, nn.Parameter]
    choices: Choices

    @property
    def leaves(self) -> list[nn.Parameter]:
        """The parameters without their names."""
        return list(self.parameters.values())

    @property
    def columns(self) -> int:
        """Length of a row of J."""
        return gradients.columns(self.leaves)

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Of each parameter the number of the module that owns it, and its own among those of the module."""
        modules = {path: number for number, (path, _) in enumerate(self.model.named_modules())}
        owners = [modules[name.rpartition(".")[0]] for name in self.parameters]
        return [(owner, owners[:position].count(owner)) for position, owner in enumerate(owners)]

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the parameters, of complex ones that of their parts."""
        return gradients.real(self.leaves[0].detach()).dtype

    @property
    def couples_samples(self) -> bool:
        """Whether BatchNorm makes a sample's output depend on the others."""
        return self.policy.couples_samples

    @property
    def with_sums(self) -> bool:
        """Whether the normalisation needs the sums of the rows' entries."""
        return self.choices.normalisation == "corrcoef"

    def output(self, x: Tensor) -> Tensor:
        """Pass a batch and return the outputs, N×C, with their graph."""
        return outputs.of(self.model, x)

    def rows_per_sample(self, x: Tensor) -> int:
        """Return how many rows of J a sample has: 1, or for ``full`` the number C of outputs."""
        return outputs.rows_per_sample(self.choices.output, self.model, x)

    def passes(self, output: Tensor, labels: Tensor | None) -> outputs.Passes:
        """Return the cotangents of the backward passes that the output reduction asks for."""
        return outputs.passes(self.choices.output, output, labels)

    def vjp(self, output: Tensor, cotangent: Tensor) -> gradients.Gradients:
        """Return Jᵀv by parameter, for an output that keeps its graph."""
        return gradients.vjp(output, self.leaves, cotangent)

    def record_statistics(self, x: Tensor) -> None:
        """Fix the statistics that the policy records, if any, to those of a whole batch."""
        if self.policy.needs_recording:
            self.policy.record()
            with torch.no_grad():
                self.output(x)
            self.policy.start()


@contextmanager
def under_policy(model: nn.Module, sides: Sequence[Batch], choices: Choices) -> Iterator[NetworkUnderPolicy]:
    """Put a network under the policy of the choices; the model is as it was when the context ends.

    Args:
        model: The network, checked by ``preparation.check_model``.
        sides: One batch or two.
        choices: Which kernel is meant; the precision is taken from parameters and batches.

    Yields:
        The network.

    Raises:
        ChoiceError: If the parameter set is unknown.
        KernelError: If parameters and inputs do not share a precision, the set is empty, or the choices name an attack,
            which has to be made before.
    """
    if choices.attack is not None:
        raise KernelError(
            f"A kernel under attack ({choices.perturb}) is computed by perturbed_ntk: leave out `perturb` here."
        )
    parameters = parameter_sets.select(model, choices.parameters)
    if choices.output == "features":
        model, parameters = features_of(model, parameters)
    precision = preparation.precision(parameters, [side.x for side in sides])
    with preparation.prepared(model, parameters, sides[0].x), applied(model, choices.batch_norm) as policy:
        yield NetworkUnderPolicy(model, policy, parameters, replace(choices, precision=precision))
