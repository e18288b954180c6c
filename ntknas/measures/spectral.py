"""What the eigenvalues λ_1 ≥ … ≥ λ_n of a kernel say."""

from __future__ import annotations

from ntknas.core.kernel import Kernel
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Aggregate, Need
from ntknas.measures.matrices import entropy
from ntknas.measures.registry import register

_KERNEL = (Need.KERNEL,)
EIG_OFFSET = 1.0
"""k of the measure ``eig``."""


def check_invertible(kernel: Kernel) -> None:
    """Check that the smallest eigenvalue of a kernel can be told from zero.

    Raises:
        NoValueError: ``singular`` if it cannot.
    """
    if kernel.is_singular:
        raise NoValueError(
            Status.SINGULAR,
            f"λ_n = {float(kernel.spectrum[-1]):.3g} is zero at the precision of the rows "
            f"(threshold {kernel.singular_below:.3g})",
        )


@register(
    "lambda_max",
    formula="λ_1",
    better="higher",
    source="standard",
    needs=_KERNEL,
    aggregate=Aggregate.GEOMETRIC,
)
def lambda_max(kernel: Kernel) -> float:
    """Return the largest eigenvalue. Higher is better."""
    return float(kernel.spectrum[0])


@register("lambda_min", formula="λ_n", better="higher", source="standard", needs=_KERNEL)
def lambda_min(kernel: Kernel) -> float:
    """Return the smallest eigenvalue, as computed; zero to rounding where the kernel is singular. Higher is better."""
    return float(kernel.spectrum[-1])


@register(
    "cond",
    formula="λ_1 / λ_n",
    better="lower",
    source="TE-NAS (Chen et al., ICLR 2021)",
    needs=_KERNEL,
    aggregate=Aggregate.GEOMETRIC,
)
def condition_number(kernel: Kernel) -> float:
    """Return the condition number. Lower is better.

    Raises:
        NoValueError: ``singular`` if λ_n is zero at the precision of the rows.
    """
    check_invertible(kernel)
    return float(kernel.spectrum[0] / kernel.spectrum[-1])


@register(
    "neg_cond",
    formula="−λ_1 / λ_n",
    better="higher",
    source="Mok et al. (CVPR 2022), NCN",
    needs=_KERNEL,
    aggregate=Aggregate.GEOMETRIC,
)
def negative_condition_number(kernel: Kernel) -> float:
    """Return the negative condition number. Higher is better.

    Raises:
        NoValueError: ``singular`` if λ_n is zero at the precision of the rows.
    """
    return -condition_number(kernel)


@register("logdet", formula="Σ log λ", better="higher", source="standard", needs=_KERNEL)
def log_determinant(kernel: Kernel) -> float:
    """Return the logarithm of the determinant. Higher is better.

    Raises:
        NoValueError: ``singular`` if λ_n is zero at the precision of the rows.
    """
    check_invertible(kernel)
    return float(kernel.spectrum.log().sum())


@register(
    "eig",
    formula="−Σ [log(λ+k) + 1/(λ+k)] of the cosine- or corrcoef-normalised kernel, k = 1",
    better="higher",
    source="jacob_cov (Mellor et al. 2020), the TE-NAS follow-ups",
    needs=_KERNEL,
)
def eigenvalue_score(kernel: Kernel) -> float:
    """Return the score of the eigenvalues of the normalised kernel. Higher is better.

    A kernel without normalisation is brought to its cosine normalisation first.

    Raises:
        NoValueError: ``undefined`` if a row of J is zero, so that there is no normalised kernel.
    """
    normal = kernel.cosine() if kernel.choices.normalisation == "none" else kernel
    if not normal.is_finite:
        raise NoValueError(Status.UNDEFINED, "a row of the Jacobian is zero: no normalised kernel")
    shifted = normal.spectrum + EIG_OFFSET
    return float(-(shifted.log() + 1 / shifted).sum())


@register(
    "effective_rank",
    formula="exp(−Σ p log p), p = λ/Σλ",
    better="higher",
    source="Roy & Vetterli (EUSIPCO 2007)",
    needs=_KERNEL,
)
def effective_rank(kernel: Kernel) -> float:
    """Return the exponential of the entropy of the eigenvalues' shares. Higher is better.

    Raises:
        NoValueError: ``undefined`` for the zero kernel.
    """
    if not kernel.spectrum.clamp_min(0).sum() > 0:
        raise NoValueError(Status.UNDEFINED, "the kernel is zero")
    return float(entropy(kernel.spectrum).exp())
