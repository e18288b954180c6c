"""Cells that are called one network have equal kernels, those that are not have not, with weights copied."""

import random
from collections import defaultdict

import pytest
import torch
from torch import nn

from ntknas import empirical_ntk, load_space
from ntknas.core.errors import ChoiceError
from ntknas.spaces.nb201 import identity
from ntknas.spaces.nb201.cells import format_cell, published_order
from ntknas.spaces.nb201.graph import is_disconnected, isomorphism_string
from ntknas.spaces.nb201.network import InferCell

SMALL = {"channels": 2, "cells_per_stage": 1, "num_classes": 3}
WEIGHT_CLASSES, ALL_CLASSES = 5_044, 5_212


@pytest.fixture(scope="module")
def probe():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 12, 12, generator=generator, dtype=torch.float64)


def _kernel(network, x, parameters, batch_norm="frozen"):
    return empirical_ntk(network, x, output="full", batch_norm=batch_norm, parameters=parameters).matrix


def _equal(a, b, tolerance=1e-9):
    return bool((a - b).norm() <= tolerance * max(float(a.norm()), float(b.norm()), 1e-300))


def test_class_counts():
    assert len(set(identity.class_representatives("weights"))) == WEIGHT_CLASSES
    assert len(set(identity.class_representatives("all"))) == ALL_CLASSES


def _form_alone(operations):
    """The form ``weights`` without the one of all parameters."""
    expansion = identity._expand(operations, keep_shifts=False)
    orders = identity._orders(expansion, expansion.live())
    return min((expansion.encode({edge: n for n, edge in enumerate(order)}, order) for order in orders), key=repr)


def test_a_form_that_is_taken_alone_is_the_one_that_is_taken_with_the_other():
    every = published_order()
    assert [_form_alone(cell) for cell in every] == [identity.canonical(cell).weights for cell in every]


@pytest.mark.parametrize("kind", identity.IDENTITIES)
def test_the_classes_that_are_stored_are_those_that_the_forms_make(kind):
    assert identity.class_representatives(kind) == identity.found_representatives(kind)


def test_all_classes_lie_within_weight_classes():
    weights = identity.class_representatives("weights")
    of_class = defaultdict(set)
    for index, representative in enumerate(identity.class_representatives("all")):
        of_class[representative].add(weights[index])
    assert all(len(classes) == 1 for classes in of_class.values())


@pytest.mark.parametrize("kind", ["weights", "all"])
def test_disconnected_cells_are_one_class(kind):
    """Under ``all`` too: the ReLU before the head stops every gradient but that of the head's bias."""
    classes = identity.class_representatives(kind)
    disconnected = {classes[i] for i, operations in enumerate(published_order()) if is_disconnected(operations)}
    connected = {classes[i] for i, operations in enumerate(published_order()) if not is_disconnected(operations)}
    assert len(disconnected) == 1
    assert not disconnected & connected


def _pairs(kind, number, seed=0):
    """Pairs of different cells of one class, from many classes."""
    groups = defaultdict(list)
    for index, representative in enumerate(identity.class_representatives(kind)):
        groups[representative].append(index)
    chooser = random.Random(seed)
    several = [group for group in groups.values() if len(group) > 1]
    return [tuple(chooser.sample(group, 2)) for group in chooser.sample(several, number)]


def _copy_weights(source, target, labels):
    """Copy the weights of operations with one canonical label; leave what has none."""
    target.load_state_dict({**target.state_dict(), **_outside_cells(source)})
    for from_cell, to_cell in zip(source.cells, target.cells, strict=True):
        if isinstance(from_cell, InferCell):
            edges = {label: edge for edge, label in labels[0].items()}
            for edge, label in labels[1].items():
                if label in edges and not _is_shift(from_cell.edges[edges[label]], to_cell.edges[edge]):
                    to_cell.edges[edge].load_state_dict(from_cell.edges[edges[label]].state_dict())


