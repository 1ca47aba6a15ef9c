"""`ewms store`."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

import click

from ewms.config_file import read_configuration
from ewms.core.errors import InputError
from ewms.stores.backup import write_lines
from ewms.stores.backup_file import read_file, write_file
from ewms.stores.sqlite_store import SqliteStore
from ewms.stores.store import Store
from ewms.stores.urls import store_for

_FILE = click.Path(path_type=Path)
_LINES = (".jsonl", ".jsonl.gz")
_NAME = "store.sqlite"
"""In a folder."""
_config = click.option("--config", type=_FILE, metavar="FILE", envvar="EWMS_CONFIG", help="The service's ewms.toml.")
_data = click.option("--data", type=_FILE, metavar="DIR", help="The service's data folder, where the file names none.")


@click.group()
def store() -> None:
    """Back up and restore the store of a service: documents, logs, counters and journals.

    Files of workflows, secrets and the broker's data are not in it: copy their folders with the means of your system.
    """


@store.command()
@click.argument("target", type=_FILE)
@_config
@_data
def backup(target: Path, config: Path | None, data: Path | None) -> None:
    """Write everything in the store to TARGET, which must be new.

    TARGET is a file of JSON lines if it ends with .jsonl or .jsonl.gz: of any store, for any store; nothing may write to the
    store meanwhile, so stop service and driver hosts. Any other TARGET is a folder with a copy of a SQLite store, made while
    it is in use.
    """
    asyncio.run(_backup(_store(config, data), target))


async def _backup(source: Store, target: Path) -> None:
    if isinstance(source, SqliteStore) and not source.path.exists():
        raise InputError(f"there is no store at {source.path}; check --config and --data")
    if target.name.endswith(_LINES):
        _know_plugins()
        async with source:
            count = await write_file(source, target)
        click.echo(f"{target} holds the store in {count} lines")
    elif isinstance(source, SqliteStore):
        await source.copy_to(target / _NAME)
        click.echo(f"{target / _NAME} is a copy of the store, with its journals beside it")
    else:
        raise InputError(f"only a SQLite store is copied into a folder; name a file that ends with {' or '.join(_LINES)}")


@store.command()
@click.argument("source", type=_FILE)
@_config
@_data
def restore(source: Path, config: Path | None, data: Path | None) -> None:
    """Write what SOURCE holds into the store of the configuration, which must be empty.

    SOURCE is what `ewms store backup` made. From a file, the store may be of another kind than the one that was backed up; a
    folder is copied to where there is no SQLite store yet. Start service, driver hosts and TMS afterwards.
    """
    asyncio.run(_restore(source, _store(config, data)))


async def _restore(source: Path, target: Store) -> None:
    if source.name.endswith(_LINES):
        _know_plugins()
        deque(read_file(source), maxlen=0)  # a file that is not sound is not begun with
        async with target:
            await write_lines(target, read_file(source))
    elif not (source / _NAME).is_file():
        raise InputError(f"{source} is not what `ewms store backup` made: a file in {' or '.join(_LINES)}, or a folder")
    elif isinstance(target, SqliteStore):
        await SqliteStore(source / _NAME).copy_to(target.path)
    else:
        raise InputError(f"a folder is restored to SQLite alone; back the store up into a file in {' or '.join(_LINES)}")
    click.echo(f"the store holds what {source} held")


def _store(config: Path | None, data: Path | None) -> Store:
    if config is None and data is None:
        raise click.UsageError("name the service's configuration by --config, or its data folder by --data")
    return store_for(read_configuration(config, data=data).service.store_url)


def _know_plugins() -> None:
    """Have documents of the installed plugins come along."""
    from ewms.stores.collections import make_known
    from ewms.wms.service.plugin import collections_of, load_plugins

    make_known(collections_of(load_plugins()))
