"""Normalisations of a kernel before a measure."""

from __future__ import annotations

from torch import Tensor

from ntknas.kernels.gram import GramParts


def normalised(parts: GramParts, how: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return the matrix and the squared norms of its left and right rows after normalisation.

    ``none`` leaves K; ``cosine`` is D^-½ K D^-½; ``corrcoef`` is the Pearson correlation of the rows of J:
    (K_ij − s_i s_j / P) / √((K_ii − s_i²/P)(K_jj − s_j²/P)) with s the row sums and P the row length. A row without
    spread gives entries that are not a number.
    """
    gram, (left, right) = parts.gram, parts.norms
    if how == "none":
        return gram, left, right
    if how == "corrcoef":
        p = parts.columns
        gram = gram - parts.sums[0][:, None] * parts.sums[-1][None, :] / p
        left = left - parts.sums[0].square() / p
        right = right - parts.sums[-1].square() / p
    matrix = gram / (left[:, None] * right[None, :]).sqrt()
    return matrix, left.new_ones(left.shape), right.new_ones(right.shape)
