"""The choices that make one tangent kernel out of many: each is named, visible and part of a score's identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from ntknas.core.errors import ChoiceError, check_known
from ntknas.core.options import Option
from ntknas.core.perturbation import CLEAN, NO_ATTACK, PERTURBED, Attack, RowKind

OUTPUTS = {
    "sum": "g_i = Σ_c J[i,c], K_ij = g_i·g_j (N×N)",
    "traced": "K_ij = Σ_c J[i,c]·J[j,c] (N×N)",
    "label": "g_i = J[i,y_i], K_ij = g_i·g_j (N×N)",
    "features": "g_i = Σ_k ∂h_k(x_i)/∂θ, h what the last linear layer is given, its parameters left out (N×N)",
    "full": "K_(i,c),(j,d) = J[i,c]·J[j,d] (NC×NC, row i·C + c)",
}
BATCH_NORMS = {
    "coupled": "batch statistics, and the gradient flows through them: row i sees every sample",
    "frozen": "mean and biased variance of the whole probe, recorded once, then constants",
    "eval": "running statistics (0 and 1 at initialisation), constants",
    "as-eval-mode": "whatever module.eval() does: BatchNorm without running statistics stays coupled",
    "per-sample": "each sample's own spatial statistics, and the gradient flows through them",
}
PARAMETERS = {
    "all": "every parameter",
    "weights": "every parameter whose name contains 'weight', BatchNorm scale included",
    "weights-no-head": "as weights, without the classifier (the last linear layer)",
}
NORMALISATIONS = {
    "none": "K as it is",
    "cosine": "D^-1/2 K D^-1/2 with D the squared norms of the rows of J",
    "corrcoef": "Pearson correlation of the rows of J",
}
PRECISIONS = ("float32", "float64")


@dataclass(frozen=True)
class Choices:
    """Which kernel is meant: one value of each choice of the definitions.

    Attributes:
        output: Output reduction, a key of ``OUTPUTS``.
        batch_norm: Batch-normalisation policy, a key of ``BATCH_NORMS``.
        parameters: Parameter set, a key of ``PARAMETERS``, or the names of the parameters themselves.
        normalisation: Normalisation of K, a key of ``NORMALISATIONS``.
        precision: Precision of the rows of J; the Gram matrix is always accumulated in float64.
        perturb: Attack on the batch, as in ``perturbation.ATTACKS``.
        kernel_of: Which rows the kernel is of where there is an attack, as in ``perturbation.ROWS``.
    """

    output: Annotated[str, Option("Output reduction.", choices=OUTPUTS)] = "sum"
    batch_norm: Annotated[str, Option("Batch-norm policy.", choices=BATCH_NORMS)] = "frozen"
    parameters: Annotated[str | tuple[str, ...], Option("Parameter set.", choices=PARAMETERS)] = "weights"
    normalisation: Annotated[str, Option("Normalisation of the kernel.", choices=NORMALISATIONS)] = "none"
    precision: Annotated[str, Option("Precision of the rows; the Gram matrix is float64.", choices=PRECISIONS)] = (
        "float32"
    )
    perturb: Annotated[
        str,
        Option(
            "Attack on the probe by the untrained network: none, fgsm:EPS or pgdT:EPS[:ALPHA], of pixels from 0 to 1, "
            "such as fgsm:1/255 or pgd20:8/255."
        ),
    ] = NO_ATTACK
    kernel_of: Annotated[
        str,
        Option("Rows of the kernel under an attack: perturbed, clean, mixed:BETA or mixed-robust:BETA."),
    ] = PERTURBED

    def __post_init__(self) -> None:
        """Check every choice against the known ones.

        Raises:
            ChoiceError: If a choice is unknown, or rows are to be mixed without an attack.
        """
        check_known("output reduction", self.output, OUTPUTS)
        check_known("batch-norm policy", self.batch_norm, BATCH_NORMS)
        if isinstance(self.parameters, str):
            check_known("parameter set", self.parameters, PARAMETERS)
        check_known("normalisation", self.normalisation, NORMALISATIONS)
        check_known("precision", self.precision, PRECISIONS)
        self._check_attack()

    def _check_attack(self) -> None:
        attack, rows = Attack.parse(self.perturb), RowKind.parse(self.kernel_of)
        if attack is None and rows.is_mixed:
            raise ChoiceError(f"`kernel_of` {self.kernel_of} needs an attack: give `perturb` too, such as fgsm:1/255.")
        if attack is None or rows.name == CLEAN:
            attack, rows = None, RowKind(PERTURBED)
        # One text for each kernel: scores are found by it.
        object.__setattr__(self, "perturb", NO_ATTACK if attack is None else attack.text)
        object.__setattr__(self, "kernel_of", rows.text)

    @property
    def attack(self) -> Attack | None:
        """The attack on the batch; ``None`` for the kernel of the batch as it is."""
        return Attack.parse(self.perturb)

    @property
    def rows(self) -> RowKind:
        """Which rows the kernel is of where there is an attack."""
        return RowKind.parse(self.kernel_of)

    def unperturbed(self) -> Choices:
        """Return the choices without the attack."""
        return replace(self, perturb=NO_ATTACK, kernel_of=PERTURBED)

    @classmethod
    def of(cls, output: str, batch_norm: str, parameters: str | Sequence[str], normalisation: str = "none") -> Choices:
        """Make choices of what a caller names; parameters may be any sequence of names, the precision is open.

        Args:
            output: Output reduction.
            batch_norm: Batch-norm policy.
            parameters: Parameter set, or names of parameters.
            normalisation: Normalisation of K.

        Returns:
            The choices.

        Raises:
            ChoiceError: If one is unknown.
        """
        names = parameters if isinstance(parameters, str) else tuple(parameters)
        return cls(output, batch_norm, names, normalisation)

    def as_dict(self) -> dict[str, str | Sequence[str]]:
        """Return the choices as a plain dictionary, ready for JSON; those of an attack where there is one."""
        # Left out rather than "none": settings from before these fields keep their digests.
        usual = {"perturb": NO_ATTACK, "kernel_of": PERTURBED}
        return {name: value for name, value in asdict(self).items() if usual.get(name) != value}
