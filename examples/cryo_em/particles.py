"""What travels. Micrographs are files and stay where they are: events name them, and tell where in them particles are."""

from __future__ import annotations

import base64
import io
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, PlainSerializer
from specimen import MockSpecimen

Array = np.ndarray[Any, np.dtype[np.float32]]


def _decoded(value: Any) -> Any:
    return np.load(io.BytesIO(base64.b64decode(value)), allow_pickle=False) if isinstance(value, str) else value


def _encoded(array: Array) -> str:
    stream = io.BytesIO()
    np.save(stream, array)
    return base64.b64encode(stream.getvalue()).decode()


Images = Annotated[Array, BeforeValidator(_decoded), PlainSerializer(_encoded, when_used="json")]
"""Small pictures of shape (N, side, side); in JSON, which what the application sends is written in, as text."""


class Micrograph(BaseModel, frozen=True):
    """A file on which particles are to be found."""

    number: int
    """Its place in the collection, from 0."""
    name: str
    """What the table of picks calls it."""
    path: str = ""
    """Where it is."""
    diameter: float
    """Of the particle, in ångström."""
    threshold: float
    """Least correlation of a pick with its template."""
    pixel_size: float
    """In ångström, unless the header tells."""
    mock: MockSpecimen | None = None
    """A mock micrograph is drawn by the first who needs it, as a file like any other."""


class Pick(BaseModel, frozen=True):
    """Where there seems to be a particle."""

    x: float
    """Column of its centre in the file, that of the first pixel's centre being 0."""
    y: float
    """Row of its centre, likewise."""
    score: float
    """Correlation with the template that fits best."""


class Picks(BaseModel, frozen=True, arbitrary_types_allowed=True):
    """What was found on a micrograph."""

    number: int
    """As in `Micrograph`."""
    pixel: float
    """Ångström a pixel of the file."""
    picks: list[Pick]
    """The best first."""
    samples: Images
    """Pictures of a few of them, of which the first references are chosen."""


class Alignment(BaseModel, frozen=True, arbitrary_types_allowed=True):
    """Particles to be compared with references."""

    micrograph: Micrograph
    """Where they are."""
    picks: list[Pick]
    """Which they are."""
    references: Images
    """One picture a class."""


class Sums(BaseModel, frozen=True, arbitrary_types_allowed=True):
    """The particles of a micrograph, turned upon the references that they resemble most."""

    number: int
    """As in `Micrograph`."""
    kinds: list[int]
    """The class of each."""
    angles: list[float]
    """By how many degrees each is turned against its reference, counter-clockwise where rows run downwards."""
    sums: Images
    """For each class the sum of its particles."""


class Missing(BaseModel, frozen=True):
    """A micrograph that could not be used."""

    number: int
    """As in `Micrograph`."""
    name: str
    """As in `Micrograph`."""
    reason: str
    """Why."""
