"""Objects of a file's own classes become records of their attributes, and keys of digits are few enough to be safe."""

import io
import pickle

import pytest

from ntknas import pickles
from ntknas.core.errors import DataError
from ntknas.pickles import Record, RecordClass
from ntknas.pickles.keys import is_plain

CLASSES = {("their.module", "Thing"): RecordClass("Thing")}
THING = b"\x8c\x0ctheir.module\x8c\x05Thing\x93"


def load(content, classes=CLASSES):
    return pickles.load_stream(io.BytesIO(b"\x80\x04" + content + b"."), classes)


def test_an_object_is_a_record_of_its_attributes():
    record = load(THING + b")\x81}\x8c\x01aK\x03sb")
    assert isinstance(record, Record)
    assert (record.kind, record.values) == ("Thing", {"a": 3})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x8c\x0ctheir.module\x8c\x05Other\x93)\x81", "it asks for their.module.Other, which does not belong"),
        (THING + b"K\x01\x85\x81", "it makes a Thing of arguments"),
        (THING + b"K\x01\x81", "no rebuilder|damaged"),
        (THING + b")\x81]b", "it holds a Thing whose inside are no attributes"),
        (THING + b")\x81}K\x01K\x03sb", "it holds a Thing whose inside are no attributes"),
        (THING + b"}b", "it changes the inside of an object"),
        (b"}" + b")\x81", "it makes an object of a class that has no place"),
        (b"K\x01)\x81", "it makes an object of a class that has no place"),
        (b")\x81", "damaged"),
    ],
)
def test_what_is_no_such_object(content, message):
    with pytest.raises(DataError, match=message):
        load(content)


def test_functions_that_rebuild_are_no_classes():
    """What REDUCE may call, NEWOBJ may not."""
    with pytest.raises(DataError, match="it makes an object of a class that has no place"):
        load(b"\x8c\x0bcollections\x8c\x0bOrderedDict\x93)\x81", pickles.REBUILDERS)


@pytest.mark.parametrize("key", [(0, 1, 2, 3, 4, 9), (0, 0), (9,) * 8])
def test_tuples_of_a_few_digits_are_keys(key):
    assert is_plain(key)
    assert pickles.load_stream(io.BytesIO(pickle.dumps({key: 1}, 4))) == {key: 1}


@pytest.mark.parametrize("key", [(0, 10), (-1, 0), (0,) * 9, (2**61 - 1, 0), (0, (1, 2)), (True, 1)])
def test_other_tuples_of_numbers_are_not(key):
    assert not is_plain(key)
    with pytest.raises(DataError):
        pickles.load_stream(io.BytesIO(pickle.dumps({key: 1}, 4)))
