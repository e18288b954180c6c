"""Parts of ``whole_space_page.py``, which shares the tables and choices of the referee's pages."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "referee"))
