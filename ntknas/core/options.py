"""Options by field: what a field of a dataclass is called and how it is explained wherever a user sets it.

A field says so in its annotation; its default and its type are the option's::

    batch_size: Annotated[int, Option("Images of a training step.")] = 1024

The command line, settings files and recipes take their options from here, so that a field is written down once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Annotated, TypeVar, cast, get_args, get_origin, get_type_hints

MAX_COUNT = 2**31 - 1
MAX_SEED = 2**62 - 1
"""Seeds are added to one another, and generators take 64 bits."""

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


@dataclass(frozen=True)
class Option:
    """What a field is as an option.

    Attributes:
        text: Its explanation; ``{names}`` stands for what ``names`` returns.
        name: Its name, if it is not the field's; with underscores.
        choices: The values that there are; any without them.
        names: Names that the explanation lists, or what returns them when it is shown: other packages may add some.
        low: Smallest whole number.
        high: Largest whole number.
        above: What a number must be above.
        word: What a user writes for ``None`` where leaving the option out means something else.
        acts: Whether it runs code, writes over files or connects to machines: then only the user decides it.
    """

    text: str
    name: str = ""
    choices: Iterable[str] = ()
    names: Iterable[str] | Callable[[], Iterable[str]] = ()
    low: int = 1
    high: int = MAX_COUNT
    above: float | None = None
    word: str = ""
    acts: bool = False

    def listed(self) -> list[str]:
        """Return the names that the explanation lists."""
        return list(self.names() if callable(self.names) else self.names)


@dataclass(frozen=True)
class OptionField:
    """A field that is an option.

    Attributes:
        field: Name of the field.
        name: Name of the option, with underscores.
        kind: Type of its value, without ``None``.
        default: Its default; ``None`` where the field has none.
        option: The rest.
    """

    field: str
    name: str
    kind: type
    default: object
    option: Option


def option_fields(owner: type[DataclassInstance]) -> tuple[OptionField, ...]:
    """Return the fields of a dataclass that are options, in their order.

    Args:
        owner: The dataclass.

    Returns:
        One for each field whose annotation holds an ``Option``.

    Example:
        >>> from ntknas.core.choices import Choices
        >>> [field.name for field in option_fields(Choices)][:2]
        ['output', 'batch_norm']
    """
    hints = get_type_hints(owner, include_extras=True)  # a field's own type is a text: annotations are not evaluated
    options = []
    for field in fields(owner):
        hint = hints[field.name]
        described = [extra for extra in get_args(hint)[1:] if isinstance(extra, Option)]
        if get_origin(hint) is Annotated and described:
            default = None if field.default is MISSING else field.default
            options.append(OptionField(field.name, described[0].name or field.name, _kind(hint), default, described[0]))
    return tuple(options)


def _kind(hint: object) -> type:
    """Return the first type of an annotation: that of what a user types."""
    while arguments := get_args(hint):
        hint = arguments[0]
    return cast(type, hint)


def made_of(owner: type[T], options: Mapping[str, object], **values: object) -> T:
    """Make a dataclass of options by name; the defaults of its fields stand for those that are not there.

    Args:
        owner: The dataclass.
        options: Options by name, with underscores; those that are none of the dataclass's are not read.
        **values: Values of fields, which win.

    Returns:
        The object.

    Example:
        >>> from ntknas.core.choices import Choices
        >>> made_of(Choices, {"batch_norm": "eval", "probe": "digits"}).batch_norm
        'eval'
    """
    chosen_options = {field.field: options[field.name] for field in option_fields(owner) if field.name in options}
    return owner(**{**chosen_options, **values})
