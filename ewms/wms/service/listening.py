"""The HTTP server: uvicorn, with a socket of ours and an end that waits for nobody's long poll."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from ewms.core.errors import InputError
from ewms.core.service.configuration import ServiceConfiguration

_BACKLOG = 2048
_GRACE_SECONDS = 10
_KEEP_ALIVE_SECONDS = 30


class HttpServer(uvicorn.Server):
    """Ends when it is told to; signals are the process's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to whoever runs the server."""
        yield

    def stop(self) -> None:
        """Take no new request; finish those under way."""
        self.should_exit = True


def open_socket(configuration: ServiceConfiguration) -> socket.socket:
    """A listening socket; `InputError` where the address cannot be had."""
    host, port = configuration.address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise InputError(f"cannot listen at {configuration.listen}: {error.strerror}; choose another by --port") from error


def http_server(app: FastAPI, configuration: ServiceConfiguration) -> HttpServer:
    """A server for an app; `InputError` for a certificate that cannot be used."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=configuration.certificate,
        ssl_keyfile=configuration.key,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        ws="none",
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"certificate {configuration.certificate} and key cannot be used: {error.strerror or error}"
        ) from error
    return HttpServer(config)
