"""The data of a page, packed and read back by other means than the page's script."""

import base64
import gzip
import json

import numpy as np
import pytest

from ntknas.page.bundle import bundle, packed

TYPES = {"u1": np.uint8, "u2": np.uint16, "i4": np.int32, "f4": np.float32, "f8": np.float64}


def read(content):
    """Return the JSON and the arrays of a bundle."""
    length = int.from_bytes(content[:4], "little")
    head = json.loads(content[4 : 4 + length])
    start = -(-(4 + length) // 8) * 8
    arrays = [
        np.frombuffer(content, TYPES[entry["type"]], entry["length"], start + entry["offset"])
        for entry in head["arrays"]
    ]
    return head["data"], arrays


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 255], "u1"),
        ([0, 256], "u2"),
        ([-1, 0], "i4"),
        ([0, 2**40], "f8"),
        ([True, False], "u1"),
        ([0.5, np.nan, -2.0], "f4"),
        ([1e300, 1.0], "f8"),
        ([1e-300, 0.0], "f8"),
        ([np.inf, 1.0], "f4"),
        ([], "f4"),
    ],
)
def test_arrays_come_back_in_the_smallest_type_that_tells_them_apart(values, kind):
    data, arrays = read(bundle({"a": [np.array(values)], "b": "text"}))
    assert data == {"a": [{"$array": 0}], "b": "text"}
    assert arrays[0].dtype == TYPES[kind]
    np.testing.assert_allclose(arrays[0], np.array(values, float), rtol=1e-6)


def test_several_arrays_begin_where_typed_arrays_may():
    parts = [np.arange(number, dtype=np.int64) for number in (3, 1, 0, 7)]
    parts.append(np.array([np.pi, 1e200]))
    _, arrays = read(bundle({"parts": parts, "é": "ü"}))
    for expected, found in zip(parts, arrays, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_what_stands_for_an_array_is_no_key_of_a_file_and_no_number_is_none():
    with pytest.raises(TypeError):
        bundle({"$array": 0})
    with pytest.raises(ValueError):
        bundle({"a": float("nan")})


def test_nothing_of_packed_data_is_markup():
    hostile = "</script><!--<script>&amp;\u2028"
    text = packed(bundle({"text": hostile}))
    assert not set(text) & set("<>&\"'\u2028")
    assert read(gzip.decompress(base64.b64decode(text)))[0] == {"text": hostile}
