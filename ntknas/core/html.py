"""HTML as a tree of elements: whatever stands in one is text or an attribute's value, and never markup."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ntknas.core.display import printable

Child = Element | str | int | float | None
_LINE = "rgba(128, 128, 128, 0.35)"
"""Seen on white and on black alike; all other colours are the page's own."""
_ROW = f"border-bottom: 1px solid {_LINE};"
_ENTRY = "vertical-align: top; padding: 0.1em 0.9em 0.1em 0;"
_LEFT, _RIGHT = f"{_ENTRY} text-align: left;", f"{_ENTRY} text-align: right; white-space: nowrap;"
_LONG = f"{_LEFT} overflow-wrap: anywhere;"
"""Of texts without a space, such as hashes."""
_QUIET = "opacity: 0.7;"
_TABLE = "border-collapse: collapse; margin: 0.4em 0;"


def element(tag: str, *children: Child, **attributes: str | float) -> Element:
    """Return an element.

    Args:
        tag: Its name.
        *children: What stands in it: elements, and anything else as text; ``None`` is nothing.
        **attributes: Its attributes, with underscores for hyphens.

    Returns:
        The element.

    Example:
        >>> as_html(element("p", "a < b", element("b", "<script>"), title='"'))
        '<p title="&quot;">a &lt; b<b>&lt;script&gt;</b></p>'
    """
    made = Element(tag, {name.replace("_", "-"): printable(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif child is not None:
            _add_text(made, printable(child, lines=True))
    return made


def _add_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def as_html(tree: Element) -> str:
    """Return an element as HTML."""
    return ElementTree.tostring(tree, encoding="unicode", method="html")


def table(head: Sequence[str], rows: Iterable[Sequence[Child]], texts: int = 1) -> Element:
    """Return a table, which a narrow page scrolls.

    Args:
        head: Names of the columns.
        rows: What stands in them, by row.
        texts: Number of columns of texts; all after them are of numbers, and to the right.

    Returns:
        The element.
    """
    styles = [_LEFT if place < texts else _RIGHT for place in range(len(head))]
    lines = [_row("th", head, styles)], [_row("td", row, styles) for row in rows]
    parts = (element(part, *of_part) for part, of_part in zip(("thead", "tbody"), lines, strict=True))
    return element("div", element("table", *parts, style=_TABLE), style="overflow-x: auto; max-width: 100%;")


def _row(tag: str, entries: Iterable[Child], styles: Iterable[str]) -> Element:
    places = zip(entries, styles, strict=True)
    return element("tr", *(element(tag, entry, style=style) for entry, style in places), style=_ROW)


def facts(entries: Mapping[str, Child]) -> Element:
    """Return names beside what they say."""
    name_style = f"{_LEFT} {_QUIET}"
    lines = [_row("td", entry, (name_style, _LONG)) for entry in entries.items()]
    return element("table", element("tbody", *lines), style=_TABLE)


def quiet(*children: Child) -> Element:
    """Return a line of what is said beside the rest."""
    return element("p", *children, style=f"margin: 0.3em 0; {_QUIET}")


def image(png: bytes, text: str, width: int) -> Element:
    """Return a picture that stands in the page itself, so many pixels wide, and what it shows in words."""
    style = f"width: {width}px; max-width: 100%; image-rendering: pixelated;"
    return element("img", src=address_of(png), alt=text, style=style)


def address_of(png: bytes) -> str:
    """Return the address of a picture that stands in it itself."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
