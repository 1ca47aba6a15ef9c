"""Sections of `RESULTS.md` that programs of their own write: each replaces its own, and the rest stays as it is."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import describe_machine

RESULTS = Path(__file__).with_name("RESULTS.md")
_APART = "# The service"
_HEAD = f"""\
{_APART}

Each section is written by the program that it names, and tells on what machine, and how busy that was.
"""
_TITLE = "## "


def own_part(text: str) -> str:
    """What stands before the sections: the part of `python -m bench`."""
    return text.partition(f"\n{_APART}\n")[0]


def sections_of(text: str) -> str:
    """All sections with their head; empty where there are none."""
    _, apart, rest = text.partition(f"\n{_APART}\n")
    return f"\n{_APART}\n{rest}" if apart else ""


def with_section(text: str, title: str, body: str) -> str:
    """The page with one section replaced, or put to the end.

    Parameters
    ----------
    body
        Markdown below the title, with a line break at its end.
    """
    sections = sections_of(text) or f"\n{_HEAD}"
    head, *found = sections.split(f"\n{_TITLE}")
    kept = {part.partition("\n")[0]: part.partition("\n")[2] for part in found}
    kept[title] = f"\n{body}"
    parts = (f"\n{_TITLE}{name}\n{content.rstrip()}\n" for name, content in kept.items())
    return own_part(text).rstrip() + "\n" + head.rstrip() + "\n" + "".join(parts)


def write_section(title: str, body: str, path: Path = RESULTS) -> None:
    """Write a section, with the command and the machine in front of it."""
    facts = {"command": f"`{_command()}`", "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", **describe_machine()}
    page = path.read_text() if path.exists() else ""
    path.write_text(with_section(page, title, f"{'; '.join(f'{name}: {fact}' for name, fact in facts.items())}\n\n{body}"))
    print(f"written: {path}")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Of Markdown."""
    return "\n".join("| " + " | ".join(line) + " |" for line in (heads, ["---"] * len(heads), *rows)) + "\n"


def _command() -> str:
    spec = sys.modules["__main__"].__spec__
    program = ["-m", spec.name] if spec else [os.path.relpath(sys.argv[0])]
    return shlex.join(["python", *program, *sys.argv[1:]])
