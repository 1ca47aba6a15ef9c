from __future__ import annotations

import math
import pickle
from typing import Any

import numpy
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ewms.core import codecs
from ewms.core.errors import PayloadError

keys = st.text(max_size=5)
numbers = st.floats() | st.integers(-(2**63), 2**64 - 1)
scalars = st.none() | st.booleans() | numbers | st.text()


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))


kinds = arrays.boolean_dtypes() | arrays.integer_dtypes() | arrays.floating_dtypes() | arrays.complex_number_dtypes()
ndarrays = arrays.arrays(kinds, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))


def same(one: Any, other: Any) -> bool:
    """Equal in value and type, NaN included."""
    if isinstance(one, numpy.ndarray):
        return (
            isinstance(other, numpy.ndarray)
            and one.dtype == other.dtype
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
        )
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


@given(st.none() | st.booleans() | st.integers() | st.text())
def test_a_value_alone_is_written_as_among_others(value: Any) -> None:
    assert codecs.encode([value]).data == b"[" + codecs.encode(value).data + b"]"


@given(nested(scalars | st.integers()))
def test_json_keeps_what_it_is_given(value: Any) -> None:
    payload = codecs.encode(value)
    assert payload.codec == "json"
    assert same(codecs.decode(*payload), value)


@given(nested(scalars | st.binary() | ndarrays))
def test_msgpack_keeps_bytes_and_arrays_at_any_depth(value: Any) -> None:
    payload = codecs.encode([value], default="msgpack")
    assert payload.codec == "msgpack"
    assert same(codecs.decode(*payload), [value])


@given(ndarrays)
def test_an_array_travels_as_npy(array: numpy.ndarray[Any, Any]) -> None:
    payload = codecs.encode(array)
    assert payload.codec == "numpy"
    assert same(codecs.decode(*payload), array)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**40, -(10**40), [math.nan, {"x": math.inf}]])
def test_json_keeps_special_numbers(value: Any) -> None:
    assert same(codecs.decode(*codecs.encode(value)), value)


@pytest.mark.parametrize("value", [b"\x00\xff", bytearray(b"\x00\xff"), memoryview(b"\x00\xff")])
@pytest.mark.parametrize("default", ["json", "msgpack"])
def test_bytes_travel_as_they_are(value: Any, default: str) -> None:
    payload = codecs.encode(value, default)
    assert payload == ("bytes", b"\x00\xff")
    assert codecs.decode(*payload) == b"\x00\xff"


def test_a_model_travels_as_its_fields() -> None:
    class Pixel(pydantic.BaseModel):
        nside: int
        llh: float

    pixel = Pixel(nside=8, llh=1.5)
    assert codecs.decode(*codecs.encode(pixel)) == {"nside": 8, "llh": 1.5}
    assert codecs.decode(*codecs.encode({"best": pixel}, "msgpack")) == {"best": {"nside": 8, "llh": 1.5}}


class Opaque:
    """Nothing that a codec knows."""


@pytest.mark.parametrize("default", ["json", "msgpack"])
def test_a_value_of_unknown_type_is_refused_by_name(default: str) -> None:
    with pytest.raises(PayloadError, match="Opaque") as error:
        codecs.encode(Opaque(), default)
    assert "\n" not in str(error.value)
    with pytest.raises(PayloadError, match="Opaque"):
        codecs.encode({"deep": [Opaque()]}, default)


def test_an_integer_too_big_for_msgpack_is_refused() -> None:
    with pytest.raises(PayloadError, match="msgpack"):
        codecs.encode([10**40], "msgpack")


def test_an_endless_value_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for default in ("json", "msgpack"):
        with pytest.raises(PayloadError, match="list"):
            codecs.encode(loop, default)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was executed",))


def test_object_arrays_are_never_pickled() -> None:
    array = numpy.array([Bomb()], dtype=object)
    with pytest.raises(PayloadError, match="ndarray"):
        codecs.encode(array)
    with pytest.raises(PayloadError):
        codecs.encode([array], "msgpack")


def test_a_pickle_is_never_loaded() -> None:
    for codec in codecs.codec_names():
        if codec == "bytes":
            continue
        with pytest.raises(PayloadError):
            codecs.decode(codec, pickle.dumps(Bomb()))


@pytest.mark.parametrize("codec", ["json", "msgpack", "numpy"])
@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93NUMPY", b"\xdc\x01"])
def test_bytes_that_a_codec_did_not_write_are_refused(codec: str, data: bytes) -> None:
    with pytest.raises(PayloadError, match=codec):
        codecs.decode(codec, data)


def test_an_unknown_msgpack_extension_is_refused() -> None:
    with pytest.raises(PayloadError, match="extension 5"):
        codecs.decode("msgpack", b"\xd4\x05\x00")


@pytest.mark.parametrize("call", [lambda: codecs.encode(1, "yaml"), lambda: codecs.decode("yaml", b"1")])
def test_an_unknown_codec_is_named_with_the_known_ones(call: Any) -> None:
    with pytest.raises(PayloadError, match=r"'yaml'; known are bytes, json, msgpack, numpy"):
        call()


def test_a_codec_can_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecs, "_CODECS", dict(codecs._CODECS))
    codecs.register("upper", codecs.Codec(lambda value: value.upper().encode(), lambda data: data.decode().lower()))
    assert codecs.decode(*codecs.encode("abc", "upper")) == "abc"
    assert codecs.encode("abc", "upper") == ("upper", b"ABC")


@pytest.mark.parametrize("name", ["json", "@mine", ""])
def test_a_codec_name_that_is_taken_or_marked_is_refused(name: str) -> None:
    with pytest.raises(PayloadError, match="codec name"):
        codecs.register(name, codecs.Codec(bytes, bytes))
