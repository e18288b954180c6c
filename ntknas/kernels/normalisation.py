"""Normalisations of a kernel before a measure."""

from __future__ import annotations

from torch import Tensor

from ntknas.kernels.gram import GramAccumulator


def normalised(accumulator: GramAccumulator, normalisation: str) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise a Gram matrix.

    ``none`` leaves K; ``cosine`` is D^-½ K D^-½; ``corrcoef`` is the Pearson correlation of the rows of J:
    (K_ij − s_i s_j / P) / √((K_ii − s_i²/P)(K_jj − s_j²/P)) with s the row sums and P the row length. A row without
    spread gives entries that are not a number.

    Args:
        accumulator: The Gram matrix with norms and sums of its rows.
        normalisation: A key of ``ntknas.core.choices.NORMALISATIONS``.

    Returns:
        The matrix, and the squared norms of the rows of J on both sides after normalisation.
    """
    gram, (row_norms, column_norms) = accumulator.gram, accumulator.norms
    if normalisation == "none":
        return gram, row_norms, column_norms
    if normalisation == "corrcoef":
        p, sums = accumulator.columns, accumulator.sums
        gram = gram - sums[0][:, None] * sums[-1][None, :] / p
        row_norms = row_norms - sums[0].square() / p
        column_norms = column_norms - sums[-1].square() / p
    matrix = gram / (row_norms[:, None] * column_norms[None, :]).sqrt()
    return matrix, row_norms.new_ones(row_norms.shape), column_norms.new_ones(column_norms.shape)
