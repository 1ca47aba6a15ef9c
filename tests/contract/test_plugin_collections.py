"""Collections of plugins are as good as the service's own; a process without the plugin knows that they are there."""

from __future__ import annotations

import pytest

from ewms.core.errors import InputError
from ewms.core.query import Query
from ewms.stores.collections import BESIDE, INDEXES, Indexes, make_known
from ewms.stores.store import Insert
from ewms.stores.urls import store_for

NOTES = "notebook-2_notes"
KEYS: Indexes = (("owner", "number"),)


@pytest.fixture(autouse=True)
def collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes known is forgotten after it."""
    monkeypatch.setitem(INDEXES, NOTES, KEYS)


async def test_they_are_kept_and_searched(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_known({NOTES: KEYS})
    async with store_for(store_url) as store:
        await store.write(
            *(Insert(collection=NOTES, key=f"n{number}", body={"owner": "ada", "number": number}) for number in range(3))
        )
        page = await store.find(NOTES, Query.parse({"owner": "ada"}), order=[("number", True)], limit=2)
        assert [item.key for item in page.items] == ["n2", "n1"]
        assert await store.unknown() == []
    with monkeypatch.context() as patch:
        patch.delitem(INDEXES, NOTES)
        async with store_for(store_url) as store:
            assert await store.unknown() == [NOTES]
            with pytest.raises(InputError, match="no collection"):
                await store.get(NOTES, "n1")
    async with store_for(store_url) as store:
        assert await store.count(NOTES) == 3, "nothing is lost meanwhile"


@pytest.mark.parametrize("name", ["workflows", "tokens", *sorted(BESIDE), "", "Notes", 'a"b', "a" * 81, "ü", NOTES])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="must name it otherwise"):
        make_known({name: (("owner",),)})
    make_known({NOTES: KEYS})  # as before, which is no error
