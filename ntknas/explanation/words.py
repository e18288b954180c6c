"""Settings in words."""

from __future__ import annotations

from ntknas.core.kernel import Kernel


def kernel_words(kernel: Kernel) -> str:
    """Return which kernel it is, in a few words."""
    choices = kernel.choices
    named = choices.parameters if isinstance(choices.parameters, str) else f"{len(choices.parameters)} named"
    return f"kernel {choices.output} / {choices.batch_norm} / {named}, {choices.precision}"
