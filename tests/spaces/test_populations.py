"""Populations: how many cells each has, which they are, and which spaces know of them."""

import csv
from collections import defaultdict

import numpy as np
import pytest

from ntknas import load_space
from ntknas.core.errors import ChoiceError
from ntknas.scoring.cells import sample, select, within
from ntknas.spaces import CellSpace, NetworkSpec
from ntknas.spaces.nb201.cells import EDGES, published_order
from ntknas.spaces.populations import POPULATIONS, check_population, is_member, members, network_of

SIZES = {"all": 15_625, "connected": 15_284, "reachable": 9_445, "isomorphic": 6_466, "distinct": 5_044}


@pytest.fixture(scope="module")
def space():
    return load_space("nb201")


@pytest.fixture(scope="module")
def populations(space):
    return {name: members(space, name) for name in POPULATIONS}


def test_sizes_of_nb201_are_the_published_ones(populations):
    assert {name: len(cells) for name, cells in populations.items()} == SIZES
    assert all(cells == sorted(set(cells)) for cells in populations.values())
    assert set(populations["distinct"]) <= set(populations["all"])


def test_reachable_cells_are_those_of_the_suite_of_proxies(space, populations, test_data):
    with (test_data / "targets/nb_suite_zero/nb201_zc_proxies.csv").open() as stream:
        published = {space.index(row["net"]) for row in csv.DictReader(stream)}
    assert set(populations["reachable"]) == published
    assert [cell for cell in populations["reachable"] if space.is_disconnected(cell)] == [1651]


def classes_by_the_written_rule():
    """The published classes: s(0) = 0, # for nothing, what joins a node sorted and joined by +."""
    classes = defaultdict(list)
    for index, operations in enumerate(published_order()):
        terms = {node: [] for node in range(4)}
        for operation, (source, target) in zip(operations, EDGES, strict=True):
            before = "0" if source == 0 else "+".join(sorted(terms[source]))
            nothing = operation == "none" or before == "#"
            shown = before if operation == "skip_connect" else f"({before})@{operation}"
            terms[target].append("#" if nothing else shown)
        classes["+".join(sorted(terms[3]))].append(index)
    return classes


def test_isomorphic_cells_are_the_first_of_each_class(space, populations):
    classes = classes_by_the_written_rule()
    assert sorted(cells[0] for cells in classes.values()) == populations["isomorphic"]
    assert sorted(map(len, classes.values()))[-3:] == [275, 275, 275]
    assert sum(space.is_disconnected(cell) for cell in populations["isomorphic"]) == 5
    assert sum(space.has_dead_operation(cell) for cell in populations["isomorphic"]) == 322


def test_distinct_cells_are_the_first_of_each_network(space, populations):
    network = network_of(space)
    first = {}
    for cell in range(len(space)):
        first.setdefault(network(cell), cell)
    assert sorted(first.values()) == populations["distinct"]
    assert all(space.representative(cell, "weights", "none") == cell for cell in populations["distinct"][::50])


@pytest.mark.parametrize("name", ["nb101", "nats-sss"])
def test_of_other_spaces_every_cell_is_in_every_population(name):
    space = load_space(name)
    chosen = list(range(0, len(space), len(space) // 20))
    for population in POPULATIONS:
        assert within(space, population, chosen) == chosen


class Theirs(CellSpace):
    """A third party's space that says which cells are one network, and which are disconnected."""

    name, size, defaults = "theirs", 6, {"channels": 1, "cells_per_stage": 1}

    def at(self, index):
        return type("Cell", (), {"index": index, "__str__": lambda self: f"c{index}"})()

    def index(self, text):
        return int(text[1:])

    def network(self, cell, spec: NetworkSpec):
        raise NotImplementedError

    def is_disconnected(self, cell):
        return self.cell(cell).index == 5

    def representative(self, cell, parameters, normalisation, variant="official"):
        return self.cell(cell).index // 2 * 2


def test_a_third_partys_space_has_what_the_contract_says():
    theirs = Theirs()
    assert members(theirs, "all") == [0, 1, 2, 3, 4, 5]
    assert members(theirs, "connected") == [0, 1, 2, 3, 4]
    assert members(theirs, "distinct") == [0, 2, 4]
    assert [network_of(theirs)(cell) for cell in range(6)] == [0, 0, 2, 2, 4, 4]
    for name in ("reachable", "isomorphic"):
        with pytest.raises(ChoiceError, match=f"theirs has no `population` {name}.*all, connected, distinct"):
            is_member(theirs, name)
    with pytest.raises(ChoiceError, match="Unknown population 'reachabel'.*reachable"):
        check_population("reachabel")


def test_a_sample_is_the_beginning_of_one_permutation_of_the_population(space, populations):
    small, large = (sample(space, count, 3, "reachable") for count in (50, 300))
    assert set(small) < set(large) <= set(populations["reachable"])
    order = np.random.default_rng(3).permutation(9_445)
    assert small == sorted(populations["reachable"][place] for place in order[:50])
    assert sample(space, 40, 1) == sorted(np.random.default_rng(1).permutation(15_625)[:40].tolist())
    assert sample(space, 40, 1, "all") == sample(space, 40, 1)


def test_cells_are_chosen_within_a_population(space, populations):
    assert select(space, "all", 0, "connected") == populations["connected"]
    assert select(space, "0:100", 0, "distinct") == [cell for cell in populations["distinct"] if cell < 100]
    assert within(space, "connected", [5, 0, 1651]) == [5, 0]
    with pytest.raises(ChoiceError, match="None of the `cells` is of the `population` connected of nb201"):
        within(space, "connected", [1651])
    with pytest.raises(ChoiceError, match="from 1 to 5044 for population distinct of nb201, got 5045"):
        select(space, "5045", 0, "distinct")
