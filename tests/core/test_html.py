"""HTML of elements: whatever stands in it is text, and every tag is closed."""

from html.parser import HTMLParser

import pytest

from ntknas.core import html

MARKUP = "<script>alert(1)</script>&lt;\"'`</td></div>"


class Parsed(HTMLParser):
    """The tags, the attributes and the text of a piece of HTML; a tag that is not closed in turn is refused."""

    VOID = ("img", "br")

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.attributes, self._open = [], [], [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)


PLACES = {
    "text": lambda text: html.element("p", text),
    "text after an element": lambda text: html.element("p", html.element("b", "bold"), text),
    "an attribute": lambda text: html.element("p", "", title=text),
    "a head": lambda text: html.table([text], [["x"]]),
    "a cell of a table": lambda text: html.table(["a", "b"], [["x", text]], 2),
    "the name of a fact": lambda text: html.facts({text: 1}),
    "a fact": lambda text: html.facts({"a": text}),
    "a remark": html.quiet,
}


@pytest.mark.parametrize("place", PLACES)
def test_markup_is_text(place):
    parsed = Parsed(html.as_html(PLACES[place](MARKUP)))
    assert "script" not in parsed.tags
    assert MARKUP in (parsed.text + dict(parsed.attributes).get("title", ""))


def test_markup_would_be_seen():
    assert Parsed(f"<p>{MARKUP[:25]}</p>").tags == ["p", "script"]
    with pytest.raises(AssertionError):
        Parsed("<p><b></p>")


def test_letters_that_are_not_seen_are_shown():
    assert html.as_html(html.element("p", "a\x1b[2J\u202eb")) == r"<p>a\x1b[2J\u202eb</p>"


def test_numbers_stand_to_the_right():
    styles = [value for name, value in Parsed(html.as_html(html.table(["a", "b"], [["x", 1]]))).attributes]
    assert [("right" in style) for style in styles if "text-align" in style] == [False, True, False, True]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="zip"):
        html.table(["a", "b"], [["x"]])
