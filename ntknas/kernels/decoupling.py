"""Whether samples are decoupled, found by gradients on a few of them, whatever the modules are called.

With a cotangent that is zero for some samples, a decoupled network has exactly zero gradient at those samples'
inputs, and every layer that keeps samples in dimension 0 has exactly zero output gradient in their rows. Two
cotangents, {0, 2} and {0, 1} of four samples, tell every permutation of the samples from the identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.kernels.gradients import vjp
from ntknas.kernels.memory import is_out_of_memory
from ntknas.kernels.network import NetworkUnderPolicy
from ntknas.kernels.strategies.tapping import LayerTap, NotLayerWiseError, Tapping

SAMPLES = 4


@dataclass
class Decoupling:
    """What the check says of a network.

    Attributes:
        mixes: Whether a sample's output depends on another sample.
        blocker: Why the layer-wise strategy does not apply to this network, else empty.
    """

    mixes: bool
    blocker: str = ""

    @property
    def blockers(self) -> list[str]:
        """All that stands in the way of the layer-wise strategy."""
        return ["samples are mixed"] * self.mixes + [self.blocker] * bool(self.blocker)


def check(network: NetworkUnderPolicy, x: Tensor, *, tapped: bool) -> Decoupling:
    """Check a network on the first samples of a batch, and refuse one that mixes them against its policy.

    Args:
        network: The network; statistics that its policy records of the few samples serve the check alone.
        x: The batch.
        tapped: Whether to check the layers for the layer-wise strategy too.

    Returns:
        Whether the policy's kernel is one of decoupled samples, and why the strategy does not apply.

    Raises:
        KernelError: If samples are mixed under a policy that keeps them apart.
    """
    result = _examined(network, x, tapped)
    if result.mixes and not network.policy.admits_mixing:
        raise KernelError(
            f"The policy {network.policy.name!r} needs a network whose samples do not see one another, and here the "
            "gradient of one sample's output reaches another sample's input, beyond BatchNorm. Set "
            "`batch_norm` to 'coupled'."
        )
    return result


def _examined(network: NetworkUnderPolicy, x: Tensor, tapped: bool) -> Decoupling:
    untapped = replace(network, parameters={})
    attempts = [(network, x[:SAMPLES])] if tapped else []
    attempts += [(untapped, x[:SAMPLES])] if len(x) > SAMPLES else []
    blocker = ""
    for subject, samples in attempts:
        network.policy.record()
        try:
            result = _check(subject, samples)
        except Exception as error:
            # Taps may not suit the network, and a network may insist on its batch size, by any error of its own; a true
            # fault comes up again in the check that follows without both.
            if is_out_of_memory(error):
                raise
            blocker = blocker or str(error) or type(error).__name__
        else:
            return Decoupling(result.mixes, result.blocker or blocker)
    network.policy.record()
    return Decoupling(_check(untapped, x).mixes, blocker)


def _check(network: NetworkUnderPolicy, x: Tensor) -> Decoupling:
    if not x.is_floating_point():
        return _check_by_values(network, x)
    x = x.detach().requires_grad_()
    if not network.parameters:
        return Decoupling(_mixes(network.output(x), x))
    tapping = Tapping(network, len(x))
    try:
        with tapping.active():
            return _check_taps(tapping, network.output(x), x, network)
    except NotLayerWiseError as error:
        return Decoupling(_check(replace(network, parameters={}), x).mixes, str(error))


def _check_taps(tapping: Tapping, output: Tensor, x: Tensor, network: NetworkUnderPolicy) -> Decoupling:
    result = Decoupling(mixes=False)
    for silent, cotangent in _cotangents(output):

        def misplaced(tap: LayerTap, rows: Tensor = silent) -> None:
            if any(_touches(gradient, rows) for _, gradient, _ in tap.received):
                result.blocker = f"a {type(tap.module).__name__} does not keep the samples in dimension 0"

        tapping.deliver = misplaced
        to_input, *outside = tapping.backward(output, cotangent, [x, *network.leaves])
        result.mixes |= to_input is not None and _touches(to_input, silent)
        names = [name for name, gradient in zip(network.parameters, outside, strict=True) if gradient is not None]
        if names:
            result.blocker = f"{', '.join(names)} is used outside its layer"
    return result


def _mixes(output: Tensor, x: Tensor) -> bool:
    for silent, cotangent in _cotangents(output):
        (gradient,) = vjp(output, [x], cotangent)
        if gradient is not None and _touches(gradient, silent):
            return True
    return False


def _cotangents(output: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield which samples are silent, and a cotangent that is zero there, generic elsewhere."""
    numbers = torch.arange(len(output), device=output.device)
    # Away from zero, and drawn on the CPU, so that the check is the same on every device.
    generic = torch.rand(output.shape, generator=torch.Generator().manual_seed(0)).to(output) + 0.5
    for bit in (1, 2):
        silent = numbers.bitwise_and(bit) > 0
        if silent.any():
            yield silent, generic.masked_fill(silent[:, None], 0.0)


def _touches(gradient: Tensor, rows: Tensor) -> bool:
    """Return whether the gradient is a number other than zero in these rows.

    NaN says nothing about who depends on whom.

    Returns:
        Whether it is.
    """
    values = gradient[rows]
    return bool((torch.nan_to_num(values, nan=0.0) != 0).any())


def _check_by_values(network: NetworkUnderPolicy, x: Tensor) -> Decoupling:
    """For inputs without gradients (token numbers): does the first output change when the other samples do?"""
    with torch.no_grad():
        first = network.output(x)[0]
        network.policy.start()  # the first pass's statistics, which the second would record again
        changed = network.output(torch.cat([x[:1], x[1:].flip(0)]))[0]
    scale = first.abs().max().clamp_min(torch.finfo(first.dtype).tiny)
    mixes = bool((first - changed).abs().max() > 100 * torch.finfo(first.dtype).eps * scale)
    return Decoupling(mixes, "the input holds no real numbers" if network.parameters else "")
