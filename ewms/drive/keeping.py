"""Files that a driver host adds to a workflow: their contents, and what the store tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ewms.core.service.files import PRODUCT, FileDocument, file_key
from ewms.local.directory import RunDirectory
from ewms.stores.collections import FILES
from ewms.stores.store import Change, Delete, Insert
from ewms.wms.files import Content, Files


def results_of(directory: RunDirectory) -> dict[str, Path]:
    """What a workflow left in its folder: product files, dead letters and summary, by their names in the service."""
    product = {
        PRODUCT + path.relative_to(directory.product).as_posix(): path
        for path in sorted(directory.product.rglob("*"))
        if path.is_file()
    }
    return product | {path.name: path for path in (directory.dead_letters, directory.summary) if path.exists()}


def keep(files: Files, paths: Mapping[str, Path]) -> dict[str, Content]:
    """Copy local files into the service's; `StoreError` where it takes none."""
    return {name: files.put_file(path) for name, path in paths.items()}


def registered(workflow_id: str, contents: Mapping[str, Content]) -> list[Change]:
    """The changes that make files known; one of the same name is replaced."""
    changes: list[Change] = []
    for name, content in contents.items():
        document = FileDocument(workflow_id=workflow_id, name=name, size=content.size, sha256=content.sha256)
        changes.append(Delete(collection=FILES, key=document.key))
        changes.append(Insert(collection=FILES, key=document.key, body=document.model_dump(mode="json")))
    return changes


def forgotten(workflow_id: str, names: Iterable[str]) -> list[Change]:
    """The changes after which files are known no more."""
    return [Delete(collection=FILES, key=file_key(workflow_id, name)) for name in names]
