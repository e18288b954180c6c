"""The vilhess recipe on NAS-Bench-201: no score without a path, a positive one with."""

import numpy as np
import pytest

from ntknas import load_space
from ntknas.cli.main import run
from ntknas.store import load_store

SPACE = load_space("nb201")
WITHOUT_PATH = [cell.index for cell in SPACE if SPACE.is_disconnected(cell)]


@pytest.mark.parametrize("channels", [2, 4])
def test_every_cell_without_a_path_is_disconnected_and_others_are_positive(channels, tmp_path):
    """All 341, and 12 random others of small networks; ``scripts/vilhess.py`` takes 500 at full size."""
    others = np.setdiff1d(np.arange(len(SPACE)), WITHOUT_PATH)
    others = np.random.default_rng(channels).choice(others, 12, replace=False).tolist()
    file = tmp_path / "cells.txt"
    file.write_text("\n".join(map(str, WITHOUT_PATH + others)))
    arguments = ["--recipe", "vilhess", "--probe", "noise", "--probe-size", "20", "--channels", str(channels)]
    arguments += ["--cells-per-stage", "1", "--cells-file", str(file), "--store", str(tmp_path / "s.h5")]
    assert run(["score", *arguments]) == 0
    scores = load_store(tmp_path / "s.h5").set_index("cell")
    assert len(WITHOUT_PATH) == 341
    assert set(scores.loc[WITHOUT_PATH, "status"]) == {"disconnected"}
    assert scores.loc[WITHOUT_PATH, "value"].isna().all()
    assert set(scores.loc[others, "status"]) == {"ok"}
    assert (scores.loc[others, "value"] > 0).all()
