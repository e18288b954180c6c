"""The rank sum of TE-NAS."""

from __future__ import annotations

from ntknas.measures.derived import Array
from ntknas.measures.registry import register_derived


@register_derived(
    "tenas_rank",
    inputs=("cond", "linear_regions"),
    formula="−(rank of κ, 1 for the smallest, + rank of the linear regions, 1 for the most)",
    better="higher",
    source="Chen et al., ICLR 2021",
)
def tenas_rank(cond: Array, linear_regions: Array) -> Array:
    """Return the negative sum of two ranks, with mid-ranks for ties. Higher is better."""
    from scipy.stats import rankdata

    ranks: Array = -(rankdata(cond) + rankdata(-linear_regions))
    return ranks
