"""Alerts by POST, folder and webhook at a service that really listens; its driver host is played by the test."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import pickle
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ewms.core.service.files import FileDocument
from ewms.stores.collections import FILES, WORKFLOWS
from ewms.stores.store import Delete, Insert
from ewms.wms.service.state import ServiceState
from skymap_scanner.reading import native
from skymap_scanner.skydriver.auto.signature import SIGNATURE, TIMESTAMP, signature_of
from tests.support.conditions import until
from tests.support.driven import change
from tests.support.service import RunningService, running_service

SECONDS = 60.0
EventBytes = Callable[..., bytes]
POLICY = """
[defaults]
reco = "dummy"
nsides = "1:0"
[targets.shift]
folder = "{folder}/shift"
[targets.other]
folder = "{folder}/other"
stages = ["final"]
[[rules]]
name = "bright"
when = {{ type = "gold" }}
scans = [{{ priority = 120 }}, {{ nsides = "2:0", classifiers = {{ depth = "deep" }} }}]
publish = ["shift", "other"]
[[rules]]
name = "nothing"
when = {{ type = "noise" }}
scans = []
"""


@contextlib.asynccontextmanager
async def skydriver(
    folder: Path, webhooks: Mapping[str, Any] | None = None, **settings: Any
) -> AsyncIterator[tuple[RunningService, httpx2.AsyncClient]]:
    """A service and a client of SkyDriver."""
    policy = folder / "policy.toml"
    if not policy.exists():
        policy.write_text(POLICY.format(folder=folder))
    tables: dict[str, Any] = {"plugins": {"skydriver": {"policy": str(policy), "partial_every": 1.0, **settings}}}
    tables["webhooks"] = webhooks or {}
    async with running_service(folder / "data", **tables) as service, service.client() as http:
        http.base_url = f"{service.url}/skydriver/"
        yield service, http


async def posted(http: httpx2.AsyncClient, body: bytes, code: int = 202) -> dict[str, Any]:
    answer = await http.post("alerts", content=body)
    assert answer.status_code == code, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def workflows(service: RunningService) -> list[str]:
    return [stored.key for stored in (await service.state.store.find(WORKFLOWS)).items]


async def test_an_alert_is_scanned_as_its_rule_says(tmp_path: Path, event_bytes: EventBytes) -> None:
    async with skydriver(tmp_path) as (service, http):
        told = await posted(http, event_bytes())
        assert (told["rule"], told["state"], told["is_duplicate"], told["revision_of"]) == ("bright", "started", False, None)
        assert [scan["priority"] for scan in told["scans"]] == [120, 100]
        manifest = (await http.get(f"scan/{told['scans'][1]['scan_id']}/manifest")).json()
        assert manifest["classifiers"] == {"depth": "deep", "rule": "bright"}
        assert manifest["event_metadata"]["run_id"] == 118_000
        assert len(await workflows(service)) == 2
        alert = (await http.get(f"alerts/{told['alert_id']}")).json()
        assert (alert["facts"]["charge"], alert["way"], alert["policy"]) == (32.0, "post", told["policy"])


async def test_the_same_alert_is_scanned_once_whatever_its_form(tmp_path: Path, shared_events: Path) -> None:
    data = (shared_events / "hese_event_00.json").read_bytes()
    message = json.loads(data)
    async with skydriver(
        tmp_path, policy=str(Path(__file__).parents[3] / "skymap_scanner/skydriver/auto/default_policy.toml")
    ) as (
        service,
        http,
    ):
        first = await posted(http, data)
        for other in (data, json.dumps(message, indent=1, sort_keys=True).encode(), pickle.dumps(message)):
            told = await posted(http, other)
            assert told["is_duplicate"]
            assert told["scans"] == first["scans"]
        assert len(await workflows(service)) == len(first["scans"]) == 1
        assert (await http.get("alerts")).json()["total"] == 1
        assert (await http.get(f"alerts/{first['alert_id']}")).json()["seen"] == 4


async def test_a_scan_that_is_posted_tells_of_the_one_before(tmp_path: Path, event_bytes: EventBytes) -> None:
    """SkyDriver's clients may scan an event as often as they like."""
    body = {
        "docker_tag": "latest",
        "reco_algo": "dummy",
        "nsides": {"1": 0},
        "real_or_simulated_event": "sim",
        "max_pixel_reco_time": 60,
        "request_clusters": {"here": 1},
    }
    event = json.loads(event_bytes())
    other = {**event, "pulses": event["pulses"][::-1]}
    async with skydriver(tmp_path) as (_, http):
        manifests = [
            (await http.post("scan", json={**body, "event_i3live_json": sent})).json()
            for sent in (event, json.dumps(other), json.loads(event_bytes(8)))
        ]
        assert [manifest["duplicate_of"] for manifest in manifests] == [None, manifests[0]["scan_id"], None]


