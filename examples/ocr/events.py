"""What travels between the tasks: files become pages, pages become texts."""

from __future__ import annotations

from pydantic import BaseModel

Word = tuple[str, float, float, float, float]
"""A word, and the left, right, top and bottom of its place on the page, in points (1/72 inch) from the upper left corner."""


class Source(BaseModel, frozen=True):
    """A file to be split into pages."""

    file: int
    """Number of the file in the book, from 1."""
    name: str
    """What the book calls it: its path inside what the user gave."""
    path: str
    """Where it is."""


class Page(Source, frozen=True):
    """A page to be read."""

    page: int
    """Number of the page in its file, from 1."""
    truth: str = ""
    """A page of the sample has no file: it is drawn from this text."""


class PageText(BaseModel, frozen=True):
    """A page that was read."""

    file: int
    """As in `Source`."""
    name: str
    """As in `Source`."""
    page: int
    """As in `Page`."""
    text: str
    """What is written on it; empty where nothing is."""
    confidence: int | None
    """How sure the engine is, 0 to 100; None where nothing is written."""
    words: list[Word]
    """Where each word stands."""
    width: float
    """Of the page, in points."""
    height: float
    """Of the page, in points."""
    jpeg: bytes
    """The page as a picture, set straight."""


class Missing(BaseModel, frozen=True):
    """A page that could not be read, or a file that could not be opened."""

    name: str
    """As in `Source`."""
    page: int
    """As in `Page`; 0 for the whole file."""
    reason: str
    """Why."""

    @property
    def mark(self) -> str:
        """What stands in its place in the book."""
        which = f"page {self.page}" if self.page else "every page"
        return f"[{which} of {self.name} is missing: {self.reason}]"
