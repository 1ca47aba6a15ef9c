"""Reads the fenced blocks of a page of documentation, in the order in which a reader meets them.

What a block is for follows from its language and from the line above it:

- `python` and `toml`: saved, where the line above ends in "as `NAME`:"; a `python` block that is not saved is run.
- `console`: every line `$ COMMAND` is run; the lines below it are its output. `...` in it stands for anything.
  `<!-- exit: N -->` above the block is the exit code of its last command.
- `sh` sets up a machine, `text` and `json` are looked at; neither is run.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"```(?P<language>\w*)")
_FILE = re.compile(r"\bas `(?P<name>[^`]+)`[^`]*:$")
_EXIT = re.compile(r"<!-- exit: (?P<code>\d+) -->")
LANGUAGES = frozenset({"console", "json", "python", "sh", "text", "toml"})


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int
    """Number of its fence in the page, from 1."""
    file: str | None
    """Where it is to be saved."""
    exit_code: int
    """Of its last command."""

    @property
    def steps(self) -> Iterator[tuple[str, str, int]]:
        """Command, output that is shown, exit code."""
        commands: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                commands.append((line.removeprefix("$ "), []))
            else:
                commands[-1][1].append(line)
        for number, (command, output) in enumerate(commands, start=1):
            yield command, "\n".join(output), self.exit_code if number == len(commands) else 0


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks of a page."""
    lines = iter(enumerate(page.read_text("utf-8").splitlines(), start=1))
    above, exit_code = "", 0
    for number, line in lines:
        if fence := _FENCE.fullmatch(line):
            body = [text for _, text in itertools.takewhile(lambda item: item[1] != "```", lines)]
            file = _FILE.search(above)
            yield Block(
                language=fence["language"],
                text="\n".join(body) + "\n",
                line=number,
                file=file["name"] if file else None,
                exit_code=exit_code,
            )
            above, exit_code = "", 0
        elif mark := _EXIT.fullmatch(line):
            exit_code = int(mark["code"])
        elif line:
            above = line
