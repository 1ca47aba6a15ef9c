"""Writes `docs/reference/` from the code: the commands of click, the fields of models and their docstrings.

python docs/generate.py            write the pages
python docs/generate.py --check    fail if they are not what would be written
"""

from __future__ import annotations

import argparse
import ast
import inspect
import itertools
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from annotated_types import Ge, Gt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ewms.cli.main import cli, main
from ewms.core.container import ContainerSpec, InitSpec
from ewms.core.retry import RetryPolicy
from ewms.core.service.access_configuration import AccessConfiguration, NatsAccess, RabbitmqAccess, RolesConfiguration
from ewms.core.service.cluster_configuration import ClusterConfiguration
from ewms.core.service.configuration import ServiceConfiguration, WebhookConfiguration
from ewms.core.service.quota import OwnerConfiguration, Quota
from ewms.core.spec import ResourceSpec, TaskSpec, WorkflowSpec

REFERENCE = Path(__file__).with_name("reference")
NOTICE = "<!-- Written by docs/generate.py. Change the code instead, then run `python docs/generate.py`. -->"
PREFACE = """A TOML file, or in Python the arguments of `ewms.Workflow(name, ...)` and of its `task(...)`. A key that is not
listed here is an error. A *name* is 1 to 64 letters, digits, `_` or `-`; a *size* is a number of bytes, or a string such as
`"500 MB"` or `"2 GiB"`."""
TABLES: dict[type[BaseModel], str] = {
    WorkflowSpec: "The file",
    TaskSpec: "`[[tasks]]`",
    RetryPolicy: "`[tasks.retry]`",
    ResourceSpec: "`[tasks.resources]`",
    ContainerSpec: "`[tasks.container]`",
    InitSpec: "`[tasks.container.init]`",
}
CONFIGURATION_PREFACE = """`ewms.toml`, which `ewms serve`, `ewms drive`, `ewms tms`, `ewms token` and `ewms store` read. A
key that is not listed here is an error, but for those of a cluster's backend and of `[plugins.NAME]`, which that service
plugin tells. A *secret* is never written in the file: it is `"file:/path"` of a file that its owner alone can read, or
`"env:NAME"` of a variable; so is a *URL* with a password in it. A *path* is a whole one, but `data` may be relative to the
file. A *size* is a number of bytes, or a string such as `"500 MB"` or `"2 GiB"`."""
CONFIGURATION_TABLES: dict[type[BaseModel], str] = {
    ServiceConfiguration: "`[service]`",
    AccessConfiguration: "`[access]`",
    RolesConfiguration: "`[access.roles]`",
    NatsAccess: "`[access.nats]`",
    RabbitmqAccess: "`[access.rabbitmq]`",
    ClusterConfiguration: "`[clusters.NAME]`",
    Quota: "`[quotas]`",
    OwnerConfiguration: "`[owners.NAME]`",
    WebhookConfiguration: "`[webhooks]`",
}
NO_KEYS = {"options"}
"""Fields that are filled from keys of other names."""
TYPES = {
    "AbsolutePath": "path",
    "AddressText": "`host:port`",
    "NatsAccess": "table",
    "RabbitmqAccess": "table",
    "RolesConfiguration": "table",
    "Secret": "secret",
    "SecretUrl": "URL",
    "tuple[Algorithm, ...]": "array of strings",
    "tuple[IPv4Network | IPv6Network, ...]": "array of networks",
    "Name": "name",
    "Size": "size",
    "bool": "boolean",
    "dict[str, Any]": "table",
    "dict[str, str]": "table of strings",
    "float": "number",
    "int": "integer",
    "int | Literal['auto']": 'integer or `"auto"`',
    "str": "string",
    "tuple[Name, ...]": "name or array of names",
    "tuple[TaskSpec, ...]": "array of tables",
    "tuple[int, ...]": "array of integers",
    "tuple[str, ...]": "array of strings",
    "ContainerSpec": "table",
    "InitSpec": "table",
    "Literal['auto', 'apptainer', 'podman', 'docker']": '`"auto"`, `"apptainer"`, `"podman"` or `"docker"`',
    "Literal['no', 'files', 'lines']": '`"no"`, `"files"` or `"lines"`',
    "ResourceSpec": "table",
    "RetryPolicy": "table",
}
"""What an annotation is called in TOML."""
LISTS_ONLY = {"inputs", "outputs"}
"""Keys that do not take one name for an array of one."""


def cli_page() -> str:
    """The page on the command line."""
    exit_codes = next(line for line in (main.__doc__ or "").splitlines() if "Exit codes: " in line)
    parts = [
        "# The command line",
        NOTICE,
        *_command(cli, click.Context(cli, info_name="ewms")),
        "## Exit codes",
        exit_codes.partition("Exit codes: ")[2],
    ]
    return "\n\n".join(parts) + "\n"


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    if context.parent is not None:
        yield f"## {context.command_path}"
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    yield inspect.cleandoc(command.help or "")
    records = [option.get_help_record(context) for option in command.params if isinstance(option, click.Option)]
    rows = [f"| `{names.replace(' RANGE', '')}` | {' '.join(text.split())} |" for names, text in filter(None, records)]
    if rows:
        yield "\n".join(["| option | meaning |", "|---|---|", *rows])
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (child := command.get_command(context, name)) is not None:
                yield from _command(child, click.Context(child, info_name=name, parent=context))


def models_page(title: str, preface: str, tables: Mapping[type[BaseModel], str]) -> str:
    """A page on a TOML file: one section per model."""
    parts = [f"# {title}", NOTICE, preface]
    for model, heading in tables.items():
        rows = [
            _row(name, annotation, text, model.model_fields[name])
            for name, annotation, text in _documented(model)
            if name not in NO_KEYS
        ]
        table = "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])
        parts += [f"## {heading}", inspect.cleandoc(model.__doc__ or ""), table]
    return "\n\n".join(parts) + "\n"


def _documented(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    """Name, annotation and docstring of each field; `ValueError` for one without."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for statement, following in itertools.zip_longest(body, body[1:]):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, ast.unparse(statement.annotation), " ".join(text.split())
            case ast.AnnAssign(), _:
                raise ValueError(f"{model.__name__}: no docstring below `{ast.unparse(statement)}`")


def _row(name: str, annotation: str, text: str, field: FieldInfo) -> str:
    kind = "array of names" if name in LISTS_ONLY else TYPES[annotation.removesuffix(" | None")]
    bounds = [f"at least {rule.ge}" for rule in field.metadata if isinstance(rule, Ge)]
    bounds += [f"above {rule.gt}" for rule in field.metadata if isinstance(rule, Gt)]
    return f"| `{name}` | {', '.join([kind, *bounds])} | {_default(field)} | {text} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or isinstance(field.default, BaseModel):
        return ""
    return f"`{json.dumps(field.default)}`"


def run() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description="Write docs/reference/ from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    is_check = parser.parse_args().check
    pages = {
        "cli.md": cli_page(),
        "configuration.md": models_page("The configuration", CONFIGURATION_PREFACE, CONFIGURATION_TABLES),
        "spec.md": models_page("The workflow spec", PREFACE, TABLES),
    }
    for name, text in pages.items():
        path = REFERENCE / name
        if not is_check:
            REFERENCE.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        elif not path.is_file() or path.read_text("utf-8") != text:
            sys.exit(f"{path} is out of date; run: python docs/generate.py")


if __name__ == "__main__":
    run()
