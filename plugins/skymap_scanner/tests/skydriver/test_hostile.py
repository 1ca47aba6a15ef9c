"""What harms others is refused in one line, or kept as what it is: letters."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from ewms.stores.store import Insert

from .conftest import Sky, event_of, scan_body

pytestmark = pytest.mark.asyncio(loop_scope="module")
HTML = "<script>alert(1)</script>"[:25]


async def refused(sky: Sky, code: int = 400, **changes: Any) -> str:
    answer = await sky.of().post("/scan", json=scan_body(**changes))
    assert answer.status_code == code, answer.text
    words: str = answer.json()["error"]
    assert words
    assert "\n" not in words
    assert "Traceback" not in words
    return words


async def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(sky: Sky) -> None:
    place = urlsplit(sky.service.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    head = f"POST /skydriver/scan HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sky.tokens['ada']}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {1 << 30}\r\n\r\n".encode())
    async with asyncio.timeout(60):
        answer = await reader.read(1 << 16)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"above the service's limit of 16777216 bytes; send less at once" in answer


async def test_a_zip_bomb_in_a_frame_is_refused(sky: Sky) -> None:
    bomb = zlib.compress(b"\0" * (40 << 20), 1)
    frame = base64.b64encode(bomb).decode()
    packed = [["Q", frame], ["P", frame]]
    for frames in (packed, [{"name": "Q", "frame": frame}], [frame]):
        await refused(sky, event_i3live_json={"value": {"version": "2", "data": {"frames": frames}}})


@pytest.mark.parametrize(
    "event",
    [
        "[" * 100_000 + "]" * 100_000,
        {"value": {"data": {"frames": [["Q", "!"]]}}},
        {"value": {"data": {"frames": [1, None, [], "x" * 1000]}}},
        {"format": "skymap_scanner.event", "pulses": "../../etc/passwd"},
        {"value": {"data": []}},
    ],
)
async def test_what_is_no_event_is_refused(sky: Sky, event: Any) -> None:
    await refused(sky, event_i3live_json=event)


async def test_markup_stays_letters(sky: Sky) -> None:
    manifest = await sky.posted(classifiers={"<b>": HTML})
    answer = await sky.of().get(f"/scan/{manifest['scan_id']}/manifest")
    assert answer.json()["classifiers"] == {"<b>": HTML}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    words = await refused(sky, reco_algo=HTML)
    assert HTML in words


@pytest.mark.parametrize("scan_id", ["..", "%2e%2e", "..%2f..%2fstore", "a/b", "%00", "x" * 5000, "a'b\"c"])
async def test_names_of_paths_lead_nowhere(sky: Sky, scan_id: str) -> None:
    for path in (f"/scan/{scan_id}/result", f"/scan-request/{scan_id}"):
        answer = await sky.of().get(path)
        assert answer.status_code in {404, 405}, answer.text
    words = await refused(sky, 404, event_i3live_json=None, i3_event_id=f"../{scan_id}"[:900])
    assert "there is no event" in words


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"a": NaN}', '"' + "\\ud800" + '"', json.dumps(scan_body(classifiers={"a\0b": 1}))]
)
async def test_a_body_that_is_no_request(sky: Sky, text: str) -> None:
    answer = await sky.of().post("/scan", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


async def test_numbers_that_no_store_holds(sky: Sky) -> None:
    await refused(sky, classifiers={"a": 1 << 70})
    await refused(sky, priority=1 << 40)
    text = json.dumps(scan_body(classifiers={"a": 0})).replace('"a": 0', '"a": Infinity')
    answer = await sky.of().post("/scan", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


async def test_a_search_does_no_harm(sky: Sky) -> None:
    nested: dict[str, Any] = {"scan_id": "x"}
    for _ in range(200):
        nested = {"$and": [nested]}
    for filter_ in (nested, {"scan_id": {"$in": ["x"] * 20_000}}, {'a"; DROP TABLE scans; --': 1}, {"": 1}, {"a..b": 1}):
        answer = await sky.of().post("/scans/find", json={"filter": filter_})
        assert answer.status_code == 400, (filter_, answer.text[:200])
        assert "\n" not in answer.json()["error"]


async def test_ten_thousand_scans_are_paged(sky: Sky) -> None:
    manifest = await sky.posted()
    store = sky.service.state.store
    kept = await store.get("skydriver_scans", manifest["scan_id"])
    assert kept is not None
    many, at_once = 10_000, 1000
    for start in range(0, many, at_once):
        keys = [f"{number:032x}" for number in range(start, start + at_once)]
        same = {"priority": -77, "outcome": "cancelled", "ewms_workflow_id": None}
        bodies = ({**kept.body, **same, "scan_id": key, "timestamp": float(int(key, 16))} for key in keys)
        await store.write(*(Insert(collection="skydriver_scans", key=body["scan_id"], body=body) for body in bodies))
    body = {"filter": {"priority": -77}, "manifest_projection": ["scan_id"]}
    found = await sky.ask("/scans/find", method="POST", json=body)
    assert (len(found["manifests"]), found["total"]) == (1000, many)
    rest = await sky.ask("/scans/find", method="POST", json=body, params={"after": found["after"], "limit": 3})
    assert [int(one["scan_id"], 16) for one in rest["manifests"]] == [8999, 8998, 8997]
    for limit in (0, 1001):
        answer = await sky.of().post("/scans/find", json=body, params={"limit": limit})
        assert answer.status_code == 400


async def test_an_event_keeps_its_letters(sky: Sky) -> None:
    event = event_of(12) | {"note": "ü\u2028</script>\ud800"}
    answer = await sky.of().post("/scan", json=scan_body(event_i3live_json=json.dumps(event)))
    if answer.status_code == 200:  # a reader may refuse keys that it does not know
        found = await sky.ask(f"/scan/{answer.json()['scan_id']}/i3-event")
        assert found["i3_event"]["note"].startswith("ü")
    else:
        assert answer.status_code == 400
