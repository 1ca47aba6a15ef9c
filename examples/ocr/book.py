"""The application: sends files in order, collects what was read, and binds the book."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path, PurePath

import pdf
import sample
import score
from events import Missing, Page, PageText, Source

from ewms import Application, DeadLetter, Event, Outcome, path_event_id

Product = Mapping[str, str | bytes]


class Book(Application[Event, Outcome, Product]):
    """A book from files and folders, or the sample book where none are given.

    Parameters
    ----------
    inputs
        PDF files, pictures and folders of both, in the order of the book.
    sample_pages
        How many pages the sample book may have.
    """

    def __init__(self, inputs: Sequence[Path] = (), *, sample_pages: int = 8) -> None:
        super().__init__(inputs)
        if sample_pages < 1:
            raise ValueError(f"sample_pages is {sample_pages}; a book has at least one page")
        self._truth = [] if inputs else sample.texts(sample_pages)
        self._split: set[int] = set()
        self._read: dict[tuple[int, int], PageText] = {}
        self._missing: dict[tuple[int, int], Missing] = {}

    def start(self) -> Iterator[Event]:
        """The files, each to be split into pages; pages of the sample book need no splitting."""
        for number, truth in enumerate(self._truth, start=1):
            page = Page(file=1, name="sample", path="", page=number, truth=truth)
            yield Event(id=f"sample/{number}", queue="pages", body=page)
        for number, (name, path) in enumerate(_files(self.inputs), start=1):
            source = Source(file=number, name=name, path=str(path))
            yield Event(id=f"{number}:{path_event_id(PurePath(name))}", queue="files", body=source)

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        """Keep a page that was read. The pages of a file that was split go on to be read without our help."""
        if outcome.task == "split":
            self._split.add(outcome.values[0]["file"])
        elif outcome.task == "read":
            page = PageText.model_validate(outcome.value)
            self._read[page.file, page.page] = page
        return ()

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        """Keep the place of a page, or of a file, that could not be read."""
        page = letter.body.get("page", 0)
        reason = letter.reason.removeprefix("pages.Unreadable: ")  # readers of the book know no exceptions
        self._missing[letter.body["file"], page] = Missing(name=letter.body["name"], page=page, reason=reason)
        return ()

    def assemble(self) -> Product:
        """The book as text, as one JSON line a page and as a searchable PDF; for the sample also how well it was read."""
        leaves = self._leaves()
        product: dict[str, str | bytes] = {
            "book.txt": "\n\n".join(leaf.mark if isinstance(leaf, Missing) else leaf.text for leaf in leaves) + "\n",
            "pages.jsonl": "".join(_json_line(number, leaf) for number, leaf in enumerate(leaves, start=1)),
            "book.pdf": pdf.bind(leaves),
        }
        if self._truth:
            product["accuracy.json"] = json.dumps(self._accuracy(), indent=2) + "\n"
        return product

    def summary(self) -> Mapping[str, float]:
        """Counts of pages, and the error rate of the sample book."""
        counts = {"pages": len(self._read), "missing": len(self._leaves()) - len(self._read)}
        return counts | (self._accuracy() if self._truth else {})

    def _leaves(self) -> list[PageText | Missing]:
        """All that is known, in the order of the book. What was a dead letter and then replayed is missing no more."""
        leaves: dict[tuple[int, int], PageText | Missing] = {**self._missing, **self._read}
        return [leaf for (file, page), leaf in sorted(leaves.items(), key=itemgetter(0)) if page or file not in self._split]

    def _accuracy(self) -> dict[str, float]:
        """How much of the sample was read wrongly; a page that is missing is all wrong."""
        errors = characters = 0
        for number, truth in enumerate(self._truth, start=1):
            page = self._read.get((1, number))
            expected = score.normal(truth)
            errors += score.edit_distance(expected, score.normal(page.text) if page else "")
            characters += len(expected)
        return {"character_error_rate": round(errors / characters, 5), "characters": characters, "errors": errors}


def _files(inputs: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Every file and what the book calls it: folders in natural order, without hidden files."""
    for given in inputs:
        if not given.is_dir():
            yield given.name, given
            continue
        files = [path.relative_to(given) for path in given.rglob("*") if path.is_file()]
        shown = [path for path in files if not any(part.startswith(".") for part in path.parts)]
        if not shown:
            raise FileNotFoundError(errno.ENOENT, "the folder holds no files", str(given))
        for path in sorted(shown, key=_natural):
            yield f"{given.name}/{path.as_posix()}", given / path


def _natural(path: Path) -> tuple[list[list[tuple[str, int]]], Path]:
    """A sort key by which page 2 comes before page 10."""
    parts = [re.findall(r"(\D*)(\d*)", part.casefold()) for part in path.parts]
    return [[(text, int(digits or -1)) for text, digits in part] for part in parts], path


def _json_line(number: int, leaf: PageText | Missing) -> str:
    line: dict[str, object] = {"page": number, "file": leaf.name, "file_page": leaf.page or None}
    if isinstance(leaf, Missing):
        line |= {"text": "", "mean_confidence": None, "missing": leaf.reason}
    else:
        line |= {"text": leaf.text, "mean_confidence": leaf.confidence}
    return json.dumps(line, ensure_ascii=False) + "\n"
