"""Options of commands are those of the dataclasses that they make."""

import click
import pytest

from ntknas.cli import kinds
from ntknas.cli.derived import options_of, together
from ntknas.core.choices import Choices
from ntknas.core.options import made_of, option_fields
from ntknas.data.probe_options import ProbeOptions
from ntknas.scoring.engines.protocol import EngineOptions
from ntknas.scoring.recipe import NetworkOptions
from ntknas.training import TrainingImages, TrainingOptions
from tests.cli.typed import commands, ntknas
from tests.core.test_options import Trip

OWNERS = [Choices, NetworkOptions, ProbeOptions, TrainingImages, TrainingOptions, EngineOptions]


@pytest.mark.parametrize("owner", OWNERS)
def test_score_has_every_option_of_a_dataclass_with_its_default_and_values(owner):
    score = dict(commands())["score"]
    context = click.Context(score)
    options = {option.name: option for option in score.params}
    for field in option_fields(owner):
        option = options[field.name]
        if field.default is not None:
            assert option.get_default(context) == field.default, field.name
        assert field.option.text == option.help, field.name
        if field.option.choices:
            assert list(option.type.choices) == list(field.option.choices)
        assert isinstance(option, kinds.TrustedOption) == field.option.acts


@pytest.mark.parametrize("owner", [Choices, NetworkOptions, ProbeOptions, TrainingOptions, EngineOptions])
def test_what_the_bare_command_makes_is_the_dataclass_as_it_is(owner):
    score = dict(commands())["score"]
    options = score.make_context("score", []).params
    assert made_of(owner, options) == owner()


@click.command()
@options_of(Trip, leave_out=["speed"], days=5)
def trip(**options):
    """Travel."""


def typed(*arguments):
    return trip.make_context("trip", list(arguments)).params


def test_a_command_may_leave_options_out_and_have_defaults_of_its_own():
    assert typed() == {"trip_goal": None, "days": 5, "map": Trip.map, "alone": False, "means": "foot"}
    assert made_of(Trip, typed("--trip-goal", "sea", "--alone"), speed=3.0) == Trip("sea", 5, 3.0, alone=True)


@pytest.mark.parametrize("arguments", [["--days", "1"], ["--days", "two"], ["--speed", "1"]])
def test_values_out_of_bounds_and_what_is_left_out_are_refused(arguments):
    with pytest.raises(click.UsageError):
        typed(*arguments)


def test_names_are_looked_for_when_the_help_is_shown(monkeypatch):
    names = ["foot"]
    option = kinds.NamingOption(["--means"], names=lambda: names, help="How: {names}.")
    command = click.Command("trip", params=[option])
    assert "How: foot." in command.get_help(click.Context(command))
    names += ["train", "ship"]
    assert "How: foot, train or ship." in command.get_help(click.Context(command))


def test_together_keeps_the_order():
    @click.command()
    @together(click.option("--a"), click.option("--b"))
    def ab(**options):
        """Two."""

    assert [option.name for option in ab.params] == ["a", "b"]


@pytest.mark.parametrize(("given", "workers"), [("0", 0), ("3", 3), ("auto", None)])
def test_workers_are_a_number_or_auto(given, workers):
    score = dict(commands())["score"]
    assert made_of(EngineOptions, score.make_context("score", ["--workers", given]).params).workers == workers


@pytest.mark.parametrize("given", ["-1", "two", "1.5", "²", "9" * 30])
def test_other_workers_are_refused(capsys, given):
    code, _, err = ntknas(capsys, "score", "--workers", given)
    assert code == 2
    assert f"'{given}' is neither a whole number from 0 nor auto." in err


def test_a_variant_is_one_of_the_spaces_own(capsys):
    code, _, err = ntknas(capsys, "score", "--bench", "nb101", "--variant", "zero-cost")
    assert code == 1
    assert "Unknown network variant 'zero-cost': expected one of official." in err
