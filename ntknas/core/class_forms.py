"""Quadratic forms of a kernel in the indicators of the classes: what some measures need of it, and no more."""

from __future__ import annotations

from dataclasses import dataclass

from ntknas.core.choices import Choices


@dataclass(frozen=True)
class ClassForms:
    """z_cᵀKz_c for the indicator z_c of every class c, and 1ᵀK1.

    Attributes:
        counts: Number n_c of samples of every class that occurs.
        by_class: z_cᵀKz_c = ‖Jᵀz_c‖², in the same order, float64.
        total: 1ᵀK1 = ‖Jᵀ1‖².
        choices: Which kernel's they are.
    """

    counts: tuple[int, ...]
    by_class: tuple[float, ...]
    total: float
    choices: Choices

    @property
    def samples(self) -> int:
        """Number N of samples."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """Mean of the entries of K, 1ᵀK1/N²."""
        return self.total / self.samples**2

    @property
    def alignment_numerator(self) -> float:
        """Σ_ij (K_ij − K̄)(L_ij − L̄) with L_ij = +1 if y_i = y_j, else −1.

        With S = Σ_c z_c z_cᵀ, L = 2S − 11ᵀ: 2·[Σ_c z_cᵀKz_c − (Σ_c n_c²/N²)·1ᵀK1].
        """
        share = sum(count**2 for count in self.counts) / self.samples**2
        return 2 * (sum(self.by_class) - share * self.total)
