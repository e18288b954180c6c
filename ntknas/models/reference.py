"""What a user writes for a network: a function in a file, or a name of a library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ntknas.core.errors import DataError, did_you_mean
from ntknas.models.libraries import LIBRARIES
from ntknas.models.options import ModelOptions

EXPECTED = (
    f"FILE.py:function, {', '.join(f'{name}:NAME' for name in list(LIBRARIES)[:-1])} or {list(LIBRARIES)[-1]}:NAME"
)


@dataclass(frozen=True)
class Reference:
    """A network by name.

    Attributes:
        text: As the user wrote it.
        library: Key of ``LIBRARIES``; empty for a function in a file.
        place: The file, or empty.
        name: Name of the model or of the function.
    """

    text: str
    library: str
    place: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Make sense of what a user wrote; nothing is imported or run.

        Args:
            text: ``FILE.py:function`` or ``LIBRARY:NAME``.

        Returns:
            The reference.

        Raises:
            DataError: If it is neither.

        Example:
            >>> Reference.parse("timm:resnet18").name, Reference.parse("models/mine.py:make").place
            ('resnet18', 'models/mine.py')
        """
        file, colon, name = text.rpartition(":")
        if colon and file.endswith(".py") and name.isidentifier():
            return cls(text, "", file, name)
        library, colon, name = text.partition(":")
        if library in LIBRARIES and name:
            return cls(text, library, "", name)
        near = did_you_mean(library, LIBRARIES) if colon and not library.endswith(".py") else ""
        raise DataError(f"`model` expects {EXPECTED}, got {text!r}.{near}")


def check_reference(text: str, options: ModelOptions | None = None) -> None:
    """Check what can be checked of a network's name without importing or running anything.

    Args:
        text: The name.
        options: What is asked of it.

    Raises:
        DataError: If it is written wrongly, or there is no such file or checkpoint.
    """
    reference, asked = Reference.parse(text), options or ModelOptions()
    if not reference.library:
        if not Path(reference.place).is_file():
            raise DataError(f"There is no file {reference.place}: `model` expects {EXPECTED}.")
        for name in ("weights", "num_classes"):
            if getattr(asked, name) is not None:
                raise DataError(f"`{name}` is of models of a library: the function {text} makes its module as it is.")
    if asked.checkpoint is not None and not asked.checkpoint.is_file():
        raise DataError(
            f"There is no file {asked.checkpoint}: `checkpoint` expects weights that torch.save has written."
        )
