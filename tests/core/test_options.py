"""Options by field: what is read from annotations, and dataclasses made of options by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from ntknas.core.options import MAX_COUNT, Option, made_of, option_fields


@dataclass(frozen=True)
class Trip:
    """Fields of every kind, one of which is no option."""

    goal: Annotated[str, Option("Where to.", name="trip_goal")]
    days: Annotated[int | None, Option("How long.", low=2)] = None
    speed: Annotated[float, Option("How fast.", above=0)] = 1.5
    map: Annotated[Path, Option("The way.")] = Path("map")
    alone: Annotated[bool, Option("Without others.")] = False
    means: Annotated[str | tuple[str, ...], Option("How: {names}.", names=lambda: ("foot", "train"))] = "foot"
    secret: int = 7


def test_options_are_the_annotated_fields_in_their_order():
    fields = option_fields(Trip)
    assert [(field.field, field.name) for field in fields][:2] == [("goal", "trip_goal"), ("days", "days")]
    assert [field.kind for field in fields] == [str, int, float, Path, bool, str]
    assert [field.default for field in fields] == [None, None, 1.5, Path("map"), False, "foot"]
    assert (fields[1].option.low, fields[1].option.high) == (2, MAX_COUNT)
    assert fields[-1].option.listed() == ["foot", "train"]


def test_objects_are_made_of_options_by_name():
    made = made_of(Trip, {"trip_goal": "sea", "days": 3, "secret": 9, "weather": "rain"}, speed=2.0)
    assert made == Trip("sea", 3, 2.0)


def test_what_has_no_default_must_be_there():
    with pytest.raises(TypeError, match="goal"):
        made_of(Trip, {"goal": "the field's name is not the option's"})
