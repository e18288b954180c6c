"""How the labels lie along the eigenvectors of a kernel: which share of them each eigenvector carries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from ntknas.core.errors import KernelError
from ntknas.core.kernel import Kernel
from ntknas.core.score import NoValueError, Score, Status
from ntknas.core.shown import Shown, counted, in_digits

NAME = "label_alignment"
"""The quantity in frames: the share on as many leading eigenvectors as there are classes among the labels."""


@dataclass(frozen=True, eq=False, repr=False)
class LabelAlignment(Shown):
    """The labels in the basis of a kernel's eigenvectors.

    Attributes:
        eigenvalues: λ_k in descending order.
        shares: a_k of each; their sum is 1.
        classes: Number of classes among the labels.
    """

    eigenvalues: Tensor
    shares: Tensor
    classes: int

    @property
    def leading(self) -> float:
        """The share on as many leading eigenvectors as there are classes."""
        return float(self.shares[: self.classes].sum())

    def _line(self) -> str:
        first = f"the first {self.classes} of {counted(len(self.shares), 'eigenvector')}"
        return f"{in_digits(self.leading, 3)} of the labels of {self.classes} classes on {first}"


def label_alignment(kernel: Kernel) -> LabelAlignment:
    r"""Return the share of the labels that lies along each eigenvector of a kernel.

    a_k = Σ_c (v_kᵀ ȳ_c)² / Σ_c ‖ȳ_c‖², where K v_k = λ_k v_k, λ_1 ≥ … ≥ λ_n, and ȳ_c is the one-hot column of class c
    less its mean over the rows of K. For ``full``, whose rows are pairs (sample, output), there is one target, 1 where
    the output is the sample's class. Σ_k a_k = 1. Eigenvectors of one eigenvalue carry their share together: how it is
    divided among them is the solver's choice.

    The sums over k ≤ m are the cumulative power of Canatar, Bordelon and Pehlevan (2021); weighted by λ_k the shares
    make the kernel-target alignment of Cristianini et al. (2001), Σ_k λ_k a_k / ‖K‖_F for one centred target.

    Args:
        kernel: A kernel of one batch with itself, with labels.

    Returns:
        Eigenvalues and shares.

    Raises:
        KernelError: If the kernel is one between two batches, or has no labels.
        NoValueError: ``non-finite`` if an entry is no finite number; ``undefined`` where the labels are all of one
            class, or a label is none of the outputs that ``full`` has.

    Example:
        >>> from ntknas.kernels import empirical_ntk
        >>> x = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
        >>> label_alignment(empirical_ntk(torch.nn.Linear(2, 1), x, labels=torch.tensor([0, 1]))).shares.tolist()
        [0.5, 0.5]
    """
    kernel.require_symmetric("The alignment of labels with eigenvectors")
    if kernel.labels is None:
        raise KernelError("The alignment of labels with eigenvectors needs labels: pass `labels` to empirical_ntk.")
    if not kernel.is_finite:
        raise NoValueError(Status.NON_FINITE, "the kernel holds NaN or infinity")
    labels = kernel.labels.cpu()
    targets = _targets(kernel, labels)
    total = targets.square().sum()
    if not total > 0:
        raise NoValueError(Status.UNDEFINED, "all labels are of one class")
    eigenvalues, vectors = torch.linalg.eigh(kernel.matrix)
    shares = (vectors.T @ targets).square().sum(1) / total
    return LabelAlignment(eigenvalues.flip(0), shares.flip(0), len(labels.unique()))


def _targets(kernel: Kernel, labels: Tensor) -> Tensor:
    """Return the centred targets, one column each."""
    if kernel.choices.output == "full":
        if int(labels.max()) >= kernel.outputs or int(labels.min()) < 0:
            raise NoValueError(Status.UNDEFINED, f"a label is none of the network's {kernel.outputs} outputs")
        columns = F.one_hot(labels, kernel.outputs).double().reshape(-1, 1)
    else:
        columns = F.one_hot(labels.unique(return_inverse=True)[1]).double()
    centred: Tensor = columns - columns.mean(0)
    return centred


def scored(kernel: Kernel) -> tuple[LabelAlignment | None, Score | None]:
    """Return the alignment of a kernel's labels and its leading share as a score; neither without labels."""
    if kernel.labels is None:
        return None, None
    try:
        alignment = label_alignment(kernel)
    except NoValueError as error:
        return None, Score(NAME, None, error.status, str(error))
    return alignment, Score(NAME, alignment.leading)


def alignment_frame(steps: np.ndarray, spectra: np.ndarray, shares: np.ndarray) -> pd.DataFrame:
    """Return alignments as a table.

    Args:
        steps: The steps.
        spectra: Eigenvalues at each in descending order, steps × n.
        shares: Shares of the labels at each, steps × n.

    Returns:
        One row for each (step, k): ``step``, ``k`` from 1 on, ``eigenvalue``, ``alignment`` and ``cumulative``, the sum
        of the first k.
    """
    records, size = shares.shape
    return pd.DataFrame(
        {
            "step": np.repeat(steps, size),
            "k": np.tile(np.arange(1, size + 1), records),
            "eigenvalue": spectra.reshape(-1),
            "alignment": shares.reshape(-1),
            "cumulative": shares.cumsum(axis=1).reshape(-1),
        }
    )
