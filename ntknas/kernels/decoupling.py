"""Whether samples are decoupled, found by gradients on a few of them, whatever the modules are called.

With a cotangent that is zero for some samples, a decoupled network has exactly zero gradient at those samples'
inputs, and every layer that keeps samples in dimension 0 has exactly zero output gradient in their rows. Two
cotangents, {0, 2} and {0, 1} of four samples, tell every permutation of the samples from the identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ntknas.core.errors import KernelError
from ntknas.kernels import outputs
from ntknas.kernels.batch_norm import Policy
from ntknas.kernels.strategies.layer_wise import LayerTap, NotLayerWiseError, Tapping

SAMPLES = 4


@dataclass
class Decoupling:
    """What the check found.

    Attributes:
        mixes: Whether a sample's output depends on another sample.
        blocker: Why the layer-wise strategy does not apply to this network, else empty.
    """

    mixes: bool
    blocker: str = ""


def check(model: nn.Module, policy: Policy, parameters: dict[str, nn.Parameter], x: Tensor, tapped: bool) -> Decoupling:
    """Check a network on the first samples of a batch.

    Args:
        model: The network under its policy.
        policy: The policy; under ``frozen`` the statistics of the few samples serve the check alone.
        parameters: The parameter set.
        x: The batch.
        tapped: Whether to check the layers for the layer-wise strategy too.
    """
    attempts = [(parameters, x[:SAMPLES])] if tapped else []
    attempts += [({}, x[:SAMPLES])] if len(x) > SAMPLES else []
    blocker = ""
    for chosen, few in attempts:
        policy.record()
        try:
            found = _check(model, policy, chosen, few)
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001
            # Taps may not suit the network, and a network may insist on its batch size, by any error of its own; a true
            # fault comes up again in the check that follows without both.
            blocker = blocker or str(error) or type(error).__name__
        else:
            return Decoupling(found.mixes, found.blocker or blocker)
    policy.record()
    return Decoupling(_check(model, policy, {}, x).mixes, blocker)


def refuse_mixing(policy: Policy, mixes: bool) -> None:
    """Refuse a network whose samples are mixed under a policy that is to keep them apart.

    Raises:
        KernelError: If they are.
    """
    if mixes and policy.name != "coupled":
        raise KernelError(
            f"The policy {policy.name!r} needs a network whose samples do not see one another, and here the gradient "
            "of one sample's output reaches another sample's input, beyond BatchNorm. Use batch_norm='coupled'."
        )


def _check(model: nn.Module, policy: Policy, parameters: dict[str, nn.Parameter], x: Tensor) -> Decoupling:
    if not x.is_floating_point():
        return _check_by_values(model, policy, parameters, x)
    x = x.detach().requires_grad_()
    if not parameters:
        return Decoupling(_mixes(outputs.of(model, x), x))
    tapping = Tapping(model, policy, parameters, len(x))
    try:
        with tapping.active():
            return _check_taps(tapping, outputs.of(model, x), x, parameters)
    except NotLayerWiseError as error:
        return Decoupling(_check(model, policy, {}, x).mixes, str(error))


def _check_taps(tapping: Tapping, output: Tensor, x: Tensor, parameters: dict[str, nn.Parameter]) -> Decoupling:
    found = Decoupling(mixes=False)
    for left_out, cotangent in _cotangents(output):

        def misplaced(tap: LayerTap, rows: Tensor = left_out) -> None:
            if any(_touches(gradient, rows) for _, gradient, _ in tap.received):
                found.blocker = f"a {type(tap.module).__name__} does not keep the samples in dimension 0"

        tapping.deliver = misplaced
        to_input, *outside = tapping.backward(output, cotangent, [x, *parameters.values()])
        found.mixes |= to_input is not None and _touches(to_input, left_out)
        used = [name for name, gradient in zip(parameters, outside, strict=True) if gradient is not None]
        if used:
            found.blocker = f"{', '.join(used)} is used outside its layer"
    return found


def _mixes(output: Tensor, x: Tensor) -> bool:
    if not output.requires_grad:
        return False
    for left_out, cotangent in _cotangents(output):
        (gradient,) = torch.autograd.grad(output, x, cotangent, retain_graph=True, allow_unused=True)
        if gradient is not None and _touches(gradient, left_out):
            return True
    return False


def _cotangents(output: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the samples left out and a cotangent that is zero there, generic elsewhere."""
    numbers = torch.arange(len(output), device=output.device)
    generic = torch.rand(output.shape, generator=torch.Generator().manual_seed(0)).to(output) + 0.5
    for bit in (1, 2):
        left_out = numbers.bitwise_and(bit) > 0
        if left_out.any():
            yield left_out, generic.masked_fill(left_out[:, None], 0.0)


def _touches(gradient: Tensor, rows: Tensor) -> bool:
    """Whether the gradient is a number other than zero in these rows (NaN says nothing about who depends on whom)."""
    values = gradient[rows]
    return bool((torch.nan_to_num(values, nan=0.0) != 0).any())


def _check_by_values(model: nn.Module, policy: Policy, parameters: dict[str, nn.Parameter], x: Tensor) -> Decoupling:
    """For inputs without gradients (token numbers): does the first output change when the other samples do?"""
    with torch.no_grad():
        before = outputs.of(model, x)[0]
        policy.start()
        after = outputs.of(model, torch.cat([x[:1], x[1:].flip(0)]))[0]
    scale = before.abs().max().clamp_min(torch.finfo(before.dtype).tiny)
    mixes = bool((before - after).abs().max() > 100 * torch.finfo(before.dtype).eps * scale)
    return Decoupling(mixes, "the input holds no real numbers" if parameters else "")
