"""The pages of the repository, and the blocks of code on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
"""In the order in which their blocks are executed."""
ALL = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("*_data/README.md"))]

_FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n+|<!-- file: (?P<file>[\w.-]+) -->\n+)?"
    r"```(?P<language>\w*|\{[\w-]+\}[^\n]*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        page: Where it stands.
        line: Its first line there.
        language: ``sh``, ``python``, ``toml``, ``text``, nothing, or a directive of the site such as ``{toctree}``.
        text: Its lines.
        reason: Why it is not run, as the comment before it says: ``<!-- not run: REASON -->``; empty if it is.
        file: The file that the reader saves it as, as the comment before it says: ``<!-- file: NAME -->``; mostly none.
    """

    page: Path
    line: int
    language: str
    text: str
    reason: str
    file: str

    @property
    def name(self) -> str:
        """Where it stands, for people."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Its lines, continued ones as one."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start("text")) + 1,
            found["language"],
            found["text"],
            found["reason"] or "",
            found["file"] or "",
        )
        for found in _FENCE.finditer(text)
    ]


def prose(page: Path) -> str:
    """Return a page without its blocks, their lines empty."""
    return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), page.read_text(encoding="utf-8"))
