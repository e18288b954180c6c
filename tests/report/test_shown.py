"""What a notebook shows of a figure, where nobody has imported pyplot: a picture, and not a line of text."""

import os
import subprocess
import sys

import pytest

PLAIN = "from matplotlib.figure import Figure\nfigure = Figure()\nfigure.subplots()"
OURS = (
    "import ntknas, pandas as pd\nvalues = pd.Series(range(30))\nresult = ntknas.correlate(values, values, resamples=0)"
)
OURS += "\nfigure = ntknas.figures.correlations(result)"
SHOW = """
import sys
from IPython.core.interactiveshell import InteractiveShell
data, _ = InteractiveShell.instance().display_formatter.format(figure)
print(sorted(data), 'matplotlib.pyplot' in sys.modules)
"""


@pytest.fixture
def shown(tmp_path):
    pytest.importorskip("IPython")

    def run(code):
        own = {"IPYTHONDIR": str(tmp_path), "MPLBACKEND": "agg"}
        done = subprocess.run([sys.executable, "-c", code + SHOW], env=os.environ | own, capture_output=True, text=True)
        return done.stdout.strip() or done.stderr

    return run


def test_ours_is_a_picture(shown):
    assert shown(OURS) == "['image/png', 'text/plain'] False"


def test_one_of_matplotlib_would_not_be(shown):
    assert shown(PLAIN) == "['text/plain'] False"
