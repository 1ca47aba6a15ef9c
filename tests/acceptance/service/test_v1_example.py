"""EWMS's documented example, with plain HTTP and a plain client of the broker: request, wait, load, read, finish.

The service is `ewms dev` with its driver host, its TMS, its broker and its pilots; the task is a container, run by podman.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from nats.aio.client import Client, RawCredentials
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from tests.support import containers
from tests.support.dev_tree import DevTree, dev_tree
from tests.support.ewms_v1 import EwmsClient, a_request, eventually

EVENTS = [f"word{number}" for number in range(8)]
COPY = "sh -c 'read word < {{INFILE}}; echo \"$word\" > {{OUTFILE}}'"
CREDENTIALS = (
    "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
    "-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with a shell, and podman set up for where tests run."""
    reason = containers.why_no_podman()
    if reason is not None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in containers.environment(tmp_path_factory.mktemp("podman")).items():
            patch.setenv(name, value)
        yield containers.podman_images()[1]


@pytest.fixture(scope="module")
def tree(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevTree]:
    with dev_tree(tmp_path_factory.mktemp("dev") / "data") as tree:
        yield tree


@pytest.fixture
def token(tree: DevTree) -> str:
    return Path(tree.environment["EWMS_TOKEN_FILE"]).read_text().strip()


@pytest.fixture
async def ewms(tree: DevTree, token: str) -> AsyncIterator[EwmsClient]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=tree.url, headers=headers, timeout=30.0) as http:
        yield EwmsClient(http)


@asynccontextmanager
async def connected(profile: dict[str, Any]) -> AsyncIterator[JetStreamContext]:
    """The broker, as anybody's client of NATS reaches it with what the profile says."""
    assert profile["broker_type"] == "nats"
    jwt, _, host = profile["broker_address"].rpartition("@")
    claims = jwt.split(".")[1]
    identity = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["jti"]
    credentials = RawCredentials(CREDENTIALS.format(jwt=jwt, seed=profile["auth_token"]))
    client = Client()  # not `nats.connect`, which leaves the connection open where it fails
    try:
        await client.connect(
            f"nats://{host}",
            user_credentials=credentials,
            inbox_prefix=f"_INBOX.{identity}".encode(),
            allow_reconnect=False,
            error_cb=_ignore,
        )
        yield client.jetstream(timeout=2)
    finally:
        await client.close()


async def _ignore(_: Exception) -> None:
    """A refused subject is told by the call that it refuses."""


async def activated(ewms: EwmsClient, workflow: str) -> dict[str, dict[str, Any]]:
    """The public queues by alias, once all are there, as EWMS's script waits for them."""

    async def are_active() -> list[dict[str, Any]] | None:
        profiles: list[dict[str, Any]] = (await ewms.get(f"/v1/mqs/workflows/{workflow}/mq-profiles/public"))["mqprofiles"]
        return profiles if profiles and all(profile["is_activated"] for profile in profiles) else None

    found = await eventually(are_active, "the queues to be activated", 60.0)
    return {profile["alias"]: profile for profile in found}


async def read(stream: JetStreamContext, queue: str, count: int, deadline: float = 90.0) -> list[str]:
    """So many outputs, each acked."""
    subscription = await stream.pull_subscribe_bind(durable="lease", stream=queue)
    outputs: list[str] = []
    end = time.monotonic() + deadline
    while len(outputs) < count and time.monotonic() < end:
        try:
            messages = await subscription.fetch(count - len(outputs), timeout=2)
        except TimeoutError:
            continue
        for message in messages:
            outputs.append(message.data.decode().strip())
            await message.ack()
    return outputs


async def test_ewmss_example_flow(ewms: EwmsClient, tree: DevTree, image: str) -> None:
    pilot = {"environment": {"_EWMS_PILOT_CONTAINER_PLATFORM": "podman", "CONTAINERS_CONF": os.environ["CONTAINERS_CONF"]}}
    request = a_request(cluster_locations=["local"], task_image=image, task_args=COPY, n_workers=2, pilot_config=pilot)
    made = await ewms.post("/v1/workflows", request)
    workflow = made["workflow"]["workflow_id"]
    (directive,) = made["task_directives"]
    profiles = await activated(ewms, workflow)
    loading, reading = profiles["input-queue"], profiles["output-queue"]
    assert [loading["mqid"]] == directive["input_queues"]
    assert [reading["mqid"]] == directive["output_queues"]

    async with connected(loading) as stream:
        for event in EVENTS:
            await stream.publish(f"ewms.queue.{loading['mqid']}", event.encode())
        with pytest.raises(NatsError):  # the credential is for loading, not for reading
            await stream.publish(f"ewms.queue.{reading['mqid']}", b"forged")
    async with connected(reading) as stream:
        outputs = await read(stream, reading["mqid"], len(EVENTS))
        assert sorted(set(outputs)) == sorted(EVENTS), tree.logs()

    await ewms.post(f"/v1/workflows/{workflow}/actions/finished")
    (taskforce,) = made["taskforces"]
    ended = await ewms.in_phase(taskforce["taskforce_uuid"], "condor-complete")
    passed = [entry["target_phase"] for entry in ended["phase_change_log"] if entry["was_successful"]]
    assert passed[:4] == ["pre-mq-activation", "pre-launch", "pending-starter", "condor-submit"]
    assert passed[4] == "pending-stopper"

    async def is_revoked() -> bool:
        try:
            async with connected(loading) as stream:
                await stream.publish(f"ewms.queue.{loading['mqid']}", b"late")
        except (NatsError, OSError):
            return True
        return False

    assert await eventually(is_revoked, "the credential to be revoked")
