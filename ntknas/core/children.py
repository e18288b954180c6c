"""Child processes that do not import from the folder they are started in.

Python's own way to start a child runs ``python -c``, which looks for every module in the working folder first: a
``pickle.py`` or ``multiprocessing/`` there, in a folder that somebody else filled, would be run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess

_SAFE_PATH = "PYTHONSAFEPATH"
_LOCK = threading.RLock()  # the environment is that of all threads


@contextmanager
def safe_path() -> Iterator[None]:
    """Keep the working folder out of the path of processes that are started meanwhile; our own path stays.

    Yields:
        Nothing.

    Example:
        >>> with safe_path():
        ...     os.environ["PYTHONSAFEPATH"]
        '1'
    """
    with _LOCK:
        previous = os.environ.get(_SAFE_PATH)
        os.environ[_SAFE_PATH] = "1"
        try:
            yield
        finally:
            if previous is None:
                os.environ.pop(_SAFE_PATH, None)
            else:
                os.environ[_SAFE_PATH] = previous


class SafeProcess(SpawnProcess):
    """A spawned process whose interpreter does not look in the working folder."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> object:  # type: ignore[override] # noqa: N802
        with safe_path():
            return SpawnProcess._Popen(process_obj)


class SafeContext(SpawnContext):
    """The context of ``spawn``, with processes of this kind."""

    Process = SafeProcess


def safe_context() -> SafeContext:
    """Make a context to start processes with, as ``multiprocessing.get_context("spawn")`` does.

    Once they run, processes get the parent's own path, so that they find what it finds. The process by which
    ``multiprocessing`` keeps account of locks is started here, since it too is one of these children.

    Returns:
        The context.
    """
    if os.name == "posix":
        with safe_path():
            resource_tracker.ensure_running()
    return SafeContext()
