"""A small made-up space, and searches of it whose every number is known."""

from itertools import product

import numpy as np
from torch import nn

from ntknas.search import KnownScore, Objective, Problem
from ntknas.search.objective import Level
from ntknas.spaces import CellSpace

LETTERS = ("a", "b", "c")
WORDS = ["".join(letters) for letters in product(LETTERS, repeat=3)]


class Word:
    def __init__(self, index):
        self.index = index

    def __str__(self):
        return WORDS[self.index]

    def __eq__(self, other):
        return isinstance(other, Word) and self.index == other.index

    def __hash__(self):
        return self.index


class Words(CellSpace[Word]):
    """All 27 words of three letters; their neighbours differ in one."""

    name, size, defaults = "words", len(WORDS), {"channels": 2, "cells_per_stage": 1}
    choices = (LETTERS,) * 3

    def at(self, index):
        return Word(index)

    def index(self, text):
        return WORDS.index(text)

    def positions(self, cell):
        return tuple(LETTERS.index(letter) for letter in str(cell))

    def at_positions(self, numbers):
        return WORDS.index("".join(LETTERS[number] for number in numbers))

    def network(self, cell, spec):
        layers = [nn.Conv2d(3, spec.channels, 1 + 2 * LETTERS.index(str(cell)[0]), padding="same"), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(spec.channels, spec.num_classes))


SPACE = Words()


def objective(levels=1, runs=3, seed=0, seconds=True):
    """Random validation values with several runs, and reported values of their own."""
    generator = np.random.default_rng(seed)
    of_levels = [
        Level(
            f"made/valid/{3**level}",
            generator.normal(50, 10, (27, runs)),
            3.0 ** (level - levels + 1),
            generator.uniform(1, 2, 27) * 3**level if seconds else None,
        )
        for level in range(levels)
    ]
    return Objective(tuple(of_levels), "made/test", generator.normal(50, 10, 27))


def problem(budget=20, pool=None, **options):
    return Problem(SPACE, objective(**options), budget, pool)


def score(seed=5, seconds=0.5, decimals=0):
    """A score with ties."""
    values = np.round(np.random.default_rng(seed).normal(0, 2, 27), decimals)
    return KnownScore("luck", values, seconds)
