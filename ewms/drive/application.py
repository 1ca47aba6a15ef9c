"""An application that lives in a process of its own, as the driver sees it: like any other."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pydantic_core

from ewms.core import errors
from ewms.core.application import Application
from ewms.core.errors import ApplicationError
from ewms.core.event import DeadLetter, Event, Outcome
from ewms.core.spec import WorkflowSpec, parse_spec
from ewms.drive import frames
from ewms.drive.frames import Answer, Beginning, Chunk, Loading, Question, SentEvent, SentOutcome
from ewms.local.loading import Loaded
from ewms.pilot.processes import die_with_parent

_KEPT = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
"""Variables that an application may see; others may hold the service's secrets."""
_LOG_TAIL = 2048
_decode = msgspec.msgpack.decode


class Process:
    """The process, which answers one question at a time. May be asked from any thread.

    Parameters
    ----------
    folder
        Where it runs: of the workflow's own code.
    log
        Where what it prints goes.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        parent = os.getpid()
        ours, theirs = socket.socketpair()
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-P", "-m", "ewms.drive.child"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=stream,
                cwd=folder,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent, signal.SIGKILL),  # noqa: PLW1509  one system call
            )
        with ours, theirs:
            self._stream = ours.makefile("rwb")

    def ask(self, method: str, argument: bytes = b"") -> bytes:
        """What the method returned, or raises what it raised; `ApplicationError` if the process is dead."""
        with self._lock:
            body = None
            with contextlib.suppress(OSError, ValueError):  # it has died, or was closed by the host
                frames.write(self._stream, Question(method, argument))
                body = frames.read(self._stream)
        if body is None:
            raise ApplicationError(f"the application's process {self._ending()} in {method}(); correct it and resume")
        answer = _decode(body, type=Answer)
        if answer.error:
            kind = getattr(errors, answer.error, ApplicationError)
            raise kind(answer.message)
        return answer.value

    def close(self) -> None:
        """End it, with whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(OSError):
            self._stream.close()

    def _ending(self) -> str:
        code = self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        tail = self._log.read_bytes()[-_LOG_TAIL:].decode(errors="replace").strip().splitlines()
        return f"{how} ({tail[-1].strip()})" if tail else how


class RemoteApplication(Application[Event, Outcome, Any]):
    """Asks the process. This one does not care for outcomes."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self.process = process

    def context(self) -> Mapping[str, bytes]:
        """See `Application.context`."""
        return _decode(self.process.ask("context"), type=dict[str, bytes])

    def start(self) -> Iterator[Event]:
        """See `Application.start`."""
        self.process.ask("start")
        chunk = Chunk([], is_last=False)
        while not chunk.is_last:
            chunk = _decode(self.process.ask("following"), type=Chunk)
            yield from map(_event, chunk.events)

    def assemble(self) -> Any:
        """See `Application.assemble`."""
        return _decode(self.process.ask("assemble"))

    def snapshot(self) -> Any:
        """See `Application.snapshot`."""
        return _decode(self.process.ask("snapshot"))

    def status(self) -> str:
        """See `Application.status`."""
        return self.process.ask("status").decode()

    def summary(self) -> Mapping[str, Any]:
        """See `Application.summary`."""
        summary: dict[str, Any] = pydantic_core.from_json(self.process.ask("summary"))
        return summary


class ListeningApplication(RemoteApplication):
    """One that does."""

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        """See `Application.advance`."""
        values = [frames.pack(value) for value in outcome.values]
        sent = SentOutcome(outcome.id, outcome.task, values, outcome.many)
        return self._answered("advance", msgspec.msgpack.encode(sent))

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        """See `Application.buried`."""
        head = {"id": letter.id, "task": letter.task, "reason": letter.reason}
        return self._answered("buried", msgspec.msgpack.encode((head, letter.history, frames.pack(letter.body))))

    def _answered(self, method: str, argument: bytes) -> list[Event]:
        return [_event(sent) for sent in _decode(self.process.ask(method, argument), type=list[SentEvent])]


def load_remote(process: Process, spec: WorkflowSpec, search_path: Sequence[str], inputs: Sequence[Path]) -> Loaded:
    """A workflow whose application the process makes; raises `EwmsError` for whatever is wrong with it."""
    plain = spec.model_dump(mode="json", exclude_unset=True)
    beginning = Beginning(plain, list(search_path), [str(path) for path in inputs])
    loading = _decode(process.ask("load", msgspec.msgpack.encode(beginning)), type=Loading)
    kind = ListeningApplication if loading.listens else RemoteApplication

    def make(inputs: Sequence[Path]) -> RemoteApplication:
        del inputs  # it has them
        return kind(process)

    return Loaded(parse_spec(loading.spec, "the workflow"), search_path, "the workflow", make, pilots_here=False)


def _event(sent: SentEvent) -> Event:
    return Event(id=sent.id, body=frames.unpack(sent.codec, sent.data), queue=sent.queue, headers=sent.headers)
