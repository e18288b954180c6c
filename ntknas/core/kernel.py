"""The kernel: a Gram matrix together with everything that says which one it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ntknas.core.choices import Choices
from ntknas.core.errors import KernelError
from ntknas.core.lazy import torch
from ntknas.core.shown import Shown, counted, in_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from torch import Tensor

    from ntknas.core import html
    from ntknas.core.layer_kernel import LayerKernel

ROW_ERROR_FACTOR = 50.0
"""c of the singularity rule: the relative error of a computed row of J is about c·eps of the rows' precision.

Measured by ``scripts/measure_row_error.py``; see docs/numerics.md.
"""


@dataclass(frozen=True, repr=False)
class Kernel(Shown):
    """A neural tangent kernel on a probe, or between two probes.

    Attributes:
        matrix: Float64 Gram matrix on the CPU, N×N (NC×NC for ``full``), or N×M between two batches.
        choices: What was computed.
        labels: Labels of the rows' samples, shape N, or ``None``.
        samples: Number N of samples of the first batch.
        outputs: Number C of outputs of the network.
        symmetric: Whether both sides are the same batch.
        strategy: Name of the algorithm that computed it.
        left_norms: Squared norms of the rows of J of the first batch (float64), as in the diagonal.
        right_norms: The same for the second batch; the same tensor if symmetric.
        layers: What each layer adds, in the order of the modules; ``None`` unless asked for.
    """

    matrix: Tensor
    choices: Choices
    labels: Tensor | None
    samples: int
    outputs: int
    symmetric: bool
    strategy: str
    left_norms: Tensor
    right_norms: Tensor
    layers: tuple[LayerKernel, ...] | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """Number of rows of the matrix."""
        return self.matrix.shape[0]

    @property
    def row_eps(self) -> float:
        """Machine epsilon of the precision in which the rows of J were computed."""
        return torch.finfo(getattr(torch, self.choices.precision)).eps

    @property
    def is_finite(self) -> bool:
        """Whether every entry is a finite number."""
        return bool(torch.isfinite(self.matrix).all())

    @cached_property
    def spectrum(self) -> Tensor:
        """Eigenvalues in descending order, float64, from a symmetric solver.

        Raises:
            KernelError: If the kernel is not symmetric or not finite.
        """
        self.require_symmetric("A spectrum")
        if not self.is_finite:
            raise KernelError("A spectrum needs finite entries: this kernel holds NaN or infinity.")
        ascending: Tensor = torch.linalg.eigvalsh(self.matrix)
        return ascending.flip(0)

    @property
    def singular_below(self) -> float:
        """The eigenvalue at or below which the kernel counts as singular; see ``singular_below``."""
        return singular_below(self.spectrum, self.row_eps)

    @property
    def is_singular(self) -> bool:
        """Whether the smallest eigenvalue cannot be told from zero at the precision of the rows."""
        return float(self.spectrum[-1]) <= self.singular_below

    def require_symmetric(self, quantity: str) -> None:
        """Check that both sides are the same batch.

        Raises:
            KernelError: If this is a kernel between two batches.
        """
        if not self.symmetric:
            raise KernelError(f"{quantity} needs a kernel of one batch with itself, got one between two batches.")

    @property
    def has_spectrum(self) -> bool:
        """Whether its eigenvalues are at hand already."""
        return "spectrum" in self.__dict__

    def plot(self, title: str = "", style: str = "screen") -> Figure:
        """Draw it as a heat map beside its spectrum; see ``ntknas.figures.kernel``."""
        from ntknas import figures  # which know kernels

        return figures.kernel(self, title, style)

    def _line(self) -> str:
        shape = "×".join(map(str, self.matrix.shape))
        said = [f"{shape} of {self._sides()}", *self._chosen()]
        if self.has_spectrum:
            said += [f"{name} {text}" for name, text in self._spectrum_in_numbers().items()]
        return ", ".join(said)

    def _sides(self) -> str:
        return counted(self.samples, "sample") if self.symmetric else "two batches"

    def _chosen(self) -> list[str]:
        """Return the choices in words, the precision last."""
        chosen, usual = self.choices.as_dict(), {"normalisation": "none", "precision": self.choices.precision}
        named = {name: value if isinstance(value, str) else f"{len(value)} named" for name, value in chosen.items()}
        return [*(f"{name} {text}" for name, text in named.items() if usual.get(name) != text), self.choices.precision]

    def _spectrum_in_numbers(self) -> dict[str, str]:
        largest, smallest = float(self.spectrum[0]), float(self.spectrum[-1])
        singular = {"singular": f"at or below {in_digits(self.singular_below)}"} if self.is_singular else {}
        return {"λ_1": in_digits(largest), f"λ_{self.size}": in_digits(smallest), **singular}

    def _facts(self) -> Mapping[str, html.Child]:
        facts: dict[str, html.Child] = {"outputs of the network": self.outputs}
        if self.labels is not None:
            facts["classes"] = len(self.labels.unique())
        facts["computed by"] = self.strategy
        if self.layers is not None:
            facts["kernels of layers"] = len(self.layers)
        if self.symmetric:
            facts["trace"] = in_digits(float(self.matrix.trace()))
            facts["eigenvalues"] = "not computed yet: ask for .spectrum"
        if self.has_spectrum:
            facts["eigenvalues"] = ", ".join(f"{name} {text}" for name, text in self._spectrum_in_numbers().items())
        return facts

    def cosine(self) -> Kernel:
        """Return D^-½ K D^-½; rows of norm zero give entries that are not a number."""
        # One root of the product, not the product of two: the diagonal of one batch is then exactly one.
        scale = (self.left_norms[:, None] * self.right_norms[None, :]).sqrt()
        ones = torch.ones_like
        return replace(
            self,
            matrix=self.matrix / scale,
            choices=replace(self.choices, normalisation="cosine"),
            left_norms=ones(self.left_norms),
            right_norms=ones(self.right_norms),
            layers=None,  # whose cosine normalisations do not add up
        )


def singular_below(spectrum: Tensor, row_eps: float) -> float:
    """Return the eigenvalue at or below which a Gram matrix counts as singular.

    max(n·eps64, n·(c·eps_rows)²)·λ_1 with c = ``ROW_ERROR_FACTOR``.

    Args:
        spectrum: Its n eigenvalues in descending order.
        row_eps: Machine epsilon of the precision of the rows.
    """
    n = len(spectrum)
    # Squared, since eigenvalues of K are squares of singular values of J.
    relative = max(n * torch.finfo(torch.float64).eps, n * (ROW_ERROR_FACTOR * row_eps) ** 2)
    return relative * float(spectrum[0])
