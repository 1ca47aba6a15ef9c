"""`python -m ewms.drive.child`: the process of one application that came from uploaded code.

It answers the driver host's questions and knows nothing else: neither store nor broker, nor any credential. It ends when the
host does. What the application prints goes to stderr.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pydantic_core

from ewms.core.application import Application
from ewms.core.errors import ApplicationError
from ewms.core.event import Attempt, DeadLetter, Event, Outcome
from ewms.core.spec import parse_spec
from ewms.drive import frames
from ewms.drive.frames import Answer, Beginning, Chunk, Loading, Question, SentEvent, SentOutcome
from ewms.local.loading import Loaded, importable
from ewms.local.product import product_files
from ewms.wms.hosting import explain

_CHUNK = 256
_CHUNK_SECONDS = 0.1
_decode = msgspec.msgpack.decode


class Answers:
    """The methods of an application, with encoded arguments and results. `load` is the first that is called."""

    application: Application[Any, Any, Any]

    def load(self, argument: bytes) -> bytes:
        """Make the application."""
        beginning = _decode(argument, type=Beginning)
        loaded = Loaded(parse_spec(beginning.spec, "the workflow"), beginning.search_path, "the workflow", pilots_here=False)
        self.application = loaded.application([Path(path) for path in beginning.inputs])
        kind = type(self.application)
        listens = kind.advance is not Application.advance or kind.buried is not Application.buried
        spec = loaded.spec.model_copy(update={"application": None, "parameters": {}})
        return msgspec.msgpack.encode(Loading(spec=spec.model_dump(mode="json", exclude_unset=True), listens=listens))

    def context(self, _: bytes) -> bytes:
        """See `Application.context`."""
        return msgspec.msgpack.encode({name: bytes(data) for name, data in self.application.context().items()})

    def start(self, _: bytes) -> bytes:
        """Begin with the source anew."""
        self._source: Iterator[Event] = iter(self.application.start())
        return b""

    def following(self, _: bytes) -> bytes:
        """What the source has next, as much as it gives in a moment."""
        events: list[SentEvent] = []
        end = time.monotonic() + _CHUNK_SECONDS
        for event in self._source:
            events.append(_sent(event))
            if len(events) == _CHUNK or time.monotonic() > end:
                return msgspec.msgpack.encode(Chunk(events, is_last=False))
        return msgspec.msgpack.encode(Chunk(events, is_last=True))

    def advance(self, argument: bytes) -> bytes:
        """See `Application.advance`."""
        sent = _decode(argument, type=SentOutcome)
        values = tuple(frames.unpack(codec, data) for codec, data in sent.values)
        return _answered(self.application.advance(Outcome(id=sent.id, task=sent.task, values=values, many=sent.many)))

    def buried(self, argument: bytes) -> bytes:
        """See `Application.buried`."""
        head, history, body = _decode(argument, type=tuple[dict[str, str], list[Attempt], tuple[str, bytes]])
        letter = DeadLetter(**head, history=tuple(history), body=frames.unpack(*body))
        return _answered(self.application.buried(letter))

    def assemble(self, _: bytes) -> bytes:
        """See `Application.assemble`: the product's files."""
        return _files(self.application.assemble())

    def snapshot(self, _: bytes) -> bytes:
        """See `Application.snapshot`: the product's files."""
        return _files(self.application.snapshot())

    def status(self, _: bytes) -> bytes:
        """See `Application.status`."""
        return str(self.application.status()).encode()

    def summary(self, _: bytes) -> bytes:
        """See `Application.summary`."""
        return pydantic_core.to_json(dict(self.application.summary()), inf_nan_mode="constants")


def _sent(event: Any) -> SentEvent:
    if not isinstance(event, Event):
        raise ApplicationError(f"the application sent a {type(event).__name__}; it must send ewms.Event")
    return SentEvent(event.id, event.queue, event.headers, *frames.pack(event.body))


def _answered(events: Iterable[Event] | None) -> bytes:
    return msgspec.msgpack.encode([_sent(event) for event in events or ()])


def _files(product: Any) -> bytes:
    return msgspec.msgpack.encode(None if product is None else product_files(product))


def serve(questions: frames.Stream, replies: frames.Stream) -> None:
    """Answer until nobody asks any more."""
    answers = Answers()
    while (body := frames.read(questions)) is not None:
        question = _decode(body, type=Question)
        method: Callable[[bytes], bytes] = getattr(answers, question.method)
        try:
            answer = Answer(method(question.argument))
        except Exception as raised:  # noqa: BLE001  the user's code may raise anything; the host raises it again
            application = type(getattr(answers, "application", answers)).__name__
            error = explain(application, question.method, raised)
            answer = Answer(error=type(error).__name__, message=str(error))
        frames.write(replies, answer)


def main() -> None:
    """Serve on what were stdin and stdout."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    questions = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    with importable([str(Path.cwd())]):
        serve(questions, replies)


if __name__ == "__main__":
    main()
