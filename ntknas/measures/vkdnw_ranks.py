"""What VKDNW makes of its entropy: the score with the number of layers, and the aggregate of ranks."""

from __future__ import annotations

import numpy as np

from ntknas.measures.derived import Array
from ntknas.measures.registry import register_derived

_SOURCE = "Týbl & Neumann (CVPR 2025), VKDNW"


@register_derived(
    "vkdnw_single",
    inputs=("vkdnw_code", "trainable_layers"),
    formula="trainable_layers + vkdnw_code",
    better="higher",
    source=f"{_SOURCE}, its published figures",
)
def vkdnw_single(vkdnw_code: Array, trainable_layers: Array) -> Array:
    """Return the layers plus the entropy, which is below log 9: the layers decide, it breaks ties. Higher is better."""
    return trainable_layers + vkdnw_code


@register_derived(
    "vkdnw_single_true",
    inputs=("vkdnw", "trainable_layers"),
    formula="trainable_layers + vkdnw",
    better="higher",
    source=f"{_SOURCE}, with the Fisher information of its paper",
)
def vkdnw_single_true(vkdnw: Array, trainable_layers: Array) -> Array:
    """Return the layers plus the entropy of the true Fisher information's spectrum. Higher is better."""
    return vkdnw_single(vkdnw, trainable_layers)


@register_derived(
    "vkdnw_agg",
    inputs=("vkdnw_code", "trainable_layers", "jacob_cov", "az_expressivity", "az_trainability", "flops"),
    formula="Σ log rank of vkdnw_single, jacob_cov, az_expressivity, az_trainability and FLOPs, rank 1 the worst",
    better="higher",
    source=f"{_SOURCE}, its aggregate",
)
def vkdnw_agg(
    vkdnw_code: Array,
    trainable_layers: Array,
    jacob_cov: Array,
    az_expressivity: Array,
    az_trainability: Array,
    flops: Array,
) -> Array:
    """Return the sum of the logarithms of five ranks, with mid-ranks for ties. Higher is better.

    A cell that lacks a component has no aggregate; in the code it takes the worst rank.
    """
    from scipy.stats import rankdata

    single = vkdnw_single(vkdnw_code, trainable_layers)
    components = np.stack([single, jacob_cov, az_expressivity, az_trainability, flops])
    aggregate: Array = np.log(rankdata(components, axis=1)).sum(0)
    return aggregate