async def test_a_revision_is_scanned_anew_and_knows_the_former(tmp_path: Path, event_bytes: EventBytes) -> None:
    async with skydriver(tmp_path) as (_, http):
        first, second, third = [await posted(http, event_bytes(charge=charge)) for charge in (1.0, 2.0, 3.0)]
        assert (second["revision_of"], third["revision_of"]) == (first["alert_id"], second["alert_id"])
        assert len({scan["scan_id"] for told in (first, second, third) for scan in told["scans"]}) == 6
        found = (await http.get("alerts", params={"event": first["event"]})).json()
        assert [alert["alert_id"] for alert in found["items"]] == [told["alert_id"] for told in (third, second, first)]


@pytest.mark.parametrize(("kind", "rule"), [("noise", "nothing"), ("HESE", None)])
async def test_what_no_rule_wants_is_kept(tmp_path: Path, event_bytes: EventBytes, kind: str, rule: str | None) -> None:
    async with skydriver(tmp_path) as (service, http):
        told = await posted(http, event_bytes(event_type=kind))
        assert (told["state"], told["rule"], told["scans"]) == ("ignored", rule, [])
        assert await workflows(service) == []
        (tmp_path / "policy.toml").write_text('[[rules]]\nname = "all"\nscans = [{ reco = "dummy" }]\n')
        again = (await http.post(f"alerts/{told['alert_id']}/actions/decide")).json()
        assert (again["state"], again["rule"], again["decision"]) == ("started", "all", 2)
        assert len(await workflows(service)) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"\x80\x04N.", b"[" * 100_000])
async def test_what_is_no_alert_is_refused_in_one_line(tmp_path: Path, body: bytes) -> None:
    async with skydriver(tmp_path) as (_, http):
        told = await posted(http, body, 400)
        assert told["error"].startswith("the alert: ")
        assert (await http.get("alerts")).json()["total"] == 0


async def test_listings_are_paged_and_exact(tmp_path: Path, event_bytes: EventBytes) -> None:
    async with skydriver(tmp_path) as (_, http):
        ids = [(await posted(http, event_bytes(number, event_type="noise")))["alert_id"] for number in range(5)]
        found, after = [], None
        while True:
            page = (await http.get("alerts", params={"limit": 2, **({"after": after} if after else {})})).json()
            assert page["total"] == 5
            found += [alert["alert_id"] for alert in page["items"]]
            if (after := page["after"]) is None:
                break
        assert found == ids[::-1]


async def test_a_wrong_policy_loses_no_alert(tmp_path: Path, event_bytes: EventBytes) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[[rules]]\nnme = 3\n")
    async with skydriver(tmp_path) as (service, http):
        told = await posted(http, event_bytes())
        assert (told["state"], told["scans"]) == ("waiting", [])
        assert "rule 1, unknown key 'nme'; did you mean 'name'?" in told["problem"]
        assert told["problem"] in (await http.get("automation")).json()["troubles"]
        policy.write_text(POLICY.format(folder=tmp_path))

        async def is_started() -> bool:
            return bool((await http.get(f"alerts/{told['alert_id']}")).json()["state"] == "started")

        await until(is_started, "the scans", SECONDS)
        assert len(await workflows(service)) == 2
        assert (await http.get("automation")).json()["troubles"] == []
        policy.write_text("rules = 3")
        assert (await posted(http, event_bytes(8)))["rule"] == "bright", "the policy before stays in force"
        assert "write a list" in (await http.get("automation")).json()["troubles"][0]