def _is_shift(a, b):
    """Convolutions of nothing may differ in size: only their BatchNorm counts, and starts alike."""
    return [p.shape for p in a.parameters()] != [p.shape for p in b.parameters()]


def _outside_cells(network):
    inside = {f"cells.{n}." for n, layer in enumerate(network.cells) if isinstance(layer, InferCell)}
    return {k: v for k, v in network.state_dict().items() if not any(k.startswith(prefix) for prefix in inside)}


def _networks(pair, seed=None):
    space = load_space("nb201")
    source, target = (
        space.build(cell, seed=n if seed is None else seed, **SMALL).double() for n, cell in enumerate(pair)
    )
    if seed is None:
        labels = [dict(identity.canonical(published_order()[cell]).labels) for cell in pair]
        _copy_weights(source, target, labels)
    return source, target


@pytest.mark.parametrize("pair", _pairs("weights", 12), ids=str)
def test_one_weights_class_has_one_kernel_when_weights_are_copied(pair, probe):
    source, target = _networks(pair)
    for batch_norm in ("frozen", "coupled"):
        a, b = (_kernel(network, probe, "weights", batch_norm) for network in (source, target))
        assert _equal(a, b)


@pytest.mark.parametrize("pair", _pairs("all", 12, seed=1), ids=str)
def test_one_all_class_has_one_kernel_before_and_after_training(pair, probe):
    source, target = _networks(pair)
    assert _equal(_kernel(source, probe, "all"), _kernel(target, probe, "all"))
    for network in (source, target):
        _train(network, probe)
    assert _equal(_kernel(source, probe, "all"), _kernel(target, probe, "all"), tolerance=1e-6)


def _train(network, x, steps=6):
    network.train()
    optimiser = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), torch.tensor([0, 1, 2, 0])).backward()
        optimiser.step()


@pytest.mark.parametrize("pair", _pairs("weights", 8, seed=2), ids=str)
def test_seeds_alone_give_cells_of_one_class_one_kernel(pair, probe):
    a, b = (_kernel(network, probe, "weights") for network in _networks(pair, seed=7))
    assert _equal(a, b)


def _shared_and_repeated(number):
    """Pairs with one published string and two classes: a shared convolution against a repeated one."""
    groups = defaultdict(dict)
    for index, operations in enumerate(published_order()):
        representative = identity.class_representatives("weights")[index]
        groups[isomorphism_string(operations)].setdefault(representative, index)
    pairs = [tuple(sorted(group.values())[:2]) for group in groups.values() if len(group) > 1]
    return random.Random(3).sample(pairs, number)


@pytest.mark.parametrize("pair", _shared_and_repeated(8), ids=str)
def test_a_shared_convolution_is_not_a_repeated_one(pair, probe):
    """Even when every repeated convolution starts with the weights of the shared one, the kernels differ."""
    space = load_space("nb201")
    networks = [space.build(cell, **SMALL).double() for cell in pair]
    for network in networks:
        for parameter in network.parameters():  # one value for all: copies of the shared convolution are equal
            with torch.no_grad():
                parameter.copy_(torch.linspace(-0.5, 1, parameter.numel(), dtype=torch.float64).view_as(parameter))
    a, b = (_kernel(network, probe, "weights") for network in networks)
    assert not _equal(a, b, tolerance=1e-6)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        # a shift that only feeds a ReLU at zero never trains
        (
            "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|",
            "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
            True,
        ),
        # one more shift at the output is another network
        (
            "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|",
            "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_1x1~2|",
            False,
        ),
    ],
)
def test_shifts_that_train_and_that_do_not(one, other, same):
    space = load_space("nb201")
    a, b = (identity.canonical(space.cell(text).operations) for text in (one, other))
    assert (a.all == b.all) == same


