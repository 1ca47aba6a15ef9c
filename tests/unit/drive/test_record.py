"""A workflow's document under the hands of its host and of others."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from ewms.core.errors import Conflict, StaleEpoch
from ewms.core.service.phases import Wish, WorkflowState
from ewms.core.service.workflow import DriverClaim, ReplayRequest, WorkflowDocument
from ewms.core.spec import parse_spec
from ewms.drive.hosted import Hosted
from ewms.drive.life import Ending
from ewms.drive.record import Record
from ewms.drive.services import Services
from ewms.stores.collections import FILES, WORKFLOWS
from ewms.stores.store import Change, Insert, Replace, Store
from ewms.wms.files import Content
from ewms.wms.news import Item, News

SPEC = parse_spec({"name": "one", "tasks": [{"name": "work", "python": "work:work", "input": "numbers"}]}, "test")
ID = "WF-00000001-00000001"


async def claimed(store: Store, news: News, **fields: object) -> Record:
    """A workflow that a host has."""
    document = WorkflowDocument(workflow_id=ID, timestamp=1.0, spec=SPEC, driver=DriverClaim(host="mine", epoch=1))
    body = document.model_copy(update=fields).model_dump(mode="json")
    await store.write(Insert(collection=WORKFLOWS, key=ID, body=body))
    stored = await store.get(WORKFLOWS, ID)
    assert stored is not None
    return Record(store, news, stored)


async def change(store: Store, **fields: object) -> None:
    """Somebody else writes."""
    stored = await store.get(WORKFLOWS, ID)
    assert stored is not None
    document = WorkflowDocument.model_validate(stored.body).model_copy(update=fields)
    body = document.model_dump(mode="json")
    await store.write(Replace(collection=WORKFLOWS, key=ID, version=stored.version, body=body))


async def read(store: Store) -> WorkflowDocument:
    stored = await store.get(WORKFLOWS, ID)
    assert stored is not None
    return WorkflowDocument.model_validate(stored.body)


async def test_what_others_change_meanwhile_is_kept(store: Store) -> None:
    record = await claimed(store, News())
    await change(store, wish=Wish.PAUSE)
    await record.update(state=WorkflowState.RUNNING)
    await record.update(counts={"sent": 1})
    document = await read(store)
    assert (document.wish, document.state, document.counts) == (Wish.PAUSE, WorkflowState.RUNNING, {"sent": 1})
    assert record.document == document


async def test_what_a_write_met_is_told_once(store: Store) -> None:
    record = await claimed(store, News())
    wishes: list[Wish] = []
    record.on_news = lambda: wishes.append(record.document.wish)
    await record.update(state=WorkflowState.RUNNING)
    await change(store, wish=Wish.CANCEL)
    await record.update(counts={"sent": 1})
    stored = await store.get(WORKFLOWS, ID)
    assert stored is not None
    assert not record.saw(stored)  # so whoever waits for that would never hear of the wish
    assert wishes == [Wish.CANCEL]


async def test_what_is_seen_during_a_write_is_no_other_documents_fault(store: Store) -> None:
    record = await claimed(store, News())
    write = store.write

    async def overtaken(*changes: Change) -> None:
        """Somebody else is faster, and this host hears of it before its own write is answered."""
        store.write = write  # type: ignore[method-assign]
        await change(store, wish=Wish.CANCEL)
        stored = await store.get(WORKFLOWS, ID)
        assert stored is not None
        assert record.saw(stored)
        await write(*changes)

    store.write = overtaken  # type: ignore[method-assign]
    await record.update(counts={"sent": 1})
    document = await read(store)
    assert (document.wish, document.counts) == (Wish.CANCEL, {"sent": 1})


async def test_a_host_heeds_a_wish_that_a_write_met(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    heeded: list[Wish] = []

    class Writing:
        """A life in which one write meets a wish."""

        def __init__(self, record: Record, services: object) -> None:
            self._record = record

        def heed(self) -> None:
            heeded.append(self._record.document.wish)

        async def run(self) -> Ending:
            await change(store, wish=Wish.CANCEL)
            await self._record.update(counts={"sent": 1})
            return Ending.FINAL

    monkeypatch.setattr("ewms.drive.hosted.Life", Writing)
    await Hosted(await claimed(store, News()), cast(Services, None)).run()
    assert heeded == [Wish.CANCEL]


async def test_a_request_for_replay_at_the_last_moment_is_not_lost(store: Store) -> None:
    record = await claimed(store, News())
    await change(store, replay=(ReplayRequest(request_id="RP-1"),))
    await record.release(state=WorkflowState.COMPLETE, reason="", active=False)
    document = await read(store)
    assert (document.state, document.driver.host) == (WorkflowState.PENDING, "")
    assert [request.request_id for request in document.replay] == ["RP-1"]


async def test_a_workflow_that_was_taken_over_is_not_written(store: Store) -> None:
    record = await claimed(store, News())
    await change(store, driver=DriverClaim(host="other", epoch=2))
    with pytest.raises(StaleEpoch, match=f"workflow {ID} was taken over by driver host other"):
        await record.update(state=WorkflowState.COMPLETE)
    assert (await read(store)).state is WorkflowState.PENDING


async def test_a_workflow_that_was_released_is_not_written(store: Store) -> None:
    record = await claimed(store, News())
    await record.release(state=WorkflowState.FAILED, reason="it broke")
    document = await read(store)
    assert (document.driver, document.reason) == (DriverClaim(epoch=1), "it broke")
    await change(store, driver=DriverClaim(host="other", epoch=2))
    with pytest.raises(StaleEpoch):
        await record.update(state=WorkflowState.RUNNING)


async def test_a_conflict_of_another_document_is_no_reason_to_try_again(store: Store) -> None:
    record = await claimed(store, News())
    other = Insert(collection=FILES, key="file", body={"workflow_id": ID})
    await record.update(other, counts={"sent": 1})
    with pytest.raises(Conflict):
        await record.update(other, counts={"sent": 2})
    assert (await read(store)).counts == {"sent": 1}


async def test_requests_that_came_meanwhile_stay(store: Store) -> None:
    one, two = ReplayRequest(request_id="1"), ReplayRequest(request_id="2")
    record = await claimed(store, News(), replay=(one,))
    await change(store, replay=(one, two))
    await record.carried_out([one])
    assert (await read(store)).replay == (two,)


async def test_files_are_added_to_those_that_are_there(store: Store) -> None:
    record = await claimed(store, News(), files={"code/work.py": "a"})
    await change(store, files={"code/work.py": "a", "code/more.py": "d"})
    await record.add_files({"context/model": "b"})
    await record.release(files={"product/sums": "c"})
    assert (await read(store)).files == {
        "code/work.py": "a",
        "code/more.py": "d",
        "context/model": "b",
        "product/sums": "c",
    }


async def test_every_change_is_news_and_its_state_is_logged(store: Store) -> None:
    news = News()
    record = await claimed(store, news)
    with news.listener() as listener:
        await record.update(state=WorkflowState.RUNNING)
        await record.update(counts={"sent": 1})
        assert await listener.wait() == [Item(WORKFLOWS, ID)]
    assert [entry["state"] for _, entry in await store.log(ID)] == ["running"]


async def test_an_old_reading_changes_nothing(store: Store) -> None:
    record = await claimed(store, News())
    old = await store.get(WORKFLOWS, ID)
    assert old is not None
    await record.update(counts={"sent": 1})
    assert not record.saw(old)
    assert record.document.counts == {"sent": 1}


async def test_writes_at_the_same_time_all_count(store: Store) -> None:
    record = await claimed(store, News())
    content = Content("0" * 64, 1)
    await asyncio.gather(
        record.update(state=WorkflowState.RUNNING),
        record.show({"partial/a": content}, "one"),
        record.update(counts={"sent": 1}),
        record.add_files({"context/model": "1" * 64}),
    )
    document = await read(store)
    assert (document.state, document.counts) == (WorkflowState.RUNNING, {"sent": 1})
    assert document.files == {"partial/a": "0" * 64, "context/model": "1" * 64}
    assert (document.partial, document.partial_number, document.note) == (("partial/a",), 1, "one")


async def test_a_partial_product_takes_the_place_of_the_last_one_and_goes_with_the_product(store: Store) -> None:
    record = await claimed(store, News(), files={"inputs/a": "a" * 64})
    await record.show({"partial/a": Content("0" * 64, 1), "partial/b": Content("1" * 64, 1)}, "one")
    await record.show({"partial/b": Content("2" * 64, 1)}, "two")
    assert record.document.files == {"inputs/a": "a" * 64, "partial/b": "2" * 64}
    assert record.document.partial_number == 2
    await record.release(files={"product/b": "3" * 64}, partial=())
    document = await read(store)
    assert document.files == {"inputs/a": "a" * 64, "product/b": "3" * 64}
    assert document.partial == ()
