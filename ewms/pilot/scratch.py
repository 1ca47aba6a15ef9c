"""The files of one event that a command works on."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pydantic_core

from ewms import blobs
from ewms.core.errors import PayloadError
from ewms.core.spec import TaskSpec
from ewms.core.wire import WorkEvent

_JSON = ".json"


class Scratch:
    """A fresh folder with an input file; blocking, so to be used off the event loop.

    Parameters
    ----------
    limit
        Bytes that an output file may have; None for any number.
    """

    def __init__(self, folder: str, task: TaskSpec, limit: int | None = None) -> None:
        self.folder = folder
        self._limit = limit
        self.infile = os.path.join(folder, f"infile{task.infile_suffix}")
        self.outfile = os.path.join(folder, f"outfile{task.outfile_suffix}")
        self._reads_json = task.outfile_suffix == _JSON
        self._writes_json = task.infile_suffix == _JSON

    def write(self, event: WorkEvent) -> None:
        """Make the folder and write the body into the input file.

        Raises `PayloadError` for a body that is no text, no bytes and not written as JSON, `InputError` for a blob that
        is gone.
        """
        os.mkdir(self.folder)
        data = self._encode(blobs.load(event.codec, event.data))
        with open(self.infile, "wb") as stream:
            stream.write(data)

    def read(self) -> Any:
        """The output: an object of a JSON file, else text, else bytes; None without a file.

        Raises `PayloadError` where JSON is expected and is not there, and for a file that is too large.
        """
        try:
            with open(self.outfile, "rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                if self._limit is not None and size > self._limit:  # before it takes that much memory
                    raise PayloadError(
                        f"the output file has {size} bytes, more than the broker's limit of {self._limit}; "
                        "configure a blob store or write less"
                    )
                data = stream.read()
        except FileNotFoundError:
            return None
        if self._reads_json:
            try:
                return pydantic_core.from_json(data)
            except ValueError as error:
                raise PayloadError(f"the output file is not valid JSON: {error}") from error
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data

    def remove(self) -> None:
        """Delete the folder and all that the command left in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _encode(self, body: Any) -> bytes:
        if self._writes_json and not isinstance(body, bytes):
            try:
                return pydantic_core.to_json(body, inf_nan_mode="constants")
            except (ValueError, pydantic_core.PydanticSerializationError) as error:
                raise PayloadError(f"a body of type {type(body).__qualname__} cannot be written as JSON: {error}") from error
        if isinstance(body, str):
            return body.encode("utf-8")
        if isinstance(body, bytes) and not self._writes_json:
            return body
        raise PayloadError(
            f"a body of type {type(body).__qualname__} does not fit an input file '*{os.path.splitext(self.infile)[1]}': "
            "text and bytes go into any file but .json, other values into .json only"
        )
