"""Attacks on images and mixtures of rows, as they are written: ``fgsm:1/255``, ``pgd20:8/255``, ``mixed:0.5``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from ntknas.core.errors import ChoiceError

NO_ATTACK = "none"
ATTACKS = {
    NO_ATTACK: "the images as they are",
    "fgsm:EPS": "clip(x + EPS sign ∇ℓ): one step",
    "pgdT:EPS[:ALPHA]": "T steps of ALPHA (2.5 EPS / T without it) from a random start, within EPS of x",
}
"""ℓ is the cross-entropy with the true class; EPS and ALPHA are of pixels from 0 to 1, as fractions or decimals."""
CLEAN, PERTURBED, MIXED, MIXED_ROBUST = "clean", "perturbed", "mixed", "mixed-robust"
ROWS = {
    CLEAN: "g(x), whatever the attack",
    PERTURBED: "g(x̃), x̃ the attacked x",
    f"{MIXED}:BETA": "(1−BETA) g(x) + BETA g(x̃)",
    f"{MIXED_ROBUST}:BETA": "(1−BETA) g(x̃) + BETA g(x̃̃), x̃̃ the attacked x̃",
}
"""Rows whose Gram matrix the kernel is, where there is an attack."""
MAX_STEPS = 1000
_STEP_SHARE = Fraction(5, 2)
"""Steps without a size of their own add up to so many radii, as in the evaluation of NAS-RobBench-201."""
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,15})?|\d{1,9}/\d{1,9}", re.ASCII)
_PGD = re.compile(r"pgd(\d{1,4})", re.ASCII)


@dataclass(frozen=True)
class Attack:
    """Steps along the sign of the loss's gradient by the pixels, within a ball of the largest change.

    Attributes:
        radius: Largest change of a pixel, ε.
        steps: Number of steps T.
        step: Size of a step, α.
        random_start: Whether the first step starts from a random point of the ball.
    """

    radius: Fraction
    steps: int
    step: Fraction
    random_start: bool

    @classmethod
    def parse(cls, text: str) -> Attack | None:
        """Read an attack.

        Args:
            text: As in ``ATTACKS``.

        Returns:
            The attack; ``None`` for ``none``.

        Raises:
            ChoiceError: If it is none.

        Example:
            >>> Attack.parse("pgd20:8/255").step
            Fraction(1, 255)
        """
        if text == NO_ATTACK:
            return None
        name, *numbers = text.split(":")
        several = _PGD.fullmatch(name)
        if not several and name != "fgsm":
            raise ChoiceError(_no_attack(text))
        if not 1 <= len(numbers) <= (2 if several else 1):
            raise ChoiceError(_no_attack(text))
        radius = _share("EPS", numbers[0], text)
        if not several:
            return cls(radius, 1, radius, random_start=False)
        steps = int(several[1])
        if not 1 <= steps <= MAX_STEPS:
            raise ChoiceError(f"`perturb`: {text!r} has {steps} steps, expected 1 to {MAX_STEPS}.")
        step = _share("ALPHA", numbers[1], text) if numbers[1:] else _STEP_SHARE * radius / steps
        if radius and not step:
            raise ChoiceError(f"`perturb`: {text!r} has steps of size 0, which go nowhere.")
        return cls(radius, steps, step, random_start=True)

    @property
    def text(self) -> str:
        """The attack as it is written, one text for each."""
        if not self.random_start:
            return f"fgsm:{self.radius}"
        usual = self.step == _STEP_SHARE * self.radius / self.steps
        return f"pgd{self.steps}:{self.radius}" + ("" if usual else f":{self.step}")


@dataclass(frozen=True)
class RowKind:
    """Rows whose Gram matrix the kernel is, where there is an attack.

    Attributes:
        name: What is before the colon in ``ROWS``.
        beta: Weight of the further attacked images.
    """

    name: str
    beta: Fraction = Fraction(0)

    @classmethod
    def parse(cls, text: str) -> RowKind:
        """Read a kind.

        Args:
            text: As in ``ROWS``.

        Returns:
            The kind.

        Raises:
            ChoiceError: If it is none.

        Example:
            >>> RowKind.parse("mixed:0.5").text
            'mixed:1/2'
        """
        name, *numbers = text.split(":")
        if name in (CLEAN, PERTURBED) and not numbers:
            return cls(name)
        if name in (MIXED, MIXED_ROBUST) and len(numbers) == 1:
            return cls(name, _share("BETA", numbers[0], text))
        raise ChoiceError(f"`kernel_of` is one of {', '.join(ROWS)}, such as {MIXED}:0.5, got {text!r}.")

    @property
    def is_mixed(self) -> bool:
        """Whether rows are sums of two."""
        return self.name in (MIXED, MIXED_ROBUST)

    @property
    def text(self) -> str:
        """The kind as it is written, one text for each."""
        return f"{self.name}:{self.beta}" if self.is_mixed else self.name


def _no_attack(text: str) -> str:
    hint = " PGD needs its number of steps, as in pgd20:8/255." if text.startswith("pgd:") else ""
    return f"`perturb` is one of {', '.join(ATTACKS)}, such as fgsm:1/255 or pgd20:8/255, got {text!r}.{hint}"


def _share(name: str, number: str, text: str) -> Fraction:
    """Return a number from 0 to 1, exactly."""
    option = "kernel_of" if name == "BETA" else "perturb"
    try:
        value = Fraction(number) if _NUMBER.fullmatch(number) else None
    except ZeroDivisionError:
        value = None
    if value is None or not 0 <= value <= 1:
        raise ChoiceError(
            f"`{option}`: {name} in {text!r} is {number!r}, expected a number from 0 to 1, such as 8/255 or 0.03."
        )
    return value
