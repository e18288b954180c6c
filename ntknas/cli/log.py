"""The log beside a store: tracebacks of what cost scores, for whoever wrote the measure or the space."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ntknas.core.regular_file import check_regular
from ntknas.store.layout import log_path

TRACEBACK = "NTKNAS_TRACEBACK"
"""Variable of the environment that asks for tracebacks on standard error."""


class _LogFile(logging.FileHandler):
    """A file that is made with its first line; one that cannot be written ends no run, which has scores to keep."""

    def __init__(self, path: Path):
        super().__init__(path, encoding="utf-8", errors="backslashreplace", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def _open(self) -> object:  # type: ignore[override]
        check_regular(Path(self.baseFilename))  # opening a pipe would wait for a reader
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say once that there is no log."""
        from ntknas.cli.output import note

        note(f"The log {self.baseFilename} cannot be written: {sys.exception()}.")
        self.setLevel(logging.CRITICAL + 1)


@contextmanager
def logged(store: Path | None = None) -> Iterator[None]:
    """Let what ``ntknas`` logs meanwhile go into the log of a store, and to standard error if that is asked for."""
    logger = logging.getLogger("ntknas")
    handlers: list[logging.Handler] = [] if store is None else [_LogFile(log_path(store))]
    if os.environ.get(TRACEBACK):
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
