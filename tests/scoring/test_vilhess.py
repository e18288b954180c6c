"""The vilhess recipes on NAS-Bench-201: no score without a path, a positive one with; and the published scores."""

import numpy as np
import pytest

from ntknas import load_space
from ntknas.cli.main import run
from ntknas.store import load_store

SPACE = load_space("nb201")
WITHOUT_PATH = [cell.index for cell in SPACE if SPACE.is_disconnected(cell)]
PUBLISHED = {3: 0.012475, 25: 0.013938, 48: 0.027217, 215: 0.021582}
"""Scores that vilhess/NTK publishes for cells that are quickly computed, each with an initialisation of its own."""


def _scores(recipe, cells, folder, *options):
    file, store = folder / "cells.txt", folder / "s.h5"
    file.write_text("\n".join(map(str, cells)))
    assert run(["score", "--recipe", recipe, "--cells-file", str(file), "--store", str(store), *options]) == 0
    return load_store(store).set_index("cell")


@pytest.mark.parametrize(("recipe", "channels"), [("vilhess", 2), ("vilhess", 4), ("vilhess-code", 4)])
def test_every_cell_without_a_path_is_disconnected_and_others_are_positive(recipe, channels, tmp_path):
    """All 341, and 12 random others of small networks; ``scripts/vilhess.py`` takes more at full size."""
    others = np.setdiff1d(np.arange(len(SPACE)), WITHOUT_PATH)
    others = np.random.default_rng(channels).choice(others, 12, replace=False).tolist()
    small = ["--probe", "noise", "--probe-size", "20", "--channels", str(channels), "--cells-per-stage", "1"]
    scores = _scores(recipe, WITHOUT_PATH + others, tmp_path, *small)
    assert len(WITHOUT_PATH) == 341
    assert set(scores.loc[WITHOUT_PATH, "status"]) == {"disconnected"}
    assert scores.loc[WITHOUT_PATH, "value"].isna().all()
    assert set(scores.loc[others, "status"]) == {"ok"}
    assert (scores.loc[others, "value"] > 0).all()


def test_the_code_as_published(test_data, tmp_path):
    """Another initialisation of the official network moves these scores by a third; the tangent kernel is far away."""
    images = ["--image-data", str(test_data)]
    code = _scores("vilhess-code", PUBLISHED, tmp_path, *images)["value"]
    for cell, published in PUBLISHED.items():
        assert published / 1.6 < code[cell] < published * 1.6, cell
    (tmp_path / "text").mkdir()
    text = _scores("vilhess", [215], tmp_path / "text", *images)["value"]
    assert text[215] > 100 * PUBLISHED[215]
