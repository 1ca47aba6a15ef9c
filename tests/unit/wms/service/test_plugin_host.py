"""What the service does for a plugin: documents, settings, a loop, and workflows on behalf of somebody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import APIRouter

from ewms.core.errors import Conflict, Forbidden, InputError, NotFound
from ewms.services import (
    Append,
    Delete,
    Insert,
    NewWorkflow,
    PluginHost,
    Query,
    Replace,
    ServicePlugin,
    WorkflowState,
)
from ewms.stores.backup import Body, lines_of
from ewms.stores.collections import INDEXES
from ewms.wms.service.plugin import hosted
from tests.support.conditions import until
from tests.support.service import RunningService, service_with
from tests.support.submissions import CODE, INPUT, SPEC

CLUSTERS = {
    "here": {"backend": "local", "max_workers": 4, "aliases": ["sub-1"]},
    "there": {"backend": "local", "max_workers": 2},
}


class Notebook(ServicePlugin):
    """Keeps notes, and fails now and then."""

    collections = {"notes": (("owner", "number"),)}

    def __init__(self) -> None:
        self.host: PluginHost | None = None
        self.runs = 0
        self.trouble = ""

    def router(self, host: PluginHost) -> APIRouter:
        """None."""
        self.host = host
        return APIRouter()

    async def run(self, host: PluginHost) -> None:
        """Fails once with a trouble, then goes on."""
        assert self.host is host
        self.runs += 1
        if self.runs == 1:
            raise InputError("the notebook is wet; dry it")
        await host.stopping.wait()


@pytest.fixture(scope="module")
def notebook() -> Notebook:
    return Notebook()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, notebook: Notebook) -> AsyncIterator[RunningService]:
    tables = {"clusters": CLUSTERS, "plugins": {"notebook": {"pages": 7, "key": "env:NOTEBOOK"}}}
    folder = tmp_path_factory.mktemp("service")
    async with service_with({"notebook": notebook}, folder, quotas={"workers": 9}, **tables) as running:
        yield running


@pytest.fixture(scope="module")
def host(service: RunningService, notebook: Notebook) -> PluginHost:
    assert notebook.host is not None
    return notebook.host


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def request_of(host: PluginHost, owner: str = "ada", **more: object) -> NewWorkflow:
    code, inputs = [await host.upload(host.on_behalf(owner), data) for data in (CODE, INPUT)]
    files = {"code/work.py": code.sha256, "inputs/n.jsonl": inputs.sha256}
    return NewWorkflow.model_validate({"spec": SPEC, "files": files, **more})


async def test_its_documents_are_its_own(service: RunningService, host: PluginHost) -> None:
    await host.store.write(
        Insert(collection="notes", key="a", body={"owner": "ada", "number": 1}),
        Insert(collection="notes", key="b", body={"owner": "ada", "number": 2}),
        Append(log="a", entry={"written": True}),
    )
    page = await host.store.find("notes", Query.parse({"owner": "ada"}), order=[("number", True)])
    assert [item.key for item in page.items] == ["b", "a"]
    assert await host.store.log("a") == [(1, {"written": True})]
    await host.store.write(Replace(collection="notes", key="a", version=1, body={"owner": "bob", "number": 1}))
    with pytest.raises(Conflict):
        await host.store.write(Replace(collection="notes", key="a", version=1, body={}))
    assert await host.store.count("notes", Query.parse({"owner": "ada"})) == 1
    for collection in ("workflows", "notebook_notes", "tokens"):
        with pytest.raises(InputError, match="declares notes"):
            await host.store.get(collection, "a")
        with pytest.raises(InputError, match="declares notes"):
            await host.store.write(Delete(collection=collection, key="a"))
    assert await service.state.store.log("a") == [], "under a name of its own"


async def test_a_backup_holds_them_or_is_refused(
    service: RunningService, host: PluginHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    await host.store.write(Insert(collection="notes", key="kept", body={"owner": "eve", "number": 3}))
    lines = [line async for line in lines_of(service.state.store) if isinstance(line, Body)]
    assert Body("notebook_notes", "kept", {"owner": "eve", "number": 3}) in lines
    monkeypatch.delitem(INDEXES, "notebook_notes")  # as in a process that has not loaded the plugin
    with pytest.raises(InputError, match=r"notebook_notes of a plugin that is not installed"):
        assert [line async for line in lines_of(service.state.store)]


async def test_its_settings_are_its_table(host: PluginHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert host.settings["pages"] == 7
    with pytest.raises(InputError, match=r"\[plugins.notebook\].*NOTEBOOK"):
        host.secret(host.settings["key"])
    monkeypatch.setenv("NOTEBOOK", "top secret")
    assert host.secret(host.settings["key"]) == "top secret"
    assert host.data.is_dir()
    assert host.url.endswith("/notebook")
    async with service_with({}, tmp_path) as other:
        tables = other.state.configuration.model_copy(update={"plugins": {"notebok": {}}})
        state = type(other.state)(**{**vars(other.state), "configuration": tables})
        with pytest.raises(InputError, match=r"\[plugins.notebok\]: no such service plugin"):
            hosted({"notebook": Notebook()}, state)


async def test_its_loop_is_started_again(service: RunningService, notebook: Notebook) -> None:
    async def is_again() -> bool:
        return notebook.runs == 2

    await until(is_again, "the second run of the loop", 60)


async def test_a_loop_in_trouble_is_told(tmp_path: Path) -> None:
    class Wet(Notebook):
        async def run(self, host: PluginHost) -> None:
            raise InputError("the notebook is wet; dry it")

    async with service_with({"wet": Wet()}, tmp_path) as other, other.client() as http:

        async def is_told() -> bool:
            loops: dict[str, str] = (await http.get("/readyz")).json()["loops"]
            return loops.get("plugin wet") == "the notebook is wet; dry it"

        await until(is_told, "the loop's trouble", 60)


async def test_workers_are_counted_by_cluster(host: PluginHost) -> None:
    ada = host.on_behalf("ada")
    workflow = await host.submit(ada, await request_of(host, workers_at={"sub-1": 3, "there": 2}))
    assert {one.cluster: one.n_workers for one in await host.taskforces(ada, workflow.workflow_id)} == {
        "here": 3,
        "there": 2,
    }
    added = await host.add_workers(ada, workflow.workflow_id, cluster="sub-1", workers=4)
    assert (added.cluster, added.n_workers, added.workflow_id) == ("here", 4, workflow.workflow_id)
    assert len(await host.taskforces(ada, workflow.workflow_id)) == 3
    assert [entry["target_phase"] for entry in await host.taskforce_log(ada, added.taskforce_uuid)] == ["pre-mq-activation"]
    with pytest.raises(InputError, match="no task 'nothing'"):
        await host.add_workers(ada, workflow.workflow_id, cluster="here", workers=1, task="nothing")
    with pytest.raises(Forbidden, match="may have 9"):
        await host.submit(ada, await request_of(host, workers_at={"here": 8, "there": 8}))
    with pytest.raises(InputError, match="name here twice"):
        await host.submit(ada, await request_of(host, workers_at={"here": 1, "sub-1": 1}))
    with pytest.raises(ValueError, match="leave workers and clusters out"):
        await request_of(host, workers_at={"here": 1}, workers=3)
    assert host.cluster("sub-1") == "here"
    assert set(host.clusters()) == {"here", "there"}


async def test_a_workflow_is_its_owners(host: PluginHost) -> None:
    ada, bob = host.on_behalf("ada"), host.on_behalf("bob")
    workflow_id = (await host.submit(ada, await request_of(host), key="one")).workflow_id
    assert (await host.submit(ada, await request_of(host), key="one")).workflow_id == workflow_id
    for refused in (host.workflow, host.cancel, host.finish, host.files, host.phases, host.failures, host.pause):
        with pytest.raises(NotFound):
            await refused(bob, workflow_id)
    files = await host.files(ada, workflow_id)
    assert sorted(files) == ["code/work.py", "inputs/n.jsonl"]
    assert await host.content(ada, workflow_id, "inputs/n.jsonl") == INPUT
    assert await host.uploaded(ada, files["inputs/n.jsonl"].sha256) == INPUT
    for name in ("product/none", "../secrets", ""):
        with pytest.raises(NotFound):
            await host.content(ada, workflow_id, name)
    with pytest.raises(NotFound):
        await host.uploaded(bob, files["inputs/n.jsonl"].sha256)
    assert (await host.edit(ada, workflow_id, priority=120, labels={"a": "b"})).priority == 120
    assert (await host.workflow(ada, workflow_id)).labels == {"a": "b"}
    assert (await host.pause(ada, workflow_id)).wish == "pause"
    assert (await host.resume(ada, workflow_id)).wish == "run"
    assert [entry.state for entry in await host.phases(ada, workflow_id)] == [WorkflowState.PENDING]
    assert await host.failures(ada, workflow_id) == []
    for _ in range(2):
        assert (await host.cancel(ada, workflow_id)).deactivated == "ABORTED"
    with pytest.raises(Conflict):
        await host.add_workers(ada, workflow_id, cluster="here", workers=1)


async def test_changes_begin_with_what_is(host: PluginHost) -> None:
    ada = host.on_behalf("ada")
    workflow_id = (await host.submit(ada, await request_of(host))).workflow_id
    changes = aiter(host.changes(ada, workflow_id))
    async with asyncio.timeout(60):
        assert (await anext(changes)).priority == 50
        await host.edit(ada, workflow_id, priority=77)
        while (await anext(changes)).priority != 77:
            pass
    async with asyncio.timeout(60):
        everybody = aiter(host.changes(None))
        waiting = asyncio.ensure_future(anext(everybody))
        await asyncio.sleep(0)
        await host.edit(ada, workflow_id, priority=78)
        assert (await waiting).workflow_id
    with pytest.raises(NotFound):
        await anext(aiter(host.changes(host.on_behalf("bob"), workflow_id)))


async def test_changes_end_with_the_service(tmp_path: Path) -> None:
    notebook = Notebook()
    async with service_with({"notebook": notebook}, tmp_path) as other:
        assert notebook.host is not None
        waiting = asyncio.ensure_future(anext(aiter(notebook.host.changes(None)), None))
        await asyncio.sleep(0)
        other.stop()
        async with asyncio.timeout(60):
            assert await waiting is None
