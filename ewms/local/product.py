"""Writes what a workflow leaves behind: product files, dead letters, summary. Each is replaced as a whole or not at all."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pydantic_core

from ewms import blobs
from ewms.core.errors import ApplicationError, StoreError
from ewms.core.event import DeadLetter
from ewms.stores.base import Journal, Terminal
from ewms.wms.hosting import NO_OUTPUTS, decode_outputs
from ewms.wms.letters import jsonable, letter_json
from ewms.wms.routing import Router


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A stream to a file that takes the place of `path` when the block ends well."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            yield stream
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}; mend that and run `ewms resume`") from error
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON for people to read."""
    with replacing(path) as stream:
        stream.write(_json(value))


def _json(value: Any) -> bytes:
    return pydantic_core.to_json(value, indent=2, inf_nan_mode="constants") + b"\n"


def write_product(folder: Path, product: Any) -> None:
    """Write what `Application.assemble` or `snapshot` returned, as files of a folder."""
    folder.mkdir(exist_ok=True)
    for name, content in product_files(product).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            stream.write(content)


def product_files(product: Any) -> dict[str, bytes]:
    """The files that a product becomes, by relative name.

    A mapping whose keys are file names and whose values are text or bytes becomes files, anything else `product.json`.
    """
    if not _is_files(product):
        return {"product.json": _json(product)}
    for name in product:
        relative = PurePosixPath(name)
        if relative.is_absolute() or ".." in relative.parts:
            raise ApplicationError(f"the product names file '{name}' outside its folder; use a relative name")
    return {name: content.encode() if isinstance(content, str) else content for name, content in product.items()}


def _is_files(product: Any) -> bool:
    return (
        isinstance(product, Mapping)
        and bool(product)
        and all(isinstance(name, str) and isinstance(content, str | bytes) for name, content in product.items())
    )


def write_outcomes(path: Path, journal: Journal, router: Router, names: Sequence[str]) -> None:
    """Write the results of the last tasks, an `{"id", "output"}` a line in event order.

    Where several tasks are last, each line also names its `task`.
    """
    path.parent.mkdir(exist_ok=True)
    last = [task for task, is_end in enumerate(router.ends) if is_end]
    with replacing(path) as stream:
        for terminal in journal.terminals(last, by_rank=True):
            if terminal.reason is None:
                line = {"id": terminal.event.id, "output": _output_of(terminal)}
                if len(last) > 1:
                    line["task"] = names[terminal.event.task]
                stream.write(pydantic_core.to_json(line, inf_nan_mode="constants", bytes_mode="base64") + b"\n")


def _output_of(terminal: Terminal) -> Any:
    values = [jsonable(blobs.load(output.codec, output.data)) for output in decode_outputs(terminal.outputs or NO_OUTPUTS)]
    if terminal.many:
        return values
    return values[0] if values else None


def write_dead_letters(path: Path, dead: Iterable[DeadLetter]) -> None:
    """Write dead letters, one JSON object a line; the file exists even when there is none."""
    with replacing(path) as stream:
        for letter in dead:
            stream.write(letter_json(letter) + b"\n")


def remove_partials(folder: Path) -> None:
    """Remove what a killed driver left half-written."""
    for path in itertools.chain(folder.glob(".*.partial"), folder.glob("p*/**/.*.partial")):
        os.unlink(path)
