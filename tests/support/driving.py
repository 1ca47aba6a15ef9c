"""What a driver host needs around it: a service that writes documents, a real broker, pilots as processes, and hosts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ewms.brokers.base import Broker
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core import wire
from ewms.core.errors import Conflict
from ewms.core.ids import workflow_id
from ewms.core.service.files import FileDocument
from ewms.core.service.phases import Wish, WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import parse_spec
from ewms.core.wire import RawResult, WireOutput
from ewms.stores.collections import FILES, WORKFLOWS
from ewms.stores.store import Change, Insert, Replace, Store
from ewms.stores.urls import store_for
from ewms.tms.launchers.local import LocalLauncher
from ewms.tms.uploads import placed
from ewms.wms.driver import Queues
from ewms.wms.files import Files
from ewms.wms.news import News
from ewms.wms.pilots import pilot_config

DEADLINE = 120.0
LEASE = 2.0


class Site:
    """A data directory with store, files and broker, as `ewms serve` would have it; its hosts and pilots end with it."""

    def __init__(self, folder: Path, store: Store, broker: Broker, broker_url: str, news: News) -> None:
        self.folder = folder
        self.store = store
        self.broker = broker
        self.broker_url = broker_url
        self.news = news
        self.files = Files(str(folder / "files"))
        self._launchers: list[LocalLauncher] = []
        self.hosts: list[HostProcess] = []

    async def submit(self, spec: Mapping[str, Any], uploads: Mapping[str, bytes] | None = None, **fields: Any) -> str:
        """What a POST to the service does; the workflow's id."""
        identity = workflow_id(time.time(), secrets.token_bytes(4))
        changes: list[Change] = []
        digests = {}
        for name, data in (uploads or {}).items():
            content = self.files.put(data)
            digests[name] = content.sha256
            file = FileDocument(workflow_id=identity, name=name, size=content.size, sha256=content.sha256)
            changes.append(Insert(collection=FILES, key=file.key, body=file.model_dump(mode="json")))
        document = WorkflowDocument(
            workflow_id=identity,
            timestamp=time.time(),
            spec=parse_spec(spec, "test"),
            files=digests,
            **fields,
        )
        await self.store.write(Insert(collection=WORKFLOWS, key=identity, body=document.model_dump(mode="json")), *changes)
        await self.news.publish(WORKFLOWS, identity)
        return identity

    async def change(self, identity: str, **fields: Any) -> None:
        """What the service does at a user's wish."""
        while True:
            stored = await self.store.get(WORKFLOWS, identity)
            assert stored is not None
            document = WorkflowDocument.model_validate(stored.body).model_copy(update=fields)
            body = document.model_dump(mode="json")
            try:
                await self.store.write(Replace(collection=WORKFLOWS, key=identity, version=stored.version, body=body))
            except Conflict:
                continue
            await self.news.publish(WORKFLOWS, identity)
            return

    async def wish(self, identity: str, wish: Wish) -> None:
        """A user's wish; it takes a workflow that nobody drives out of its rest, as the service does."""
        document = await self.document(identity)
        fields = {} if document.driver.host else {"state": WorkflowState.PENDING}
        await self.change(identity, wish=wish, **fields)

    async def document(self, identity: str) -> WorkflowDocument:
        stored = await self.store.get(WORKFLOWS, identity)
        assert stored is not None
        return WorkflowDocument.model_validate(stored.body)

    async def wait(
        self, identity: str, condition: Callable[[WorkflowDocument], bool], what: str, deadline: float = DEADLINE
    ) -> WorkflowDocument:
        """The document as soon as it is so; fails the test after the deadline."""
        end = time.monotonic() + deadline
        while True:
            document = await self.document(identity)
            if condition(document):
                return document
            if time.monotonic() > end:
                raise AssertionError(f"waited {deadline} s in vain for {what}: {document!r:.2000}")
            await asyncio.sleep(0.02)

    async def wait_state(self, identity: str, state: WorkflowState, deadline: float = DEADLINE) -> WorkflowDocument:
        return await self.wait(identity, lambda document: document.state is state, f"state {state}", deadline)

    def content(self, document: WorkflowDocument, name: str) -> bytes:
        """Of one of the workflow's files."""
        with self.files.open(document.files[name]) as stream:
            return stream.read()

    async def start_pilots(self, identity: str, workers: int = 2) -> LocalLauncher:
        """What the TMS does once the workflow is active."""
        document = await self.wait(identity, lambda document: document.active, "active queues")
        root = self.folder / "slot" / identity
        for name, digest in document.files.items():
            if name.startswith(("code/", "context/")):
                self.files.fetch(digest, root / name)
        config = pilot_config(
            document,
            broker_url=self.broker_url,
            capabilities=self.broker.capabilities,
            lease=LEASE,
            blobs=str(self.folder / "blobs"),
        )
        config = placed(config, document.files, str(root)).model_copy(update={"broker_patience": 20.0, "heartbeat": 0.5})
        launcher = LocalLauncher(self.folder / "pilots" / identity)
        self._launchers.append(launcher)
        await launcher.start(config, workers)
        return launcher

    async def start_host(self, name: str = "host") -> HostProcess:
        """A driver host as a process, which looks for work by now."""
        host = HostProcess(self.folder, self.broker_url, name)
        self.hosts.append(host)
        await host.start()
        await host.wait_log("host_started")
        return host

    async def stop_hosts(self) -> None:
        """Have all hosts bring to an end what they are about."""
        for host in self.hosts:
            if host.process.returncode is None:
                host.send(signal.SIGTERM)
                await host.stopped()

    async def close(self) -> None:
        """End all hosts and pilots."""
        await asyncio.gather(*(launcher.stop(0.5) for launcher in self._launchers))
        for host in self.hosts:
            await host.kill()


