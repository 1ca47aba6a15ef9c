"""What the service does for a plugin, on behalf of a caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse

from ewms.config_file import read_secret
from ewms.core.errors import InputError
from ewms.core.service.cluster_configuration import ClusterConfiguration
from ewms.core.service.files import FileDocument, file_key
from ewms.core.service.new_workflow import NewWorkflow
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.upload import upload_key
from ewms.core.service.wishes import check_unfinished, paused, resumed
from ewms.core.service.workflow import StateEntry, WorkflowDocument
from ewms.stores.collections import FILES, UPLOADS
from ewms.stores.store import Document
from ewms.wms.access.caller import Caller
from ewms.wms.access.roles import Role
from ewms.wms.failures import FailureCluster, failure_clusters
from ewms.wms.files import Content, Files
from ewms.wms.service.clusters import locations_of
from ewms.wms.service.deactivation import end
from ewms.wms.service.editing import change_workflow, edit_workflow
from ewms.wms.service.following import followed
from ewms.wms.service.journals import look_into
from ewms.wms.service.lookup import find_all, log_of, taskforce_of, taskforces_of, workflow_of
from ewms.wms.service.more_workers import add_taskforce
from ewms.wms.service.permission import not_found
from ewms.wms.service.plugin_store import PluginStore
from ewms.wms.service.state import ServiceState
from ewms.wms.service.submitting import submit_new
from ewms.wms.service.uploads import take_in_bytes
from ewms.wms.service.webhook_calls import WebhookClient
from ewms.wms.service.webhook_secret import webhook_secret
from ewms.wms.web.pages import pages_of


class PluginHost:
    """The service as a plugin sees it. Everything raises `EwmsError`, which becomes an answer of one line.

    Parameters
    ----------
    prefix
        Of the plugin.
    collections
        As the plugin declares them.
    """

    def __init__(self, state: ServiceState, prefix: str, collections: tuple[str, ...] = ()) -> None:
        self._state = state
        self.prefix = prefix
        """Below which its routes are."""
        self.settings: Mapping[str, Any] = state.configuration.plugins.get(prefix, {})
        """The table `[plugins.PREFIX]` of `ewms.toml`."""
        self.stopping: asyncio.Event = state.stopping
        """Set when the service is to end."""
        self.caller = Caller(name=prefix, role=Role.USER)
        """The plugin itself: it owns what its loop makes."""
        self.store = PluginStore(state.store, prefix, collections)
        """Its own documents."""

    @cached_property
    def data(self) -> Path:
        """A folder of its own below the service's; for what may be lost with this machine."""
        folder: Path = self._state.configuration.service.data / "plugins" / self.prefix
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    @property
    def url(self) -> str:
        """By which others reach its routes."""
        return f"{self._state.configuration.service.public_url}/{self.prefix}"

    def now(self) -> float:
        """Seconds since 1970, as the service stamps what it keeps."""
        return self._state.clock()

    def on_behalf(self, name: str) -> Caller:
        """A user, for whom the plugin acts."""
        return Caller(name=name, role=Role.USER)

    def secret(self, reference: str) -> str:
        """What `file:/path` or `env:NAME` in its settings names; `InputError` where it cannot be read."""
        try:
            return read_secret(reference)
        except ValueError as error:
            raise InputError(f"[plugins.{self.prefix}]: {error}") from error

    def clusters(self) -> Mapping[str, ClusterConfiguration]:
        """The clusters of the configuration, with their limits, by name."""
        return self._state.configuration.clusters

    def cluster(self, name: str) -> str:
        """The cluster that a name or alias means; `InputError` with the known ones if there is none."""
        return locations_of(self._state.configuration).find(name).name

    async def upload(self, caller: Caller, data: bytes) -> Content:
        """Keep a content, so that a workflow of the same caller may name it by its sha256."""
        return await take_in_bytes(self._state, caller.name, data)

    async def uploaded(self, caller: Caller, sha256: str) -> bytes:
        """A content that the caller has uploaded; `NotFound` if they have not."""
        if await self._state.store.get(UPLOADS, upload_key(caller.name, sha256)) is None:
            raise not_found(f"upload {sha256}")
        return await asyncio.to_thread(self._read, self._state.files, sha256)

    async def submit(self, caller: Caller, request: NewWorkflow, key: str | None = None) -> WorkflowDocument:
        """Submit a workflow; under the same key, a repeat gives the workflow that is there already."""
        return await submit_new(self._state, caller, request, key)

    async def workflow(self, caller: Caller, workflow_id: str) -> WorkflowDocument:
        """A workflow that the caller may see."""
        return (await workflow_of(self._state.store, caller, workflow_id))[1]

    async def cancel(self, caller: Caller, workflow_id: str) -> WorkflowDocument:
        """Give a workflow up; a repeat changes nothing. `Conflict` for one that is complete."""
        return await end(self._state, caller, workflow_id, "ABORTED")

    async def finish(self, caller: Caller, workflow_id: str) -> WorkflowDocument:
        """Have a workflow take no more input; a repeat changes nothing. `Conflict` for one that is complete."""
        return await end(self._state, caller, workflow_id, "FINISHED")

    async def pause(self, caller: Caller, workflow_id: str) -> WorkflowDocument:
        """Send no more events until `resume`."""
        return await edit_workflow(self._state, caller, workflow_id, paused)

    async def resume(self, caller: Caller, workflow_id: str) -> WorkflowDocument:
        """Go on, after `pause` or a failure."""
        return await edit_workflow(self._state, caller, workflow_id, resumed)

    async def edit(
        self,
        caller: Caller,
        workflow_id: str,
        *,
        labels: Mapping[str, str] | None = None,
        priority: int | None = None,
        workers: int | None = None,
    ) -> WorkflowDocument:
        """Change labels, priority or the most workers; what is None stays. `Conflict` for one that has ended."""
        fields = {"labels": labels, "priority": priority, "workers": workers}
        given = {name: value for name, value in fields.items() if value is not None}
        return await change_workflow(self._state, caller, workflow_id, given)

    async def add_workers(
        self, caller: Caller, workflow_id: str, *, cluster: str, workers: int, task: str | None = None
    ) -> TaskforceDocument:
        """A further taskforce at a cluster, ahead of those that came with the workflow.

        Parameters
        ----------
        task
            For which they are wanted; they do the others too.

        Raises
        ------
        Conflict
            The workflow has ended, or is about to.
        InputError
            There is no such cluster or task.
        """
        workflow = await self.workflow(caller, workflow_id)
        check_unfinished(workflow, "given workers")
        self._state.quotas.check_workers(workflow.owner, workers)
        location = locations_of(self._state.configuration).find(cluster)
        if task is not None and workflow.spec.tasks and task not in {each.name for each in workflow.spec.tasks}:
            raise InputError(f"workflow {workflow_id} has no task {task!r:.80}")
        former = await taskforces_of(self._state.store, workflow_id)  # whose pilots do all of its tasks
        added, _ = await add_taskforce(self._state, workflow, former[0][1].task_id, location, workers)
        return added

    async def taskforces(self, caller: Caller, workflow_id: str) -> list[TaskforceDocument]:
        """Where its pilots are, how they fare, and why there are none."""
        await self.workflow(caller, workflow_id)
        return [taskforce for _, taskforce in await taskforces_of(self._state.store, workflow_id)]

    async def taskforce_log(self, caller: Caller, uuid: str) -> list[Document]:
        """What happened to one taskforce, oldest first."""
        await taskforce_of(self._state.store, caller, uuid)
        return await log_of(self._state.store, uuid)

    async def failures(self, caller: Caller, workflow_id: str) -> list[dict[str, Any]]:
        """Why events failed, put together by cause, the most frequent first."""
        workflow = await self.workflow(caller, workflow_id)
        nothing: list[FailureCluster] = []
        found = await look_into(self._state, workflow, lambda found: failure_clusters(found.journal, found.names), nothing)
        return [msgspec.to_builtins(cluster) for cluster in found]

    async def phases(self, caller: Caller, workflow_id: str) -> list[StateEntry]:
        """Every state that it was in, oldest first."""
        await self.workflow(caller, workflow_id)
        return [StateEntry.model_validate(entry) for entry in await log_of(self._state.store, workflow_id)]

    async def files(self, caller: Caller, workflow_id: str) -> dict[str, FileDocument]:
        """Its uploads, partial and whole product, by name."""
        await self.workflow(caller, workflow_id)
        found = await find_all(self._state.store, FILES, {"workflow_id": workflow_id})
        files = (FileDocument.model_validate(stored.body) for stored in found)
        return {file.name: file for file in files}

    async def content(self, caller: Caller, workflow_id: str, name: str) -> bytes:
        """What one file of it holds; `NotFound` if there is none. A name is looked up, never followed."""
        await self.workflow(caller, workflow_id)
        stored = await self._state.store.get(FILES, file_key(workflow_id, name))
        if stored is None:
            raise not_found(f"file {name} of workflow {workflow_id}")
        file = FileDocument.model_validate(stored.body)
        try:
            return await asyncio.to_thread(self._read, self._state.files.holding(file), file.sha256)
        except InputError:
            if await self._state.store.get(FILES, stored.key) != stored:
                return await self.content(caller, workflow_id, name)  # a partial product that was replaced meanwhile
            raise

    def changes(self, caller: Caller | None, workflow_id: str | None = None) -> AsyncIterator[WorkflowDocument]:
        """Workflows as they change, until the service stops: the latest document of each, however slowly it is read.

        A single one comes first as it is; of all, only those that change come.

        Parameters
        ----------
        caller
            Whose workflows; None, for the plugin's own loop, means everybody's.
        workflow_id
            Only this one.

        Raises
        ------
        HTTPException
            503: there are as many listeners as the service bears.
        NotFound
            When it is read: there is no such workflow, or it is not theirs.
        """
        return followed(self._state, caller, workflow_id)

    async def deliver(self, url: str, body: bytes, delivery_id: str) -> str:
        """One call of a webhook with any JSON, signed and under the rules of the service's own; why it failed, or nothing.

        Parameters
        ----------
        delivery_id
            The same at each attempt, so that a receiver knows a repeat.
        """
        configuration = self._state.configuration
        client = WebhookClient(webhook_secret(configuration), configuration.webhooks.allow)
        try:
            return await client.post(url, body, delivery_id, self.now())
        finally:
            await client.close()

    def page(self, request: Request, caller: Caller | None, template: str, **values: Any) -> HTMLResponse:
        """A page in the layout of the web interface, from a template of the plugin."""
        return pages_of(request).page(request, caller, f"{self.prefix}/{template}", values)

    def _read(self, files: Files, sha256: str) -> bytes:
        with files.open(sha256) as stream:
            return stream.read()
