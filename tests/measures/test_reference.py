"""The reference says of every measure what the registry holds, and leaves none out."""

import pytest

from ntknas.core.errors import ChoiceError
from ntknas.measures import GROUPS, Need, all_derived, all_measures, expand, register, registry
from ntknas.measures.reference import AGGREGATES, NEEDS, entries, entry_of
from ntknas.spaces.structure import COUNTS


def test_everything_that_has_a_score_or_is_held_beside_it_is_there():
    assert set(entries()) == {*all_measures(), "eigenvalue_k", *all_derived(), *COUNTS}
    assert set(Need) <= set(NEEDS)


@pytest.mark.parametrize("name", [*all_measures(), *all_derived(), *COUNTS])
def test_what_is_said_is_what_is_registered(name):
    definition = {**all_measures(), **all_derived(), **COUNTS}[name]
    entry = entry_of(name)
    assert (entry.formula, entry.source) == (definition.formula, definition.source)
    assert entry.better == ("higher" if definition.higher_is_better else "lower")
    assert entry.text, "a measure says what it is in its docstring"
    assert not entry.text.startswith("Return")
    assert "``" not in entry.text + entry.no_value


def test_needs_groups_and_the_rule_over_seeds():
    cond = entry_of("cond")
    assert (cond.kind, cond.better, cond.needs, cond.groups) == ("measure", "lower", ("a kernel",), ("kernel", "all"))
    assert cond.over_seeds == AGGREGATES["geometric"] != AGGREGATES["mean"]
    assert cond.no_value == "`singular` if λ_n is zero at the precision of the rows"
    assert entry_of("class_lambda_min").outputs == ("label",)
    assert entry_of("krr_acc").needs[1:] == ("a kernel with a held-out probe", "labels")
    assert entry_of("tenas_rank").needs == ("cond", "linear_regions")
    for group in GROUPS:
        assert [name for name, entry in entries().items() if group in entry.groups] == [
            name for name in all_measures() if name in expand([group])
        ]


def test_what_was_chosen_on_known_accuracies_says_so():
    assert "Chosen on cells with known accuracies" in entry_of("swap_reg").text


def test_a_member_of_a_family():
    entry = entry_of("eigenvalue_3")
    assert (entry.formula, entry.kind) == ("λ_3", "measure")
    assert "eigenvalue of the kernel" in entry.text
    with pytest.raises(ChoiceError, match="Did you mean 'cond'"):
        entry_of("cnd")


def test_a_measure_of_ones_own(monkeypatch):
    monkeypatch.setattr(registry, "_MEASURES", dict(all_measures()))

    @register("mine", formula="tr K / n", better="lower", source="here", needs=(Need.KERNEL,))
    def mine(kernel):
        """Return the mean of the diagonal.

        Args:
            kernel: A kernel.
        """
        return float(kernel.matrix.diagonal().mean())

    assert entry_of("mine").text == "The mean of the diagonal."
    assert entry_of("mine").groups == ("kernel", "all")
