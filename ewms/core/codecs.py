"""Codecs turn values into bytes and back. Registered by name, never pickle.

`json` (default) keeps NaN and integers of any size; `msgpack` also carries bytes and numpy arrays at any depth; `numpy` is
the `.npy` format of one array; `bytes` is the identity. A body above the broker's limit is replaced by a `BlobRef`, marked
by a leading `@` before the codec's name: see `ewms.blobs`.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pydantic_core

from ewms.core.errors import PayloadError

if TYPE_CHECKING:
    import numpy

_NDARRAY = 1
REFERENCE_MARK = "@"
_new = tuple.__new__  # what every event costs twice: a named tuple is made in half the time


class Payload(NamedTuple):
    """An encoded value."""

    codec: str
    """Name of the codec; a leading `@` marks a reference."""
    data: bytes
    """What the codec wrote, or the encoded `BlobRef`."""


class Codec(NamedTuple):
    """A pair of functions under a name."""

    encode: Callable[[Any], bytes]
    """Raises TypeError or ValueError for a value it cannot represent."""
    decode: Callable[[bytes], Any]
    """Inverse of `encode`."""


def _json_fallback(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if type(value).__module__ == "numpy" and not is_ndarray(value):
        return value.item()
    raise TypeError(f"objects of type {type(value).__qualname__} are not supported")


_to_json = functools.partial(pydantic_core.to_json, inf_nan_mode="constants", fallback=_json_fallback)
_scalar_to_json = msgspec.json.Encoder().encode
_SCALARS = frozenset({int, str, bool, type(None)})
"""Written alike by both, by msgspec in a fraction of the time; floats are not."""


def _json_encode(value: Any) -> bytes:
    if type(value) in _SCALARS:
        try:
            return _scalar_to_json(value)
        except OverflowError:  # above 64 bits
            pass
    return _to_json(value)


def _numpy_encode(value: Any) -> bytes:
    import numpy

    stream = io.BytesIO()
    numpy.save(stream, numpy.asanyarray(value), allow_pickle=False)
    return stream.getvalue()


def _numpy_decode(data: bytes) -> numpy.ndarray[Any, Any]:
    import numpy

    array: numpy.ndarray[Any, Any] = numpy.load(io.BytesIO(data), allow_pickle=False)
    return array


def is_ndarray(value: Any) -> bool:
    """Whether it is a numpy array, found out without importing numpy."""
    return type(value).__module__ == "numpy" and hasattr(value, "__array_finalize__")


def _msgpack_hook(value: Any) -> Any:
    if is_ndarray(value):
        return msgspec.msgpack.Ext(_NDARRAY, _numpy_encode(value))
    if hasattr(value, "model_dump"):
        return value.model_dump()
    raise TypeError(f"objects of type {type(value).__qualname__} are not supported")


def _msgpack_ext(code: int, data: memoryview) -> Any:
    if code != _NDARRAY:
        raise ValueError(f"unknown msgpack extension {code}")
    return _numpy_decode(bytes(data))


def _bytes_encode(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"codec 'bytes' takes bytes, not {type(value).__qualname__}")
    return bytes(value)


_CODECS: dict[str, Codec] = {
    "json": Codec(_json_encode, pydantic_core.from_json),
    "msgpack": Codec(
        msgspec.msgpack.Encoder(enc_hook=_msgpack_hook).encode,
        msgspec.msgpack.Decoder(ext_hook=_msgpack_ext).decode,
    ),
    "numpy": Codec(_numpy_encode, _numpy_decode),
    "bytes": Codec(_bytes_encode, bytes),
}


def register(name: str, codec: Codec) -> None:
    """Make a codec known in this process; a consumer's module that registers one makes it known to its pilots.

    Raises `PayloadError` for a name that is taken or starts with `@`.
    """
    if name in _CODECS or name.startswith(REFERENCE_MARK) or not name:
        raise PayloadError(f"codec name {name!r} is taken or not allowed")
    _CODECS[name] = codec


def codec_names() -> list[str]:
    """The registered names."""
    return sorted(_CODECS)


PLAIN = frozenset({int, str, dict, list, tuple, float, bool, type(None)})
"""Types of which a value is what it is: no bytes, no array, no iterator, nothing of ours."""


def choose(value: Any, default: str) -> str:
    """The codec that a value calls for: its own for bytes and arrays, else the default."""
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes"
    if default == "json" and is_ndarray(value):
        return "numpy"
    return default


def encode(value: Any, default: str = "json") -> Payload:
    """Encode a value by the codec it calls for.

    Raises `PayloadError` naming the value's type when it does not fit.
    """
    name = default if type(value) in PLAIN else choose(value, default)
    try:
        return _new(Payload, (name, _CODECS[name].encode(value)))
    except KeyError:
        raise PayloadError(f"unknown codec {name!r}; known are {', '.join(codec_names())}") from None
    except (TypeError, ValueError, OverflowError, RecursionError, pydantic_core.PydanticSerializationError) as error:
        raise PayloadError(
            f"a value of type {type(value).__qualname__} does not fit codec {name!r}: {error}; "
            "return numbers, text, lists, dicts, bytes, numpy arrays or models"
        ) from error


def decode(codec: str, data: bytes) -> Any:
    """The value behind an encoded payload that is not a reference.

    Raises `PayloadError` for an unknown codec or bytes that it did not write.
    """
    try:
        return _CODECS[codec].decode(data)
    except KeyError:
        raise PayloadError(f"unknown codec {codec!r}; known are {', '.join(codec_names())}") from None
    except (TypeError, ValueError, EOFError, msgspec.DecodeError) as error:
        raise PayloadError(f"bytes are not valid {codec}: {error}") from error
