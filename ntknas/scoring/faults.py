"""What becomes of a measure or a space that raises: the scores that it costs, by name, and where to look."""

from __future__ import annotations

import logging
import os
import traceback

from ntknas.core.display import printable
from ntknas.core.score import Status
from ntknas.kernels.memory import is_out_of_memory

ANY_FAULT = (Exception, SystemExit)
"""What other people's code may raise; each place that catches it says what it costs. Signals pass."""
MAX_REASON = 300
LOG = logging.getLogger("ntknas.scoring")
"""Where tracebacks go; silent unless somebody listens, as the command does."""
LOG.addHandler(logging.NullHandler())  # without any, logging prints warnings to stderr


def status_of(error: BaseException) -> Status:
    """Return the status of what an exception cost."""
    return Status.OOM if is_out_of_memory(error) else Status.ERROR


def reason_of(error: BaseException, culprit: str = "") -> str:
    """Return an exception in one sentence.

    Args:
        error: The exception.
        culprit: What raised it; nothing for what torch says of our own code.
    """
    message = (str(error).splitlines() or [""])[0]
    if culprit:
        steps = traceback.extract_tb(error.__traceback__)
        at = f" ({os.path.basename(steps[-1].filename)}, line {steps[-1].lineno})" if steps else ""
        message = f"{culprit}: {type(error).__name__}{f': {message}' if message else ''}{at}"
    return printable(message or type(error).__name__)[:MAX_REASON]


def traceback_of(error: BaseException) -> str:
    """Return where an exception was raised, as Python prints it."""
    return "".join(traceback.format_exception(error))


def package_of(code: object) -> str:
    """Return the name of the package that a function or an object's class comes from."""
    module = getattr(code, "__module__", None) or type(code).__module__
    return str(module).partition(".")[0]


def whose(space: object) -> str:
    """Name a space and its package."""
    return f"the space {getattr(space, 'name', '?')!r} of {package_of(type(space))}"
