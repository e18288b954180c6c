"""VKDNW: how evenly the spectrum of the Fisher information of the class probabilities is spread.

Týbl & Neumann (CVPR 2025) and their code. Of each of the first 128 parameter tensors, in the order in which the network
constructs them, the first entry is a coordinate; convolutions that lead nowhere are among them, as in the code. The
inputs are 64 draws of N(0, 1) in the shape of the probe's images; BatchNorm is in evaluation mode, so that it does
nothing at initialisation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntknas.core.cases import NetworkCase
from ntknas.core.lazy import nn, torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.draws import noise
from ntknas.measures.registry import register

if TYPE_CHECKING:
    from torch import Tensor

TENSORS = 128
INPUTS = 64
SMOOTHING = 0.05
DECILES = tuple(k / 10 for k in range(1, 10))
OFFSET = 1e-10
_SPREAD = "−Σ_k t_k log(t_k + 1e-10), t_k = v_k / (Σ_j v_j + 1e-10), v the deciles of the eigenvalues of F = mean_n "


@register(
    "vkdnw",
    formula=f"{_SPREAD}J_nᵀ(diag p_n − p_n p_nᵀ)J_n, J by the first entry of 128 tensors",
    better="higher",
    source="Týbl & Neumann (CVPR 2025), VKDNW, as its paper defines it",
    needs=(Need.NETWORK,),
)
def vkdnw(case: NetworkCase) -> float:
    """Return the entropy of the deciles of the Fisher information's spectrum, between 0 and log 9. Higher is better.

    J_n is the derivative of the logits at input n, p_n = 0.95 softmax + 0.05/C. The published figures are those of
    ``vkdnw_code``; the two rank cells almost alike.

    Raises:
        NoValueError: ``undefined`` if all deciles are zero, or a BatchNorm keeps no running statistics; ``non-finite``
            if the network's outputs or gradients are not finite.
    """
    probabilities, jacobian = _probabilities_and_jacobian(case)
    # The factor diag(√p)(1 − 1pᵀ), whose Gram matrix is diag p − ppᵀ: no difference of two matrices.
    centred = jacobian - torch.einsum("nc,ncp->np", probabilities, jacobian)[:, None]
    return spread(_spectrum(probabilities.sqrt()[..., None] * centred))


@register(
    "vkdnw_code",
    formula=f"{_SPREAD}(L_n J_n)ᵀ(L_n J_n), L_n lower triangular, L_n L_nᵀ = diag p_n − p_n p_nᵀ",
    better="higher",
    source="Týbl & Neumann (CVPR 2025), VKDNW: what its code computes, and its published figures",
    needs=(Need.NETWORK,),
)
def vkdnw_code(case: NetworkCase) -> float:
    """Return the entropy as the code computes it, with L_n where its transpose is needed. Higher is better.

    F is then not the Fisher information; see ``vkdnw`` for all else.

    Raises:
        NoValueError: As ``vkdnw`` does.
    """
    probabilities, jacobian = _probabilities_and_jacobian(case)
    return spread(_spectrum(softmax_factor(probabilities) @ jacobian))


def _probabilities_and_jacobian(case: NetworkCase) -> tuple[Tensor, Tensor]:
    """Return the smoothed probabilities, N×C, and the logits' derivative by the coordinates, N×C×P, in float64.

    Raises:
        NoValueError: ``undefined`` if a BatchNorm keeps no running statistics.
    """
    from ntknas.kernels.first_entries import first_entry_jacobian

    inputs = noise(case, torch.Generator().manual_seed(case.seed), INPUTS)
    network = case.copy().eval()
    if any(isinstance(module, nn.BatchNorm2d) and module.running_mean is None for module in network.modules()):
        raise NoValueError(Status.UNDEFINED, "a BatchNorm keeps no running statistics, which evaluation mode has")
    jacobian = first_entry_jacobian(network, inputs, coordinates(network), "eval", case.verify)
    with torch.no_grad():
        softmax = network(inputs).double().softmax(1).cpu()
    return (1 - SMOOTHING) * softmax + SMOOTHING / softmax.shape[1], jacobian


def coordinates(network: torch.nn.Module) -> list[str]:
    """Return the names of the parameter tensors whose first entries are the coordinates, in their order."""
    return [name for name, _ in network.named_parameters()][:TENSORS]


def softmax_factor(p: Tensor) -> Tensor:
    """Return the lower triangular L with L Lᵀ = diag p − p pᵀ, in closed form.

    With q_i = Σ_{j>i} p_j, q_0 = 1: L_ii = √(p_i q_i / q_{i−1}), L_ij = −(p_i / q_j) L_jj for i > j; the last column is
    zero.

    Args:
        p: Positive probabilities, …×C.

    Returns:
        L, …×C×C.
    """
    rest = p.flip(-1).cumsum(-1).flip(-1)  # q_{i−1}, without the cancellation of 1 − Σ p
    after = torch.cat([rest[..., 1:], torch.zeros_like(rest[..., :1])], -1)
    diagonal = (p * after / rest).sqrt()
    ratio = torch.where(after > 0, diagonal / after, 0)
    return torch.diag_embed(diagonal) - (p[..., :, None] * ratio[..., None, :]).tril(-1)


def _spectrum(factors: Tensor) -> Tensor:
    """Return the eigenvalues of F = (1/N) Σ_n A_nᵀ A_n for factors A, N×C×P.

    Raises:
        NoValueError: ``non-finite`` if F is not finite.
    """
    rows = factors.flatten(0, 1)
    information = rows.T @ rows / len(factors)
    if not bool(torch.isfinite(information).all()):
        raise NoValueError(Status.NON_FINITE, "the Fisher information holds NaN or infinity")
    eigenvalues: Tensor = torch.linalg.eigvalsh(information)
    return eigenvalues.clamp(min=0)


def spread(eigenvalues: Tensor) -> float:
    """Return the entropy of the deciles of a spectrum.

    Raises:
        NoValueError: ``undefined`` if all deciles are zero.
    """
    deciles = torch.quantile(eigenvalues, eigenvalues.new_tensor(DECILES))
    if not bool(deciles.sum() > 0):
        raise NoValueError(Status.UNDEFINED, "nine tenths of the spectrum of the Fisher information are zero")
    shares = deciles / (deciles.sum() + OFFSET)
    return -float((shares * (shares + OFFSET).log()).sum())
