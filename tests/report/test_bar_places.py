"""Bars of a row stand together about its tick, however many groups have one."""

import numpy as np
import pytest

from ntknas.report import plotter
from ntknas.report.figures import BarGroup, Bars
from ntknas.report.look import PAPER, SCREEN

NAN = np.nan
ROWS = {
    "all have one": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]],
    "one has the first alone": [[0.1, 0.2, 0.3], [0.4, NAN, 0.6]],
    "one has the second alone": [[NAN, 0.2, 0.3], [0.4, 0.5, 0.6]],
    "one has none": [[0.1, NAN, 0.3], [0.4, NAN, 0.6]],
    "three groups": [[0.1, NAN, NAN], [0.4, 0.5, NAN], [NAN, 0.2, 0.3]],
    "one group": [[0.1, -0.2, 0.3]],
}


@pytest.mark.parametrize("style", [SCREEN, PAPER], ids=lambda style: style.name)
@pytest.mark.parametrize("name", ROWS)
def test_the_middle_of_a_rows_bars_is_its_tick(name, style):
    groups = [BarGroup(f"g{number}", *(np.array(values),) * 3) for number, values in enumerate(ROWS[name])]
    axes = plotter.render(Bars("t", "x", ["a", "b", "c"], groups), style).axes[0]
    ticks = dict(zip([label.get_text() for label in axes.get_yticklabels()], axes.get_yticks(), strict=True))
    bars = [bar for bar in axes.patches if bar.get_width()]
    for row, label in enumerate("abc"):
        own = [bar for bar in bars if abs(bar.get_y() + bar.get_height() / 2 - ticks[label]) < 0.5]
        assert len(own) == sum(np.isfinite(values[row]) for values in ROWS[name])
        if own:
            ends = [bar.get_y() for bar in own], [bar.get_y() + bar.get_height() for bar in own]
            assert (min(ends[0]) + max(ends[1])) / 2 == pytest.approx(ticks[label])
