"""Inputs of a plain workflow, one without an application: JSON lines, or folders of files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pydantic_core

from ewms.core.application import Application
from ewms.core.errors import InputError
from ewms.core.event import Event, Outcome
from ewms.core.ids import path_event_id

_TEXTS = frozenset({".txt", ".md", ".csv"})
_LINES = frozenset({".jsonl", ".ndjson", ".jsonlines"})


class PlainApplication(Application[Event, Outcome, None]):
    """Sends what the user names as input, one event a line or file; the framework's `outcomes.jsonl` is the product.

    A file of JSON lines gives a body a line, with the line's number from 0 as id. Any other file is one event: its content,
    text or JSON by suffix, else bytes, is the body, and its relative path the id. Folders are walked in sorted order.
    """

    def __init__(self, inputs: Sequence[Path], sources: Sequence[str]) -> None:
        super().__init__(inputs)
        if len(sources) > 1:
            raise InputError(
                f"the workflow has several input queues ({', '.join(sources)}); an application must say what goes where"
            )
        if not self.inputs:
            raise InputError(
                "the workflow has no application to make events; give --input with JSON lines or folders of files"
            )
        line_files = [path for path in self.inputs if path.suffix in _LINES]
        self._prefix = len(line_files) > 1

    def start(self) -> Iterator[Event]:
        """Every line and file, in order."""
        for path in self.inputs:
            if path.is_dir():
                for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
                    yield _file_event(file, path)
            elif path.suffix in _LINES:
                yield from self._lines(path)
            else:
                yield _file_event(path, path.parent)

    def _lines(self, path: Path) -> Iterator[Event]:
        with path.open("rb") as stream:
            for number, line in enumerate(stream):
                if not line.strip():
                    continue
                try:
                    body = pydantic_core.from_json(line)
                except ValueError as error:
                    raise InputError(f"{path} line {number + 1} is not JSON: {error}") from error
                name = f"{path_event_id(Path(path.name))}:{number}" if self._prefix else str(number)
                yield Event(id=name, body=body)


def _file_event(path: Path, root: Path) -> Event:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"input {path} cannot be read: {error.strerror}") from error
    return Event(id=path_event_id(path.relative_to(root)), body=_body(path, data))


def _body(path: Path, data: bytes) -> object:
    if path.suffix == ".json":
        try:
            return json.loads(data)
        except ValueError as error:
            raise InputError(f"{path} is not JSON: {error}") from error
    if path.suffix in _TEXTS:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode()
    return data
