"""What others see of this process in `/proc`, its arguments and one variable, written over in place.

A forked process has those of its parent, and by these a TMS knows pilots that it did not start itself.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

_ARGUMENTS, _ENVIRONMENT = slice(45, 47), slice(47, 49)
"""Fields of `/proc/self/stat` after the name: where each begins and ends in memory."""


class NoRoom(Exception):
    """There is less space than is needed, or this system does not tell where it is."""


def rename(arguments: Sequence[str], variable: str, value: str) -> None:
    """Show other arguments, cut where the space ends, and another value of a variable of the same length or more.

    Raises
    ------
    NoRoom
        Nothing was changed, or nobody sees it.
    """
    first, end = _place(_ENVIRONMENT)
    entry = f"{variable}=".encode()
    shown = ctypes.string_at(first, end - first).split(b"\0")
    sizes = [len(each) for each in shown if each.startswith(entry)]
    new = entry + value.encode()
    if not sizes or len(new) > sizes[0]:
        raise NoRoom(f"{variable} has no space for {value!r}")
    number = next(number for number, each in enumerate(shown) if each.startswith(entry))
    _write(first + sum(len(each) + 1 for each in shown[:number]), new, sizes[0])
    first, end = _place(_ARGUMENTS)
    _write(first, b"\0".join(os.fsencode(each) for each in arguments)[: end - first - 1], end - first)
    os.environ[variable] = value
    with open("/proc/self/environ", "rb") as environment:
        if new not in environment.read().split(b"\0"):
            raise NoRoom("this system shows processes as they were started")


def _place(fields: slice) -> tuple[int, int]:
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as stat:
        first, end = (int(field) for field in stat.read().rpartition(")")[2].split()[fields])
    if not first < end:
        raise NoRoom("this system does not tell where a process has its arguments")
    return first, end


def _write(address: int, data: bytes, size: int) -> None:
    ctypes.memmove(address, data.ljust(size, b"\0"), size)
