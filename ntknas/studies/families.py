"""Families of networks of any width: every name means one network, whichever study takes it.

Studies of version 0.1.0 called several networks by one short name (``mlp`` was one hidden layer in one study and two in
another). A family keeps the name that its results are recorded under; a study takes that name for its own families, and
the name of the family itself as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ntknas.core.errors import check_known

ALL = "all"
"""Stands for all families of a study."""
PARAMETRISATIONS = {
    "standard": "torch's layers and their initialisation: weights and biases uniform on ±1/√fan-in",
    "ntk": "y = √2 w x/√fan-in + 0.1 b, w and b standard normal (1 in place of √2 in the last layer and in attention)",
    "normal-fan-in": "weights normal of variance 1/fan-in, no biases",
}


@dataclass(frozen=True)
class Family:
    """A family of networks.

    Attributes:
        name: Its name, which no other has.
        recorded: The name that its results are recorded under and pages are named after.
        kind: What its layers are: dense, convolutional, graph, recurrent or attention.
        text: What its networks are.
        data: Names of the data that it takes, the default first.
    """

    name: str
    recorded: str
    kind: str
    text: str
    data: tuple[str, ...]


_HOUSES = ("boston", "boston-file-order", "mnist", "digits")
_SEQUENCES = ("sine", "temperature", "digits")
FAMILIES = {
    family.name: family
    for family in (
        Family("mlp-1", "mlp", "dense", "one hidden layer, ReLU", _HOUSES),
        Family("mlp-2", "mlp", "dense", "two hidden layers, ReLU", ("boston", "mnist")),
        Family("cnn-average", "cnn", "convolutional", "two 3×3 convolutions, ReLU, average pooling", ("mnist",)),
        Family("cnn-flat", "cnn", "convolutional", "two 3×3 convolutions of stride 2, ReLU, flattened", ("mnist",)),
        Family(
            "cnn-pool",
            "cnn-pool",
            "convolutional",
            "two 3×3 convolutions of stride 2, ReLU, global average pooling",
            ("mnist",),
        ),
        Family(
            "gnn",
            "gnn",
            "graph",
            "two blocks of one ReLU layer, degree-scaled aggregation, jumping knowledge",
            ("mutag",),
        ),
        Family("rnn", "rnn", "recurrent", "one recurrent erf layer, mean of the states", _SEQUENCES),
        Family(
            "transformer-128",
            "transformer",
            "attention",
            "one encoder layer, one head, feed-forward width 128",
            ("sine", "temperature"),
        ),
        Family(
            "transformer-wide",
            "transformer-wide",
            "attention",
            "one encoder layer, one head, feed-forward as wide as the rest",
            ("sine", "temperature"),
        ),
        Family(
            "transformer-tied",
            "transformer",
            "attention",
            "one encoder layer, one head with tied weights, layer norm",
            _SEQUENCES,
        ),
    )
}


def accepted_names() -> list[str]:
    """Return every name that some study takes: those that results are recorded under, and the families' own."""
    return [*dict.fromkeys([*(family.recorded for family in FAMILIES.values()), *FAMILIES, ALL])]


def resolve(name: str, families: Iterable[str]) -> str:
    """Return the family that a study means by a name.

    Args:
        name: Its own name, or the one that its results are recorded under.
        families: The families of the study.

    Returns:
        Its own name.

    Raises:
        ChoiceError: If the study has no family of this name.

    Example:
        >>> resolve("mlp", ["mlp-2", "gnn"]), resolve("mlp-2", ["mlp-2", "gnn"])
        ('mlp-2', 'mlp-2')
    """
    by_name = {FAMILIES[family].recorded if family in FAMILIES else family: family for family in families}
    if name in by_name.values():
        return name
    return by_name[check_known("family of this study", name, by_name)]
