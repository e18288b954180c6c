"""How large a page can become: as much as a section may hold, of the whole of NAS-Bench-201."""

import numpy as np

from ntknas.page.drawings import packed_drawings
from ntknas.page.render import render
from ntknas.page.scores import MAX_NUMBERS
from ntknas.page.section import Section
from ntknas.spaces import load_space

MAX_BYTES = 6_000_000


def test_a_page_of_all_cells_with_as_many_numbers_as_fit_is_below_six_megabytes():
    space = load_space("nb201")
    cells = range(len(space))
    noise = np.random.default_rng(0).normal(size=(MAX_NUMBERS // len(cells), len(cells)))  # what packs worst
    data = {
        "cells": np.array(cells),
        "texts": [str(space[cell]) for cell in cells],
        "drawings": packed_drawings(space, cells),
        "scores": list(noise),
    }
    facts = {"lead": "", "sentences": [], "pictures": {}, "parts": [], "fields": {}, "notes": []}
    page = render("All", [Section("results", "All", facts, data)])
    assert 2_000_000 < len(page.encode()) < MAX_BYTES
