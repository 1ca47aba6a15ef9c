"""Does what a page of documentation says, in a folder of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.acceptance.docs.snippets import LANGUAGES, Block, blocks_of

_SECONDS = 240.0
_SET_UP = ("pip ", "pip3 ", "apt ", "git ", "make ")
_VARYING = (
    (re.compile(r"\b\d+\.\d+ s\b"), "# s"),
    (re.compile(r"\bpeak \d+ MiB\b"), "peak # MiB"),
    (re.compile(r"\bWF-[0-9a-f]{8}-[0-9a-f]{8}\b"), "WF-#"),
)


class Reader:
    """Follows pages to the letter.

    Parameters
    ----------
    folder
        Where files are saved and commands are run; pages call it `/home/me`, and this machine `laptop`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("EWMS_")}
        self._environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def follow(self, page: Path) -> int:
        """Do all that a page says; how much that was. `AssertionError` names the line where it is wrong."""
        done = 0
        for block in blocks_of(page):
            where = f"{page.name} line {block.line}"
            assert block.language in LANGUAGES, f"{where}: nobody knows what to do with a {block.language!r} block"
            done += self._carry_out(block, where)
        return done

    def _carry_out(self, block: Block, where: str) -> int:
        if block.language == "console":
            steps = [step for step in block.steps if not step[0].startswith(_SET_UP)]
            for command, shown, exit_code in steps:
                self._run(["bash", "-c", command], shown, exit_code, f"{where}: {command}")
            return len(steps)
        if block.language not in {"python", "toml"}:
            return 0
        if block.file is not None:
            self._folder.joinpath(block.file).write_text(block.text)
        else:
            assert block.language == "python", f"{where}: say where it is saved"
            script = self._folder / f"line_{block.line}.py"
            script.write_text(block.text)
            self._run([sys.executable, str(script)], "", 0, where)
        return 1

    def _run(self, command: list[str], shown: str, exit_code: int, where: str) -> None:
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        assert code == exit_code, f"{where}: exit code {code} instead of {exit_code}\n{done.stdout}"
        found = done.stdout.replace(str(self._folder), "/home/me").replace(socket.gethostname(), "laptop")
        assert not shown or matches(shown, found), f"{where}: shown is\n{shown}\nand what came is\n{found}"


def matches(shown: str, found: str) -> bool:
    """Whether an output is what a page shows, but for times and ids."""
    pattern = re.escape(_steady(shown)).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, _steady(found), re.DOTALL) is not None


def _steady(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    for varying, name in _VARYING:
        lines = varying.sub(name, lines)
    return lines
