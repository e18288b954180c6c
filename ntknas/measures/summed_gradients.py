"""What vilhess's code computes in the name of a kernel: gradients summed by parameter tensor before the product."""

from __future__ import annotations

from ntknas.core.cases import NetworkCase
from ntknas.core.choices import Choices
from ntknas.core.lazy import torch
from ntknas.core.score import NoValueError, Status
from ntknas.measures.definition import Need
from ntknas.measures.registry import register

IMAGES_AT_ONCE = 100
"""Images that pass at a time where they do not see one another: memory does not grow with the number of classes."""


@register(
    "class_lambda_min_summed",
    formula="Σ_c λ_min of Σ_p s_p s_pᵀ on the images of class c, s_p[n] = Σ_a ∂f_c(x_n)/∂θ_pa over parameter tensor p",
    better="higher",
    source="vilhess/NTK (2024), what its code computes; class_lambda_min is what its text means",
    needs=(Need.NETWORK, Need.LABELS, Need.CHOICES),
)
def class_lambda_min_summed(case: NetworkCase) -> float:
    """Return the sum of the smallest eigenvalues of the classes' summed-gradient kernels. Higher is better.

    With S the images of a class by parameter tensors that matrix is SSᵀ, so its smallest eigenvalue is the square of
    S's smallest singular value, and zero where there are more images than tensors. Under the batch-norm policy and by
    the parameter set of the recipe.

    Raises:
        NoValueError: ``undefined`` if a class has fewer than two images; ``non-finite`` if a gradient is.
    """
    from ntknas.kernels import Batch
    from ntknas.kernels.summed_gradients import compute_sums

    for label, count in zip(*(t.tolist() for t in case.labels.unique(return_counts=True)), strict=True):
        if count < 2:
            raise NoValueError(Status.UNDEFINED, f"class {label} has fewer than two images")
    choices = Choices.of("label", case.choices.batch_norm, case.choices.parameters)
    batch = Batch(case.images, case.labels)
    sums = compute_sums(case.network, batch, choices, verify=case.verify, chunk=IMAGES_AT_ONCE)
    if not bool(torch.isfinite(sums).all()):
        raise NoValueError(Status.NON_FINITE, "a sum of gradients is not a finite number")
    labels = case.labels.cpu()
    return sum(_smallest_eigenvalue(sums[labels == label]) for label in labels.unique())


def _smallest_eigenvalue(sums: torch.Tensor) -> float:
    images, tensors = sums.shape
    # Not eigvalsh of SSᵀ, which loses what is smaller than √eps of the largest singular value.
    return float(torch.linalg.svdvals(sums)[-1] ** 2) if images <= tensors else 0.0
