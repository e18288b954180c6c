import os
import signal
from pathlib import Path

import pytest

# Commands in processes of their own begin as tests do: else each takes all cores, beside the tests that run there.
os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch

VARIABLE = "NTKNAS_TEST_DATA"
collect_ignore = ["example_package", "example_additions"]  # collecting it for doctests would register its measures here


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Real benchmark tables and images, which are not part of the repository."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"{VARIABLE} does not name the folder of real test data")
    return Path(folder)


os.environ.pop("COLUMNS", None)  # pytest-xdist sets it to 80, and tables would leave columns out
torch.set_num_threads(1)  # small networks; the suite uses the cores by running tests side by side


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell's background jobs are begun
    signal.signal(signal.SIGINT, signal.default_int_handler)  # commands under test are to be interrupted


@pytest.fixture(autouse=True)
def _alike() -> None:
    """Begin every test in the same state: commands that ran here before may have changed it."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
