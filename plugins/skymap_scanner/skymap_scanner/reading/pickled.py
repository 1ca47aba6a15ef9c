"""Plain data out of pickles that are never run: opcodes are interpreted, and only those that make plain data.

An unpickler, even one that refuses classes, executes a program from a stranger. Here a pickle that asks for a class,
a function, an extension or a persistent object is refused at the first such opcode.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from typing import Any, Final

from skymap_scanner.errors import EventError
from skymap_scanner.reading.frame import TAG

MAX_OPCODES: Final = 1_000_000
"""Real alerts have some hundreds."""

_NUMBERS: Final = frozenset(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"))
_TEXTS: Final = frozenset(
    ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
)
_BYTES: Final = frozenset(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"))
_LITERALS: Final = _NUMBERS | _TEXTS | _BYTES
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_IGNORED: Final = frozenset(("PROTO", "FRAME"))


def plain_data(data: bytes) -> Any:
    """Value of a pickle of dicts, lists, tuples, texts, bytes, numbers, booleans and None.

    Raises
    ------
    EventError
        If the pickle is malformed or wants anything else.
    """
    machine = _Machine()
    try:
        for name, argument in _opcodes(data):
            if name == "STOP":
                return machine.result()
            machine.step(name, argument)
    except (IndexError, KeyError) as error:
        message = "the pickle is malformed"
        raise EventError(message) from error
    message = "the pickle is cut short"
    raise EventError(message)


def frame_bytes(data: bytes) -> bytes:
    """Return the serialised frame inside a pickled `I3Frame`: the one argument that starts with the frame's tag.

    Python 2 wrote it as bytes, Python 3 as text that stands for latin-1 bytes.

    Raises
    ------
    EventError
        If there is none.
    """
    for _, argument in _opcodes(data):
        if isinstance(argument, bytes) and argument.startswith(TAG):
            return argument
        if isinstance(argument, str) and argument.startswith(TAG.decode()):
            try:
                return argument.encode("latin-1")
            except UnicodeEncodeError as error:
                message = "a frame holds characters that are no bytes"
                raise EventError(message) from error
    message = "no frame in the pickle"
    raise EventError(message)


def _opcodes(data: bytes) -> Iterator[tuple[str, Any]]:
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count >= MAX_OPCODES:
                message = f"the pickle has more than {MAX_OPCODES} opcodes"
                raise EventError(message)
            yield opcode.name, argument
    except (ValueError, IndexError, OverflowError) as error:
        message = f"the pickle is malformed: {error}"
        raise EventError(message) from error


class _Machine:
    """The part of pickle's stack machine that plain data needs; wrong programs end in `IndexError` or `KeyError`."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # stacks that were put aside at each mark
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Carry out one opcode."""
        if name in _LITERALS:
            self.push(argument)
        elif name in _CONSTANTS:
            self.push(_CONSTANTS[name])
        elif name in _BUILDERS:
            _BUILDERS[name](self)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = self._stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.push(self._memo[argument])
        elif name not in _IGNORED:
            message = f"the pickle holds more than plain data (opcode {name}): it is refused, as it could run code"
            raise EventError(message)

    def result(self) -> Any:
        """What is on the stack at the end."""
        if len(self._stack) != 1 or self._below:
            raise IndexError
        return self._stack[0]

    def push(self, value: Any) -> None:
        """Put a new value on the stack."""
        self._stack.append(value)

    def mark(self) -> None:
        """Start a batch of values."""
        self._below.append(self._stack)
        self._stack = []

    def since_mark(self) -> list[Any]:
        """Take the batch."""
        values, self._stack = self._stack, self._below.pop()
        return values

    def last(self, count: int) -> list[Any]:
        """Take the last values."""
        if len(self._stack) < count:
            raise IndexError
        values = self._stack[-count:]
        del self._stack[-count:]
        return values

    def extend(self, values: list[Any]) -> None:
        """Append to the list on top of the stack."""
        target = self._stack[-1]
        if not isinstance(target, list):
            raise IndexError
        target.extend(values)

    def update(self, values: list[Any]) -> None:
        """Set keys, each followed by its value, of the dict on top of the stack."""
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise IndexError
        target.update(_pairs(values))


def _pairs(values: list[Any]) -> dict[str | int, Any]:
    keys = values[::2]
    # Tuples could be keys too, but the hash of one that is nested very deep overflows the interpreter's stack.
    if len(values) % 2 or not all(isinstance(key, str | int) for key in keys):
        raise IndexError
    return dict(zip(keys, values[1::2], strict=True))


_BUILDERS: Final[dict[str, Callable[[_Machine], None]]] = {
    "MARK": _Machine.mark,
    "EMPTY_DICT": lambda machine: machine.push({}),
    "EMPTY_LIST": lambda machine: machine.push([]),
    "EMPTY_TUPLE": lambda machine: machine.push(()),
    "DICT": lambda machine: machine.push(_pairs(machine.since_mark())),
    "LIST": lambda machine: machine.push(machine.since_mark()),
    "TUPLE": lambda machine: machine.push(tuple(machine.since_mark())),
    "TUPLE1": lambda machine: machine.push(tuple(machine.last(1))),
    "TUPLE2": lambda machine: machine.push(tuple(machine.last(2))),
    "TUPLE3": lambda machine: machine.push(tuple(machine.last(3))),
    "APPEND": lambda machine: machine.extend(machine.last(1)),
    "APPENDS": lambda machine: machine.extend(machine.since_mark()),
    "SETITEM": lambda machine: machine.update(machine.last(2)),
    "SETITEMS": lambda machine: machine.update(machine.since_mark()),
}
