"""Core-hours are the sample's mean times the networks; the row loop's are compared on the networks that both scored."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PUBLISHED = Path(__file__).parents[2] / "scripts" / "published"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(PUBLISHED)
    return import_module("core_hours")


def cells_of(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_row_of_the_table(script):
    way = script.Way("a kernel", "", seeds=3)
    seconds = pd.Series([1.0, 3.0, 2.0, 2.0], [10, 20, 30, 40])
    row = cells_of(script.Cost(way, 3600, seconds, pd.Series([10.0, 50.0], [10, 20])).row("kernel"))
    within = 1.96 * np.std(seconds, ddof=1) / 2
    # 3,600 networks of 2 s are 2 hours; the loop took 60 s where we took 4
    assert row == ["kernel", "3,600", "4", "2", f"2.00 ± {within:.2f}", "3", "6.0", "30", "15.0"]
    assert len(row) == len(cells_of(script._HEAD.split("\n")[0]))


def test_a_way_without_a_kernel_has_no_row_loop(script):
    way = script.Way("baselines", "", "snip")
    row = cells_of(script.Cost(way, 1800, pd.Series([2.0, 2.0]), pd.Series(dtype=float)).row("baselines"))
    assert row == ["baselines", "1,800", "2", "2", "1.00 ± 0.00", "1", "1.0", "–", "–"]
