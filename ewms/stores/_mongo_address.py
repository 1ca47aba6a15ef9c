"""Where a MongoDB is, and its errors in one line, without user and password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
from bson.errors import BSONError
from pymongo.errors import ConfigurationError, ConnectionFailure, DocumentTooLarge, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from ewms.core.errors import InputError, StoreError, StoreFull, UsageError

PATIENCE = 20.0
"""Seconds for which one operation is tried, a change of the primary server included."""
_REFUSED = {11: "user", 13: "operation", 18: "user or password"}
_FULL = 14031
_DATABASE = "ewms"
_Options = dict[str, Any]


class MongoAddress:
    """A database of a MongoDB.

    Parameters
    ----------
    url
        `mongodb://user:password@host,host/database?replicaSet=…`; without a database it is `ewms`. Its options precede ours.
        A replica set is needed, of one member at least: there are no transactions without.

    Raises
    ------
    UsageError
        The URL is malformed.
    """

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        try:
            parsed = parse_uri(f"mongodb://{rest}")  # asks no name server, as it would for mongodb+srv
        except (ConfigurationError, ValueError):
            raise UsageError(
                f"the {scheme}:// URL of the store is malformed; percent-encode user and password, and check its options"
            ) from None
        self.url = url
        self.database: str = parsed["database"] or _DATABASE
        hosts = ",".join(f"{host}:{port}" for host, port in parsed["nodelist"])
        self.name = f"{scheme}://{hosts}/{self.database}"
        ours: _Options = {"w": "majority", "journal": True, "readConcernLevel": "majority", "appName": "ewms"}
        given = {name.lower() for name in parsed["options"]}
        self.options: _Options = {name: value for name, value in ours.items() if name.lower() not in given}

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Bound what is done inside to `PATIENCE`, and turn PyMongo's errors into `StoreError` that name the server."""
        try:
            with pymongo.timeout(PATIENCE):
                yield
        except DocumentTooLarge as error:
            raise InputError(f"a document is too large for {self.name}; store large things as files") from error
        except (UnicodeEncodeError, OverflowError, BSONError) as error:
            raise InputError("a key must be Unicode, and a version a number of 64 bits") from error
        except OperationFailure as error:
            raise self._of(error) from error
        except ConnectionFailure as error:
            raise StoreError(f"no MongoDB answers at {self.name}; check the address and that the server runs") from error
        except PyMongoError as error:
            raise StoreError(f"{self.name} cannot be used: {str(error).partition(', Timeout')[0]:.200}") from error

    def _of(self, error: OperationFailure) -> StoreError:
        if error.code == _FULL:
            return StoreFull(f"the disk of {self.name} is full; free some space")
        if error.code in _REFUSED:
            return StoreError(f"{self.name} refuses the {_REFUSED[error.code]}; check them and the roles of the user")
        said = (error.details or {}).get("errmsg", error)
        return StoreError(f"{self.name} cannot be used: {said!s:.200} (code {error.code})")