def test_a_shift_behind_a_dead_edge_tells_all_from_weights(probe):
    plain = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"
    shifted = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|nor_conv_1x1~1|none~2|"
    space = load_space("nb201")
    one, two = (identity.canonical(space.cell(text).operations) for text in (plain, shifted))
    assert one.weights == two.weights
    assert one.all != two.all
    a, b = (space.build(text, **SMALL).double() for text in (plain, shifted))
    assert _equal(_kernel(a, probe, "weights"), _kernel(b, probe, "weights"))
    assert not _equal(_kernel(a, probe, "all"), _kernel(b, probe, "all"), tolerance=1e-6)


def test_different_classes_have_different_kernels(probe):
    """Over random connected cells of different classes, seeded alike."""
    space = load_space("nb201")
    chosen = {}
    for index in random.Random(4).sample(range(len(space)), 60):
        if not space.is_disconnected(index):
            chosen.setdefault(space.representative(index, "weights", "none"), index)
    kernels = {index: _kernel(space.build(index, **SMALL).double(), probe, "weights") for index in chosen.values()}
    for a, first in kernels.items():
        for b, second in kernels.items():
            assert a == b or not _equal(first, second), (
                format_cell(published_order()[a]),
                format_cell(published_order()[b]),
            )


def test_representatives_depend_on_the_choices():
    space = load_space("nb201")
    cell = next(i for i, r in enumerate(identity.class_representatives("weights")) if r != i)
    assert space.representative(cell, "weights", "none") != cell
    assert space.representative(cell, "weights", "corrcoef") == cell
    assert space.representative(cell, ("classifier.weight",), "none") == cell
    assert space.representative(cell, "weights-no-head", "cosine") == space.representative(cell, "weights", "none")


ZERO_COST = {**SMALL, "variant": "zero-cost"}


@pytest.mark.parametrize("policy", ["coupled", "frozen"])
def test_classes_of_the_zero_cost_variant(policy):
    """Cells of one class have one kernel under the weights sets; under all each stands for itself, and has to."""
    space = load_space("nb201")
    representatives = identity.class_representatives("weights")
    pairs = [(cell, other) for cell, other in enumerate(representatives) if cell != other]
    x = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    for cell, other in random.Random(2).sample(pairs, 8):
        assert space.representative(cell, "weights", "none", variant="zero-cost") == other
        kernels = [
            empirical_ntk(space.build(c, **ZERO_COST).double(), x, batch_norm=policy, parameters="weights").matrix
            for c in (cell, other)
        ]
        assert (kernels[0] - kernels[1]).norm() <= 1e-9 * kernels[0].norm()
    assert space.representative(15_000, "all", "none", variant="zero-cost") == 15_000


def test_why_zero_cost_cells_stand_for_themselves_under_all():
    """Both are one network of the official variant; a bias before constants makes them two."""
    space = load_space("nb201")
    texts = (
        "|none~0|+|none~0|nor_conv_3x3~1|+|nor_conv_3x3~0|none~1|skip_connect~2|",
        "|none~0|+|none~0|nor_conv_3x3~1|+|nor_conv_3x3~0|avg_pool_3x3~1|nor_conv_1x1~2|",
    )
    cells = [space.index(text) for text in texts]
    assert len({space.representative(cell, "all", "none") for cell in cells}) == 1
    x = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    kernels = [
        empirical_ntk(space.build(cell, **ZERO_COST).double(), x, batch_norm="frozen", parameters="all").matrix
        for cell in cells
    ]
    assert (kernels[0] - kernels[1]).norm() > kernels[0].norm()


def test_the_zero_cost_network():
    network = load_space("nb201").build(8216, **ZERO_COST)
    cell, reduction = network.cells[0], network.cells[1]
    conv, norm = cell.edges[0][1], cell.edges[0][2]
    assert conv.bias is not None
    assert (norm.weight, norm.bias, norm.running_var) == (None, None, None)
    assert reduction.conv_a[1].bias is None
    assert reduction.conv_a[2].running_var is not None
    with pytest.raises(ChoiceError, match="Unknown network variant"):
        load_space("nb101").build(0, variant="zero-cost")
