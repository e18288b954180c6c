"""Which cells are one network: canonical forms that keep a shared convolution apart from a repeated one.

A node is a sum of *terms*: the cell's input or a convolution's output, behind some number of average poolings, with
a multiplicity. Skip connections and average pooling are linear, so a node expands into its terms exactly; a
convolution (ReLU, convolution, BatchNorm) starts a new term and is one *instance* wherever its output goes.

Two forms are taken, and a labelling of the instances that is canonical for both:

* ``weights``: a convolution of nothing is nothing. Its input is zero, so BatchNorm's normalised value and every
  gradient of a weight are zero at initialisation. Equal forms: equal kernels at initialisation under the ``weights``
  sets.
* ``all``: a convolution of nothing is its BatchNorm's shift, a trainable constant image (which pooling leaves
  alone, and for which the size of the convolution does not matter). It trains where its gradient reaches the output;
  a shift that only feeds ReLUs at zero, whose derivative there is zero, stays zero for good and is dropped. Equal
  forms: equal kernels under ``all``, and equal functions all through training.

Instances that do not reach the output are dropped from both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import permutations, product
from pathlib import Path

import numpy as np

from ntknas.spaces.nb201.cells import EDGES, OUTPUT_NODE, published_order

Term = tuple[int, int]
"""(source, number of poolings); the source is ``INPUT`` or the edge of a convolution."""
Sum = dict[Term, int]
"""A node: the multiplicity of each term."""
Encoded = tuple[tuple[tuple[int, int], int], ...]
Form = tuple[object, ...]

INPUT = -1
_SHIFT = "shift"
IDENTITIES = ("weights", "all")
STORED = Path(__file__).with_name("classes.npz")
"""The class representatives of all cells, by identity."""


@dataclass(frozen=True)
class CanonicalCell:
    """The canonical forms of a cell and the names of its convolutions in them.

    Attributes:
        weights: Form that decides equality at initialisation under the ``weights`` sets.
        all: Form that decides equality under ``all`` and after training.
        labels: For each edge with a live convolution, its canonical number: the same in every cell of one form.
    """

    weights: Form
    all: Form
    labels: tuple[tuple[int, int], ...]


@dataclass
class _Expansion:
    """A cell written out: what each convolution is applied to, and the output."""

    kinds: dict[int, str]
    inputs: dict[int, Sum]
    output: Sum

    def live(self) -> list[int]:
        """Return the edges of the convolutions that reach the output."""
        live: list[int] = []
        pending = [source for source, _ in self.output]
        while pending:
            edge = pending.pop()
            if edge != INPUT and edge not in live:
                live.append(edge)
                pending.extend(source for source, _ in self.inputs[edge])
        return sorted(live)

    def key(self, edge: int) -> tuple[object, ...]:
        """Return a name of the convolution that does not depend on how instances are numbered."""
        terms = ((pools, count, self._source_key(source)) for (source, pools), count in self.inputs[edge].items())
        return (self.kinds[edge], *sorted(terms, key=repr))

    def _source_key(self, source: int) -> tuple[object, ...]:
        return () if source == INPUT else self.key(source)

    def encode(self, labels: dict[int, int], edges: Iterable[int]) -> Form:
        """Write the cell with the convolutions named by ``labels``, in the order of ``edges``."""
        instances = tuple((self.kinds[edge], _encode_sum(self.inputs[edge], labels)) for edge in edges)
        return (*instances, _encode_sum(self.output, labels))


def _encode_sum(terms: Sum, labels: dict[int, int]) -> Encoded:
    return tuple(sorted(((labels.get(source, INPUT), pools), count) for (source, pools), count in terms.items()))


def _expand(operations: tuple[str, ...], *, keep_shifts: bool) -> _Expansion:
    nodes: list[Counter[Term]] = [Counter({(INPUT, 0): 1}), Counter(), Counter(), Counter()]
    expansion = _Expansion({}, {}, {})
    for edge, (operation, (source, target)) in enumerate(zip(operations, EDGES, strict=True)):
        terms = nodes[source]
        if operation == "skip_connect":
            nodes[target].update(terms)
        elif operation == "avg_pool_3x3":
            nodes[target].update({(origin, pools + 1): count for (origin, pools), count in terms.items()})
        elif operation != "none" and (terms or keep_shifts):
            expansion.kinds[edge] = operation
            expansion.inputs[edge] = dict(terms)
            nodes[target][edge, 0] += 1
    expansion.output = dict(nodes[OUTPUT_NODE])
    return _settle_shifts(expansion) if keep_shifts else expansion


def _settle_shifts(cell: _Expansion) -> _Expansion:
    """Keep the shifts that train, and write what is constant in one way."""
    zero: set[int] = set()  # convolutions whose input is zero at initialisation
    for edge, terms in cell.inputs.items():  # in the order of edges: inputs come first
        if all(source in zero for source, _ in terms):
            zero.add(edge)
    if all(source in zero for source, _ in cell.output):  # nothing but shifts: the last ReLU stops every gradient
        return _Expansion({}, {}, {})
    trained = _trained_shifts(cell, zero)
    settled = _Expansion({}, {}, {})
    flat: set[int] = set()
    for edge, terms in cell.inputs.items():
        merged = _merged(terms, zero - trained, flat)
        settled.inputs[edge] = merged
        settled.kinds[edge] = cell.kinds[edge] if merged else _SHIFT
        if not merged or (cell.kinds[edge] == "nor_conv_1x1" and all(source in flat for source, _ in merged)):
            flat.add(edge)  # spatially constant: pooling leaves it alone
    settled.output = _merged(cell.output, zero - trained, flat)
    return settled


def _trained_shifts(cell: _Expansion, zero: set[int]) -> set[int]:
    """Return the convolutions of zero whose shift gets a gradient, at the start or once another shift has left zero."""
    trained = {source for source, _ in cell.output} & zero
    live = cell.live()
    size = -1
    while len(trained) > size:
        size = len(trained)
        for edge in live:
            sources = {source for source, _ in cell.inputs[edge]}
            if edge not in zero or (edge in trained and sources & trained):
                trained |= sources & zero
    return trained


def _merged(terms: Sum, dropped: set[int], flat: set[int]) -> Sum:
    merged: Counter[Term] = Counter()
    for (source, pools), count in terms.items():
        if source not in dropped:
            merged[source, 0 if source in flat else pools] += count
    return dict(merged)


def _orders(expansion: _Expansion, edges: list[int]) -> Iterator[list[int]]:
    """Yield all orders of ``edges`` by key; edges with one key in every order."""
    groups: dict[str, list[int]] = {}
    for edge in edges:
        groups.setdefault(repr(expansion.key(edge)), []).append(edge)
    arranged = product(*(permutations(groups[key]) for key in sorted(groups)))
    return ([edge for group in order for edge in group] for order in arranged)


@cache
def canonical(operations: tuple[str, ...]) -> CanonicalCell:
    """Return the canonical forms of a cell: the smallest over all numberings of equal-looking convolutions."""
    weights = _expand(operations, keep_shifts=False)
    full = _expand(operations, keep_shifts=True)
    live = weights.live()
    extra = [edge for edge in full.live() if edge not in live]
    best: tuple[str, str] | None = None
    for order in (a + b for a, b in product(_orders(weights, live), list(_orders(full, extra)))):
        labels = {edge: number for number, edge in enumerate(order)}
        forms = weights.encode(labels, order[: len(live)]), full.encode(labels, order)
        # By text: another order would number convolutions in another way, and their numbers seed their weights.
        if best is None or (repr(forms[0]), repr(forms[1])) < best:
            best = repr(forms[0]), repr(forms[1])
            result = CanonicalCell(forms[0], forms[1], tuple(sorted(labels.items())))
    return result


@lru_cache(maxsize=2)
def class_representatives(identity: str) -> tuple[int, ...]:
    """Return for every cell the smallest index among the cells that are the same network.

    They stand in a file, since finding them takes seconds: ``python scripts/identities.py --write`` makes it of
    ``found_representatives``, and the tests hold it against that.

    Args:
        identity: ``"weights"`` or ``"all"``, as explained at the top of this file.
    """
    with np.load(STORED, allow_pickle=False) as stored:
        return tuple(stored[identity].tolist())


def found_representatives(identity: str) -> tuple[int, ...]:
    """Return what ``class_representatives`` does, from the forms of all cells."""
    first: dict[Form, int] = {}
    forms = (getattr(canonical(operations), identity) for operations in published_order())
    return tuple(first.setdefault(form, index) for index, form in enumerate(forms))