class TestWebhook:
    """Signed alerts."""

    async def test_only_what_is_signed_is_taken(
        self, tmp_path: Path, event_bytes: EventBytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALERT_SECRET", "the secret")
        body, now = event_bytes(), str(int(time.time()))
        old = str(int(now) - 1000)
        async with skydriver(tmp_path, webhook_secret="env:ALERT_SECRET", owner="realtime") as (service, http):
            for headers in (
                {},
                {SIGNATURE: signature_of(b"another", body)},
                {SIGNATURE: signature_of(b"the secret", body), TIMESTAMP: now},
                {SIGNATURE: signature_of(b"the secret", body, old), TIMESTAMP: old},
            ):
                answer = await http.post("alerts/webhook", content=body, headers=headers)
                assert answer.status_code == 401, answer.text
                assert "the secret" not in answer.text.replace("the secret of [plugins", "")
            assert await workflows(service) == []
            signed = {SIGNATURE: signature_of(b"the secret", body, now), TIMESTAMP: now}
            told = (await http.post("alerts/webhook", content=body, headers=signed)).json()
            assert (told["state"], told["is_duplicate"]) == ("started", False)
            plain = await http.post("alerts/webhook", content=body, headers={SIGNATURE: signature_of(b"the secret", body)})
            assert (plain.status_code, plain.json()["is_duplicate"]) == (202, True)
            assert (await http.get(f"alerts/{told['alert_id']}")).json()["owner"] == "realtime"

    async def test_without_a_secret_nothing_is_taken(self, tmp_path: Path, event_bytes: EventBytes) -> None:
        async with skydriver(tmp_path) as (_, http):
            answer = await http.post(
                "alerts/webhook", content=event_bytes(), headers={SIGNATURE: signature_of(b"", event_bytes())}
            )
            assert answer.status_code == 404
            assert "webhook_secret" in answer.json()["error"]


class TestFolder:
    """The watched folder, and that a new process goes on with it."""

    async def test_files_are_taken_and_moved(self, tmp_path: Path, event_bytes: EventBytes) -> None:
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        (inbox / "bad.json").write_bytes(b"nonsense")
        (inbox / "old.json").write_bytes(event_bytes(1))
        async with skydriver(tmp_path, watch=str(inbox), owner="realtime") as (service, http):
            (inbox / ".draft").write_bytes(event_bytes(2))
            (inbox / ".draft").rename(inbox / "new.json")
            (inbox / "same.json").write_bytes(event_bytes(2))
            await until(lambda: _has(inbox / "done", 3), "three files", SECONDS)
            await until(lambda: _has(inbox / "refused", 2), "the one that is none", SECONDS)
            assert len(await workflows(service)) == 4
            alerts = (await http.get("alerts")).json()["items"]
            assert {(alert["way"], alert["owner"]) for alert in alerts} == {("folder", "realtime")}
            assert "neither JSON nor a pickle" in (inbox / "refused" / "bad.json.reason.txt").read_text()
        for path in (inbox / "done").iterdir():  # as if it had died before it moved them
            path.rename(inbox / path.name)
        async with skydriver(tmp_path, watch=str(inbox)) as (service, http):
            await until(lambda: _has(inbox / "done", 3), "the files again", SECONDS)
            assert (len(await workflows(service)), (await http.get("alerts")).json()["total"]) == (4, 2)

    async def test_settings_that_are_wrong_are_one_line(self, tmp_path: Path) -> None:
        for settings, said in (
            ({"watch": "inbox"}, r"\[plugins.skydriver\] watch: inbox is relative; write the whole path"),
            ({"webhook_secret": "hush"}, r"\[plugins.skydriver\] webhook_secret: a secret is not written here"),
            ({"webhook_secret": "env:NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE"),
            ({"partial_every": 0}, r"\[plugins.skydriver\] partial_every: "),
        ):
            with pytest.raises(Exception, match=said) as caught:
                async with skydriver(tmp_path, **settings):
                    pass
            assert "hush" not in str(caught.value)


async def _has(folder: Path, files: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return len(os.listdir(folder)) >= files
    return False


class Driver:
    """Plays a driver host: gives a scan's workflow files and states."""

    def __init__(self, state: ServiceState, http: httpx2.AsyncClient) -> None:
        self._state = state
        self._http = http

    async def workflow_of(self, scan_id: str) -> str:
        found: str = (await self._http.get(f"scan/{scan_id}/manifest")).json()["ewms_workflow_id"]
        return found

    async def partial(self, scan_id: str, number: int, files: Mapping[str, bytes]) -> None:
        await self._give(scan_id, "partial/", files, state="running", partial=sorted(files), partial_number=number)

    async def complete(self, scan_id: str, files: Mapping[str, bytes]) -> None:
        workflow_id = await self.workflow_of(scan_id)
        partial = (await self._state.store.get(WORKFLOWS, workflow_id)).body["partial"]  # type: ignore[union-attr]
        for name in partial:
            await self._state.store.write(Delete(collection=FILES, key=f"{workflow_id}/{name}"))
        await self._give(scan_id, "product/", files, state="complete", product=sorted(files), partial=())

    async def _give(self, scan_id: str, prefix: str, files: Mapping[str, bytes], **fields: Any) -> None:
        workflow_id = await self.workflow_of(scan_id)
        for name, data in files.items():
            document = FileDocument(workflow_id=workflow_id, name=f"{prefix}{name}", size=len(data), sha256="")
            content = self._state.files.holding(document).put(data)
            document = document.model_copy(update={"sha256": content.sha256})
            body = document.model_dump(mode="json")
            await self._state.store.write(
                Delete(collection=FILES, key=document.key), Insert(collection=FILES, key=document.key, body=body)
            )
        names = {
            key: [f"{prefix}{name}" for name in value] for key, value in fields.items() if key in {"partial", "product"}
        }
        await change(self._state, workflow_id, fields | names)


FINAL_FILES = {
    "run.json": b"{}",
    "best_fit.json": b'{"ra": 1}',
    "run.multiorder.fits": b"map",
    "run.notice.json": b'{"id": 1}',
}


async def test_maps_reach_their_targets_partial_first_when_these_come_back(tmp_path: Path, event_bytes: EventBytes) -> None:
    """Both folders are away at first; the service ends and begins meanwhile."""
    async with skydriver(tmp_path) as (service, http):
        told = await posted(http, event_bytes())
        scan_id, driver = told["scans"][0]["scan_id"], Driver(service.state, http)
        await driver.partial(scan_id, 1, {"partial.json": b"1", "overview.json": b"{}"})
        await until(lambda: _is_put_off(http, f"{scan_id}.shift"), "the first attempt", SECONDS)
        await driver.complete(scan_id, FINAL_FILES)
    (tmp_path / "other").mkdir()
    place = f"run00118000.evt000000000007.gold/{scan_id}"
    async with skydriver(tmp_path) as (service, http):
        await until(
            lambda: _exists(tmp_path / "other" / place / "final" / "published.json"), "the one that is back", SECONDS
        )
        assert not (tmp_path / "shift").exists(), "an absent disk is not made up for by a folder"
        (tmp_path / "shift").mkdir()
        await until(lambda: _exists(tmp_path / "shift" / place / "final" / "published.json"), "the other one", SECONDS)
        await until(lambda: _is_done(http, scan_id), "an outbox without it", SECONDS)
    partial, final = tmp_path / "shift" / place / "partial", tmp_path / "shift" / place / "final"
    assert (partial / "partial.json").read_bytes() == b"1", "though the product had taken its place by then"
    assert {path.name: path.read_bytes() for path in final.iterdir() if path.name != "published.json"} == FINAL_FILES
    assert (partial / "published.json").stat().st_mtime_ns <= (final / "published.json").stat().st_mtime_ns
    assert not (tmp_path / "other" / place / "partial").exists(), "it wants finished maps only"
    assert not any(path.is_file() for path in (tmp_path / "data" / "plugins" / "skydriver" / "partial").rglob("*"))


async def test_a_scan_that_fails_is_told_and_its_map_comes_all_the_same_later(
    tmp_path: Path, event_bytes: EventBytes
) -> None:
    (tmp_path / "shift").mkdir()
    (tmp_path / "other").mkdir()
    async with skydriver(tmp_path) as (service, http):
        told = await posted(http, event_bytes())
        scan_id, driver = told["scans"][0]["scan_id"], Driver(service.state, http)
        final = tmp_path / "shift" / "run00118000.evt000000000007.gold" / scan_id / "final" / "published.json"
        workflow_id = await driver.workflow_of(scan_id)
        await change(service.state, workflow_id, {"state": "failed", "reason": "no pilot lives"})
        await until(lambda: _exists(final), "the failure", SECONDS)
        assert (json.loads(final.read_text())["state"], json.loads(final.read_text())["reason"]) == (
            "failed",
            "no pilot lives",
        )
        await change(service.state, workflow_id, {"state": "running", "reason": ""})
        await driver.complete(scan_id, FINAL_FILES)

        async def is_complete() -> bool:
            return bool(json.loads(final.read_text())["state"] == "complete")

        await until(is_complete, "the map", SECONDS)
        assert (final.parent / "run.multiorder.fits").read_bytes() == b"map"


async def test_a_scan_that_takes_the_place_of_another_takes_its_targets_too(tmp_path: Path, event_bytes: EventBytes) -> None:
    (tmp_path / "shift").mkdir()
    (tmp_path / "other").mkdir()
    async with skydriver(tmp_path) as (service, http):
        old, driver = (await posted(http, event_bytes()))["scans"][0]["scan_id"], Driver(service.state, http)
        await change(service.state, await driver.workflow_of(old), {"state": "failed", "reason": "no pilot lives"})
        place = tmp_path / "shift" / "run00118000.evt000000000007.gold"
        await until(lambda: _exists(place / old / "final" / "published.json"), "the failure", SECONDS)
        answer = await http.post(f"scan/{old}/actions/rescan", json={"replace_scan": True})
        new = answer.json()["scan_id"]
        await driver.complete(new, FINAL_FILES)
        await until(lambda: _exists(place / new / "final" / "published.json"), "the map", SECONDS)
        assert {item["state"] for item in await _publications(http, old)} == {"done"}


async def test_a_webhook_is_called_as_the_service_calls_them(tmp_path: Path, event_bytes: EventBytes) -> None:
    """Signed, again until it answers well, and into private networks only where an operator allows it."""
    calls: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
    answers = ["503 Sorry", "204 No Content"]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()[1:]
        headers = dict(line.split(": ", 1) for line in head if line)
        calls.put_nowait((headers, await reader.readexactly(int(headers["content-length"]))))
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    (tmp_path / "policy.toml").write_text(
        f'[targets.desk]\nwebhook = "{url}"\n[[rules]]\nname = "all"\nscans = [{{ reco = "dummy" }}]\npublish = ["desk"]\n'
    )
    async with server:
        async with skydriver(tmp_path) as (service, http):
            scan_id = (await posted(http, event_bytes()))["scans"][0]["scan_id"]
            await Driver(service.state, http).complete(scan_id, FINAL_FILES)
            await until(lambda: _is_put_off(http, f"{scan_id}.desk"), "a refusal", SECONDS)
            assert "private network" in (await _publications(http, scan_id))[0]["problem"]
            assert calls.empty()
        async with skydriver(tmp_path, webhooks={"allow": ["127.0.0.0/8"]}) as (service, http):
            await until(lambda: _is_done(http, scan_id), "the delivery", SECONDS)
            workflow_id = await Driver(service.state, http).workflow_of(scan_id)
    first, second = calls.get_nowait(), calls.get_nowait()
    assert first[1] == second[1], "a repeat says the same"
    assert first[0]["x-ewms-delivery"] == second[0]["x-ewms-delivery"] == f"{scan_id}.desk.final"
    key = (tmp_path / "data" / "secrets" / "webhook.key").read_bytes()
    signed = hmac.new(key, second[0]["x-ewms-timestamp"].encode() + b"." + second[1], "sha256").hexdigest()
    assert second[0]["x-ewms-signature"] == f"sha256={signed}"
    told = json.loads(second[1])
    assert (told["stage"], told["state"], told["documents"]["run.notice.json"]) == ("final", "complete", {"id": 1})
    assert {file["url"].partition("/api/")[2] for file in told["files"]} == {
        f"workflows/{workflow_id}/files/product/{name}" for name in FINAL_FILES
    }


async def test_a_publication_can_be_dropped(tmp_path: Path, event_bytes: EventBytes) -> None:
    async with skydriver(tmp_path) as (service, http):
        told = await posted(http, event_bytes())
        scan_id, driver = told["scans"][0]["scan_id"], Driver(service.state, http)
        await driver.complete(scan_id, FINAL_FILES)
        await until(lambda: _is_put_off(http, f"{scan_id}.shift"), "the first attempt", SECONDS)
        found = (await http.get("publications", params={"scan_id": scan_id})).json()
        problems = {item["target"]: item["problem"] for item in found["items"]}
        assert "is not there" in problems["shift"]
        assert (await http.delete(f"publications/{scan_id}.shift")).status_code == 200
        assert (await http.delete(f"publications/{scan_id}.shift")).status_code == 404
        assert (await http.get("publications", params={"scan_id": scan_id})).json()["total"] == 1


async def _exists(path: Path) -> bool:
    return path.name in (os.listdir(path.parent) if await _has(path.parent, 1) else ())


async def _publications(http: httpx2.AsyncClient, scan_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("publications", params={"scan_id": scan_id})).json()["items"]
    return found


async def _is_put_off(http: httpx2.AsyncClient, publication_id: str) -> bool:
    found = await _publications(http, publication_id.partition(".")[0])
    return any(item["publication_id"] == publication_id and item["failures"] for item in found)


async def _is_done(http: httpx2.AsyncClient, scan_id: str) -> bool:
    return all(item["state"] == "done" for item in await _publications(http, scan_id))


def test_events_of_the_tests_are_events(event_bytes: EventBytes) -> None:
    assert native.loads(event_bytes()).header.run_id == 118_000
