"""A small OpenID provider: discovery, keys that can be changed, and tokens of any kind."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://login.observatory.example/realms/all"
AUDIENCE = "ewms"


class Issuer:
    """Answers requests for its documents, as the transport of an HTTP client."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, Any]] = {}
        """Algorithm and private key by name."""
        self.published: list[dict[str, Any]] = []
        self.requests = 0
        self.is_away = False
        self.calls_itself = ISSUER
        self.add("first")

    def add(self, name: str, algorithm: str = "RS256") -> None:
        """Sign by a new key, too, and publish it."""
        if algorithm.startswith("ES"):
            key: Any = ec.generate_private_key(ec.SECP256R1())
            public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())
        else:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())
        self.keys[name] = (algorithm, key)
        self.published.append({**json.loads(public), "kid": name, "use": "sig"})

    def withdraw(self, name: str) -> None:
        """Publish a key no more."""
        self.published = [key for key in self.published if key["kid"] != name]

    def token(self, key: str = "first", *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token; claims that are None are left out."""
        now = int(time.time())
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 300, "groups": ["/users"]}
        body = {name: value for name, value in (usual | claims).items() if value is not None}
        algorithm, private = self.keys[key]
        return jwt.encode(body, private, algorithm=algorithm, headers={"kid": key} if headers is None else headers)

    def client(self) -> httpx2.AsyncClient:
        """An HTTP client that reaches nobody else."""
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer))

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """What the provider says."""
        self.requests += 1
        if self.is_away:
            raise httpx2.ConnectError("connection refused")
        if request.url.path.endswith("/.well-known/openid-configuration"):
            return httpx2.Response(200, json={"issuer": self.calls_itself, "jwks_uri": f"{self.calls_itself}/keys"})
        if request.url.path.endswith("/keys"):
            return httpx2.Response(200, json={"keys": self.published})
        return httpx2.Response(404)


class ListeningIssuer(Issuer):
    """One that is reached by HTTP."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = self.calls_itself = url
        """Its name, and where it is."""


@contextlib.contextmanager
def listening_issuer() -> Iterator[ListeningIssuer]:
    """A provider on a loopback port, as long as the block runs."""
    issuer: ListeningIssuer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = issuer.answer(httpx2.Request("GET", issuer.url + self.path))
            self.send_response(answer.status_code)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = ListeningIssuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
