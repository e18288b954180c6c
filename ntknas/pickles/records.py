"""Objects of a file's own classes, of which only the attributes are kept: nothing of the classes is looked for."""

from __future__ import annotations

from ntknas.core.errors import DataError


class Record:
    """What an object of some class is made into.

    Attributes:
        kind: Name of the class.
        values: Its attributes by name.
    """

    __slots__ = ("kind", "values")

    def __init__(self, kind: str):
        self.kind, self.values = kind, dict[str, object]()

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict) or not all(type(name) is str for name in state):
            raise DataError(f"it holds a {self.kind} whose inside are no attributes")
        self.values = state


class RecordClass:
    """Stands for a class: a pickle may make objects of it, without arguments, and may not change it.

    Args:
        kind: Name of the class.
    """

    __slots__ = ("_kind",)

    def __init__(self, kind: str):
        self._kind = kind

    def __call__(self, *arguments: object) -> Record:
        """Make an object.

        Returns:
            The object, without attributes.

        Raises:
            DataError: If it is made of something.
        """
        if arguments:
            raise DataError(f"it makes a {self._kind} of arguments")
        return Record(self._kind)

    def __setstate__(self, state: object) -> None:
        raise DataError("it changes the inside of a class")
