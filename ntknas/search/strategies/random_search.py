"""Random search: what every strategy has to beat."""

from __future__ import annotations

from ntknas.search.problem import Search
from ntknas.search.strategy import Proposals, Training, strategy


@strategy("random", text="cells in random order", source="Li and Talwalkar, 2019")
def random_search(search: Search) -> Proposals:
    """Train cells in random order."""
    search.announce(search.order)
    for cell in search.order:
        yield Training(int(cell))


STRATEGY = random_search
