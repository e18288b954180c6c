"""What the units of studies cost, in multiplications."""

STEP = 1e6
"""Multiplications that a core would make in the time that any pass through a network takes at least."""