class HostProcess:
    """`ewms drive` with its log."""

    def __init__(self, folder: Path, broker_url: str, name: str = "host") -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.config = folder / "ewms.toml"
        secret = folder / "broker.url"
        secret.touch(mode=0o600)
        secret.write_text(broker_url)
        self.config.write_text(f'[service]\ndata = "{folder}"\nbroker = "file:{secret}"\nlease = {LEASE}\n')

    async def start(self) -> None:
        program = "from ewms.cli.main import main; main()"
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", program, "drive", "--config", str(self.config), "--name", self.name),
                stdout=log,
                stderr=log,
            )

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def wait_log(self, words: str) -> None:
        """Until its log has these words."""
        end = time.monotonic() + DEADLINE
        while words not in self.log.read_text():
            assert time.monotonic() < end, f"waited in vain for {words}: {self.log.read_text()[-2000:]}"
            await asyncio.sleep(0.05)

    async def stopped(self) -> int:
        """Its exit code, when it has ended."""
        return await asyncio.wait_for(self.process.wait(), DEADLINE)


@contextlib.asynccontextmanager
async def open_site(folder: Path, broker_url: str = "") -> AsyncIterator[Site]:
    """A site on a store of its own, and a broker of its own where none is named."""
    async with contextlib.AsyncExitStack() as stack:
        if not broker_url:
            server = await stack.enter_async_context(EmbeddedNats(folder / "broker", keep_port=True))
            broker_url = server.url
        store = await stack.enter_async_context(store_for(folder / "store.sqlite"))
        broker = await stack.enter_async_context(broker_for(broker_url))
        news = await stack.enter_async_context(News(broker))
        site = Site(folder, store, broker, broker_url, news)
        try:
            yield site
        finally:
            await site.close()


def jsonl(bodies: Sequence[Any]) -> bytes:
    """Bodies as JSON lines."""
    return b"".join(json.dumps(body).encode() + b"\n" for body in bodies)


async def work_off(site: Site, identity: str, events: int) -> None:
    """Be the pilot of a workflow until so many events are reported, each with its own body as the result."""
    await site.wait(identity, lambda document: document.active, "active queues", deadline=200)
    queues = Queues.of(identity)
    done = 0
    async with await site.broker.consumer(queues.work) as consumer:
        while done < events:
            for delivery in await consumer.lease(64, 5.0):
                message = wire.decode_work(delivery.body)
                done += len(message.events)
                await site.broker.publish(queues.reports, wire.encode([_echo(message)]), f"report-{message.message_id}")
                await delivery.ack()


def _echo(message: wire.WorkMessage) -> wire.Report:
    results = [
        RawResult(event.id, event.attempt, msgspec.Raw(wire.encode([WireOutput(event.codec, event.data)])), False)
        for event in message.events
    ]
    head = (wire.PROTOCOL, message.message_id, message.task, message.copy, "PL-echo", "here", "", 0.001)
    return wire.Report(*head, results, [])
