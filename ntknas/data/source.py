"""What a source of images declares: what it is, how it is loaded, and its official files if it has any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ntknas.data.files import OfficialFile
from ntknas.data.image_set import ImageSet, Request


@dataclass(frozen=True)
class OfficialFiles:
    """The files that a source's images are published in.

    Attributes:
        folder: Where they belong, below the folder of images.
        files: Returns them.
        fetch: Downloads them to below the folder of images; where that is not allowed, raises DataError with how to
            get them.
        can_be_fetched: Whether it is allowed.
    """

    folder: str
    files: Callable[[], list[OfficialFile]]
    fetch: Callable[[Path], None]
    can_be_fetched: bool = True


@dataclass(frozen=True)
class ImageSource:
    """A source of images.

    Attributes:
        name: Its name; a third party's is the name of its entry point.
        text: What it is.
        load: Returns the images that a request asks for; raises DataError if files are missing or damaged.
        official: Its official files; ``None`` where the images need none.
    """

    name: str
    text: str
    load: Callable[[Request], ImageSet]
    official: OfficialFiles | None = None
