"""Scores are chosen by what they are of, and an error names what there is."""

import pytest

from ntknas import load_store
from ntknas.core.errors import ChoiceError
from ntknas.store.selection import Selection, select
from tests.store.test_merge import make


@pytest.fixture
def frame(tmp_path):
    path = make(tmp_path / "s.h5", range(4))
    make(path, range(3), space="nb101", output="label")
    make(path, range(2), dataset="cifar100")
    return load_store(path)


@pytest.mark.parametrize(
    ("selection", "rows"),
    [
        (Selection(), 18),
        (Selection(space="nb201"), 12),
        (Selection(space="nb101"), 6),
        (Selection(dataset="cifar100"), 4),
        (Selection(measures=("cond",)), 9),
        (Selection(space="nb201", dataset="cifar10", measures=("cond",)), 4),
        (Selection(recipes=("custom",)), 18),
    ],
)
def test_what_is_chosen(frame, selection, rows):
    chosen = select(frame, selection)
    assert len(chosen) == rows
    assert chosen.attrs == frame.attrs


def test_settings_are_named_by_their_first_digits(frame):
    for digest in frame["setting"].unique():
        others = [other for other in frame["setting"].unique() if other != digest]
        short = next(digest[:n] for n in range(1, 17) if not any(other.startswith(digest[:n]) for other in others))
        assert select(frame, Selection(settings=(short,)))["setting"].unique().tolist() == [digest]
    with pytest.raises(ChoiceError, match=r"Several settings begin with ''.*Give more digits"):
        select(frame, Selection(settings=("",)))


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(space="nb210"), r"space of these scores 'nb210': expected one of nb101, nb201.*Did you mean"),
        (Selection(settings=("zz",)), r"setting of these scores 'zz': expected one of"),
        (Selection(recipes=("mok",)), r"recipe of these scores 'mok': expected one of custom"),
        (Selection(measures=("cond", "lga")), r"measure of these scores 'lga': expected one of cond, trace"),
        (Selection(dataset="svhn"), r"data ?set of these scores 'svhn': expected one of cifar10, cifar100"),
        (Selection(space="nb101", dataset="cifar100"), "No score is of all of these at once: space nb101, dataset"),
    ],
)
def test_what_there_is_not(frame, selection, message):
    with pytest.raises(ChoiceError, match=message):
        select(frame, selection)
