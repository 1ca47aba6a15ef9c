"""`ewms submit`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ewms.cli.display import counted, display_for
from ewms.cli.remote import hint, session
from ewms.cli.run import parse_setting
from ewms.local.loading import load

if TYPE_CHECKING:
    from ewms.client.remote_workflow import RemoteWorkflow
    from ewms.client.status import WorkflowStatus

_DEAD_LETTERS = 3


@click.command()
@click.argument("spec")
@click.argument("more_inputs", nargs=-1, metavar="")
@click.option("--server", metavar="URL", envvar="EWMS_SERVER", help="The shared service, or EWMS_SERVER.")
@click.option("--input", "inputs", multiple=True, metavar="PATH...", help="Files and folders of input; may be repeated.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Parameter of the application, or key of the spec."
)
@click.option(
    "--include", multiple=True, metavar="PATTERN", help="Further files beside the workflow that its code needs; repeatable."
)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Most workers; as the service sees fit if left out."
)
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only there; repeatable.")
@click.option("--priority", type=click.IntRange(min=0), metavar="N", help="50 if left out; 100 and above is urgent.")
@click.option(
    "--worker", "worker", multiple=True, metavar="KEY=VALUE", help="What each worker asks for: max_runtime=3600, gpus=1 …"
)
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="For searching; repeatable.")
@click.option("--wait", is_flag=True, help="Wait for the end and fetch the product.")
@click.option("--out", metavar="DIR", help="Folder for what --wait fetches; a new one in the current folder if left out.")
@click.option("--json", "as_json", is_flag=True, help="With --wait: one JSON object a line per change.")
@click.pass_context
def submit(
    context: click.Context,
    spec: str,
    more_inputs: tuple[str, ...],
    server: str | None,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    include: tuple[str, ...],
    workers: int | None,
    clusters: tuple[str, ...],
    priority: int | None,
    worker: tuple[str, ...],
    labels: tuple[str, ...],
    wait: bool,
    out: str | None,
    as_json: bool,
) -> None:
    """Hand SPEC over to a shared service: a TOML file, a folder with a workflow.toml, or module:attribute.

    Its code and inputs are uploaded. Prints the workflow's id.
    """
    from ewms.client.session import checked

    if out is not None and not wait:
        raise click.UsageError("--out is for what --wait fetches; `ewms fetch` gets it later")
    loaded = checked(load(spec, dict(parse_setting(text) for text in settings), pilots_here=False))
    with session(server) as service:
        workflow = service.submit_loaded(
            loaded,
            inputs=(*inputs, *more_inputs),
            include=include,
            on_upload=_show_upload,
            workers=workers,
            clusters=clusters or None,
            priority=priority,
            worker=dict(parse_setting(text) for text in worker) or None,
            labels=_pairs(labels) or None,
        )
        if not as_json:
            click.echo(workflow.id)
        if not wait:
            click.echo(f"see how it goes: ewms status {workflow.id}{hint(server)}", err=True)
            return
        folder = Path(out or f"{loaded.spec.name}-{workflow.id}")
        context.exit(wait_and_fetch(workflow, folder, as_json=as_json, suffix=hint(server)))


def wait_and_fetch(workflow: RemoteWorkflow, folder: Path, *, as_json: bool, suffix: str) -> int:
    """Show how a workflow goes on, and fetch what it leaves; the exit code.

    Parameters
    ----------
    suffix
        What commands that are suggested need besides.
    """
    from ewms.client.progress import progress_of
    from ewms.client.remote_workflow import check_ended

    display = display_for(as_json)
    status = workflow.status()
    try:
        with display:
            for status in workflow.follow():
                display.show(progress_of(status))
    except KeyboardInterrupt:
        click.echo(f"\n{workflow.id} goes on; see: ewms status {workflow.id}{suffix}", err=True)
        raise
    check_ended(status, suffix)
    workflow.download(folder)
    click.echo(json.dumps(workflow.summary()) if as_json else _result(status, folder, suffix))
    return _DEAD_LETTERS if status.counts.get("dead_lettered") else 0


def _result(status: WorkflowStatus, folder: Path, suffix: str) -> str:
    done = counted(status.counts.get("accepted", 0), "event")
    line = f"complete: {done}; the product is in {folder / 'product'}"
    if dead := status.counts.get("dead_lettered", 0):
        line += f"\n{counted(dead, 'dead letter')}; see: ewms why {status.workflow_id}{suffix}"
    return line


def _show_upload(sent: int, missing: int) -> None:
    if sent == 0:
        click.echo(f"uploading {counted(missing, 'file')}", err=True)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--label {text}: write KEY=VALUE")
        found[key] = value
    return found
