"""An HTTP server that answers as a test tells it, and remembers what it was asked: for whatever a real one does rarely."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Answer:
    """What is said to it; a body of several parts is sent as a stream, which `breaks` off instead of ending."""

    body: Any = None
    status: int = 200
    content_type: str = "application/json"
    parts: Iterable[bytes] | None = None
    breaks: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Asked], Answer]


class StandIn:
    """Routes by method and path; everything else is a 404 with EWMS's body."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []
        self.server: ThreadingHTTPServer | None = None

    def answer(self, route: str, *answers: Answer) -> None:
        """Give these answers to `METHOD /path`, one after the other, the last one for ever."""
        left = list(answers)
        self.routes[route] = lambda asked: left.pop(0) if len(left) > 1 else left[0]

    def asked_for(self, route: str) -> list[Asked]:
        return [asked for asked in self.asked if f"{asked.method} {asked.path}" == route]

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.server_port}"


@contextlib.contextmanager
def stand_in() -> Iterator[StandIn]:
    """A server on a port that the kernel picks."""
    told = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Be quiet."""

        def do_any(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, parts.path, query, dict(self.headers.items()), body)
            told.asked.append(asked)
            route = told.routes.get(f"{asked.method} {asked.path}")
            missing = Answer({"code": 404, "error": f"there is no {asked.path}"}, 404)
            self.reply(missing if route is None else route(asked))

        def reply(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.parts is None:
                data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in answer.parts:
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()
            if answer.breaks:
                self.request.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_PUT = do_any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.server = server
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
