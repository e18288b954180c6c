"""What differs between two stores."""

from dataclasses import asdict

import pandas as pd
import pytest

from ntknas.core.errors import NtknasError
from ntknas.correlation.diff import Mover, diff, environments


def _frame(values, measure="cond", setting="s", fields=None, run=None, status="ok"):
    frame = pd.DataFrame(
        [
            {"setting": setting, "measure": measure, "cell": cell, "seed": 0, "value": value, "status": status}
            for cell, value in values.items()
        ]
    )
    named = {"space": "nb201", "dataset": "cifar10"} | (fields or {"batch_norm": "frozen", "init": "ntk"})
    frame = frame.assign(space=named["space"], dataset=named["dataset"])
    frame.attrs = {"settings": {setting: named}, "runs": {"r": run or {}}}
    return frame


def test_moves_and_fields():
    a = _frame({1: 10.0, 2: 20.0, 3: 30.0, 4: 40.0, 9: 1.0})
    b = _frame({1: 10.0, 2: 50.0, 3: 30.0, 4: 40.0, 8: 1.0}, setting="t", fields={"batch_norm": "eval", "init": "ntk"})
    (got,) = diff(a, b, worst=2)
    assert got.fields == {"batch_norm": ("frozen", "eval")}
    assert (got.n, got.only_a, got.only_b, got.equal) == (4, 1, 1, 3)
    assert got.kendall == pytest.approx(2 / 6)
    assert asdict(got.worst[0]) == pytest.approx(asdict(Mover(2, rank_a=2.0, rank_b=4.0, value_a=20.0, value_b=50.0)))
    assert [mover.cell for mover in got.worst] == [2, 3]


def test_the_nearest_setting_is_compared():
    a = _frame({1: 1.0, 2: 2.0}, fields={"batch_norm": "eval", "init": "ntk"})
    near = _frame({1: 1.0, 2: 2.0}, setting="near", fields={"batch_norm": "eval", "init": "xavier"})
    far = _frame({1: 9.0, 2: 2.0}, setting="far", fields={"batch_norm": "frozen", "init": "xavier"})
    both = pd.concat([far, near])
    both.attrs = {"settings": far.attrs["settings"] | near.attrs["settings"], "runs": {}}
    (got,) = diff(a, both)
    assert (got.setting_b, got.equal, got.kendall, got.worst) == ("near", 2, None, [])


def test_environments():
    frame = _frame({1: 1.0}, run={"torch": "2.4", "threads": 2})
    found = environments(frame)
    assert (found["torch"], found["threads"], found["numpy"]) == (["2.4"], ["2"], [])


def test_nothing_in_common():
    with pytest.raises(NtknasError, match="no measure in common: cond and trace"):
        diff(_frame({1: 1.0}), _frame({1: 1.0}, measure="trace"))
    with pytest.raises(NtknasError, match="holds no scores"):
        diff(_frame({1: 1.0}).iloc[:0], _frame({1: 1.0}))
